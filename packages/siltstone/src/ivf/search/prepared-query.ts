/** A query as the index compares it: normalised for cosine, padded, rotated, and quantised once for all clusters. */
import type { IndexedSpace, IvfDirectory } from '../directory.ts'
import { rotationSigns } from '../rotation.ts'
import type { Workspace } from './workspace.ts'

export interface PreparedQuery {
  space: IndexedSpace
  /** Padded to a multiple of 64. */
  dimension: number
  /** Squared length after normalisation. */
  square: number
  /** i16: the rotated query times `factor`. */
  words: Int16Array
  factor: number
  /** Bits of the codes that it is compared with. */
  codeLength: number
  /** For `scanCodes`: u8[codeLength / 4 × 16]. */
  table: Uint8Array
  tableScale: number
  tableOffset: number
  /** Standard deviation of what the rounding of the table adds to ⟨q, x̄⟩. */
  tableError: number
}

const signsOf = new Map<string, Uint8Array>()

export function prepareQuery(
  workspace: Workspace,
  vector: Float32Array,
  { space, dimension, bits, seed }: Pick<IvfDirectory, 'space' | 'dimension' | 'bits' | 'seed'>,
): PreparedQuery {
  const { kernels } = workspace
  const codeLength = dimension * bits
  const query = workspace.scratch('query', dimension * 8)
  const signs = workspace.scratch('signs', (dimension / 8) * 3)
  const words = workspace.scratch('words', dimension * 2)
  const table = workspace.scratch('table', codeLength * 4)
  const params = workspace.scratch('params', 8)
  const { buffer } = kernels.memory
  const floats = new Float32Array(buffer, query, dimension)
  floats.fill(0)
  floats.set(vector)
  let square = squareOf(floats)
  if (space === 'cosine' && square > 0) {
    const factor = 1 / Math.sqrt(square)
    for (let i = 0; i < dimension; i++) floats[i] = (floats[i] as number) * factor
    square = 1
  }
  new Uint8Array(buffer, signs, (dimension / 8) * 3).set(signsFor(seed, dimension))
  kernels.rotate(query, 1, dimension, signs, query + dimension * 4)
  const factor = wordFactor(floats, dimension)
  kernels.quantizeI16(query, dimension, factor, words)
  // The second bit of a dimension has half the weight of the first (`encode2`).
  if (bits === 2) new Float32Array(buffer, query + dimension * 4, dimension).set(floats.map((x) => x / 2))
  kernels.buildTable(query, codeLength, table, params)
  const [tableScale, tableOffset] = new Float32Array(buffer, params, 2) as unknown as [number, number]
  return {
    space,
    dimension,
    square,
    words: new Int16Array(buffer, words, dimension).slice(),
    factor,
    codeLength,
    table: new Uint8Array(buffer, table, codeLength * 4).slice(),
    tableScale,
    tableOffset,
    // Each of the numbers that are added up is rounded to a whole number.
    tableError: tableScale * Math.sqrt(codeLength / 4 / 12),
  }
}

function squareOf(values: Float32Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) ** 2
  return sum
}

/** The largest factor with which a sum of `dimension` products of an i16 and an i8 fits into 32 bits. */
export function wordFactor(rotated: Float32Array, dimension: number): number {
  let largest = 0
  for (let i = 0; i < rotated.length; i++) largest = Math.max(largest, Math.abs(rotated[i] as number))
  if (largest === 0) return 1
  return Math.min(32_767, Math.floor(2 ** 31 / (128 * dimension)) - 1) / largest
}

function signsFor(seed: number, dimension: number): Uint8Array {
  const name = `${seed}/${dimension}`
  let signs = signsOf.get(name)
  if (!signs) {
    signs = rotationSigns(seed, dimension)
    signsOf.set(name, signs)
  }
  return signs
}
