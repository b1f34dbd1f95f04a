import { corrupt } from '../../errors.ts'
import { meanOf } from './mean.ts'
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
 * Tokenlearn (Tulkens and van Dongen, 2024).
 */
export class StaticModel {
  readonly dimension: number
  readonly tokenizer: Tokenizer
  readonly #vectors: Int8Array
  readonly #scales: Float32Array
  readonly #sum: Float64Array

  /** @throws SiltstoneError `corrupt` (embedder-vocabulary, embedder-files) when the files do not fit together */
  constructor(files: StaticModelFiles, dimension: number) {
    const wordPiece = WordPiece.of(new TextDecoder().decode(files.vocabulary))
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
    meanOf({ rows: this.#vectors, scales: this.#scales, ids: this.tokenizer.ids, count }, this.#sum, out)
    return count
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
