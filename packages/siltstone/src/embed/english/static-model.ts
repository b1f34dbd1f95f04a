import { corrupt } from '../../errors.ts'
import { Tokenizer } from './tokenizer.ts'
import { WordPiece } from './word-piece.ts'

/** As the package `@siltstone/embedder-english` ships them; its README is the specification. */
export interface StaticModelFiles {
  /** UTF-8, one token a line. */
  vocabulary: Uint8Array
  /** tokens × dimension signed bytes, row-major. */
  vectors: Uint8Array
  /** One little-endian float32 per token: its vector is its row × this. */
  scales: Uint8Array
}

/**
 * A static embedding model: the mean of the tokens' vectors, scaled to unit length. The idea follows Model2Vec and
 * Tokenlearn (Tulkens and van Dongen, 2024). Sums are kept in float64, so the order of tokens does not affect the result.
 */
export class StaticModel {
  readonly dimension: number
  readonly tokenizer: Tokenizer
  readonly #vectors: Int8Array
  readonly #scales: Float32Array
  readonly #sum: Float64Array

  /** @throws SiltstoneError `corrupt` (embedder-vocabulary, embedder-files) when the files do not fit together */
  constructor(files: StaticModelFiles, dimension: number) {
    const wordPiece = new WordPiece(new TextDecoder().decode(files.vocabulary))
    expectSize('scales', files.scales, wordPiece.size * 4)
    expectSize('vectors', files.vectors, wordPiece.size * dimension)
    this.dimension = dimension
    this.tokenizer = new Tokenizer(wordPiece)
    this.#vectors = new Int8Array(files.vectors.buffer, files.vectors.byteOffset, files.vectors.byteLength)
    this.#scales = readFloats(files.scales)
    this.#sum = new Float64Array(dimension)
  }

  /**
   * Writes the text's vector, of unit length, or zero when the text has no token.
   * @param out `dimension` numbers
   * @returns how many tokens counted
   */
  embed(text: string, out: Float32Array): number {
    const count = this.tokenizer.encode(text)
    const sum = this.#sum
    sum.fill(0)
    this.#addRows(count)
    let squares = 0
    for (let i = 0; i < sum.length; i++) squares += (sum[i] as number) * (sum[i] as number)
    const factor = squares === 0 ? 0 : 1 / Math.sqrt(squares)
    for (let i = 0; i < sum.length; i++) out[i] = (sum[i] as number) * factor
    return count
  }

  /** Adds the rows of the first `count` tokens to the sum, four at a time, which saves three of four loads and stores. */
  #addRows(count: number): void {
    const { ids } = this.tokenizer
    const sum = this.#sum
    const rows = this.#vectors
    const scales = this.#scales
    const dimension = sum.length
    let t = 0
    for (; t + 3 < count; t += 4) {
      const a = ids[t] as number
      const b = ids[t + 1] as number
      const c = ids[t + 2] as number
      const d = ids[t + 3] as number
      const scaleA = scales[a] as number
      const scaleB = scales[b] as number
      const scaleC = scales[c] as number
      const scaleD = scales[d] as number
      const rowA = a * dimension
      const rowB = b * dimension
      const rowC = c * dimension
      const rowD = d * dimension
      for (let i = 0; i < dimension; i++) {
        sum[i] =
          (sum[i] as number) +
          (rows[rowA + i] as number) * scaleA +
          (rows[rowB + i] as number) * scaleB +
          (rows[rowC + i] as number) * scaleC +
          (rows[rowD + i] as number) * scaleD
      }
    }
    for (; t < count; t++) {
      const id = ids[t] as number
      const scale = scales[id] as number
      const row = id * dimension
      for (let i = 0; i < dimension; i++) sum[i] = (sum[i] as number) + (rows[row + i] as number) * scale
    }
  }
}

function expectSize(file: string, bytes: Uint8Array, expected: number): void {
  if (bytes.byteLength === expected) return
  throw corrupt(
    'embedder-files',
    `The embedder's ${file} have ${bytes.byteLength} bytes where ${expected} were expected: install the package again.`,
  )
}

function readFloats(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float32Array.from({ length: bytes.byteLength / 4 }, (_, i) => view.getFloat32(i * 4, true))
}
