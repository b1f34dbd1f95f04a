/** Codes and factors of rows in order of arrival, each relative to the centroid of one cluster. */
import { type CodeBits, PACK, type IndexedSpace } from '../directory.ts'
import type { Work } from './work.ts'

/** From this many dimensions on, estimates from one bit are so good that a second would cost more than it saves. */
const ONE_BIT_DIMENSIONS = 192

/** @param dimension padded */
export function codeBitsFor(dimension: number): CodeBits {
  return dimension < ONE_BIT_DIMENSIONS ? 2 : 1
}

export class Codes {
  readonly dimension: number
  /** Per dimension. */
  readonly codeBits: CodeBits
  /** u8[rows × dimension × codeBits / 8] */
  readonly bits: Uint8Array
  readonly adds: Float32Array
  readonly scales: Float32Array
  /** Sum over `count` codes of |x̄|² − ⟨x̄, r⟩²/|r|², which is 1 − α² for codes of one bit. */
  squaredError = 0
  count = 0
  readonly #work: Work
  readonly #space: IndexedSpace

  constructor(work: Work, rows: number, dimension: number, space: IndexedSpace) {
    this.dimension = dimension
    this.codeBits = codeBitsFor(dimension)
    this.bits = new Uint8Array((rows * dimension * this.codeBits) / 8)
    this.adds = new Float32Array(rows)
    this.scales = new Float32Array(rows)
    this.#work = work
    this.#space = space
  }

  /** @param vector, centroid f32[dimension] in the kernels' memory, which only the first call may grow */
  encode(row: number, vector: number, centroid: number): void {
    const { dimension, codeBits } = this
    const { kernels } = this.#work
    const size = (dimension * codeBits) / 8
    const code = this.#work.room('code', size)
    const factors = this.#work.room('factors', 20)
    if (codeBits === 2) kernels.encode2(vector, centroid, dimension, code, factors)
    else kernels.encode(vector, centroid, dimension, code, factors)
    const { buffer } = kernels.memory
    this.bits.set(new Uint8Array(buffer, code, size), row * size)
    const [norm, alpha, along, residual, error] = new Float32Array(buffer, factors, 5) as unknown as [
      number,
      number,
      number,
      number,
      number,
    ]
    // docs/decisions/0005 has the table.
    const slope = norm / alpha
    if (this.#space === 'ip') {
      this.adds[row] = -residual + slope * along
      this.scales[row] = -slope
    } else {
      this.adds[row] = norm * norm + 2 * slope * along
      this.scales[row] = -2 * slope
    }
    if (!Number.isFinite(this.adds[row]) || !Number.isFinite(this.scales[row])) {
      // No estimate holds for factors this large: the row is a candidate of each query that scans it.
      this.adds[row] = Number.NEGATIVE_INFINITY
      this.scales[row] = 0
    }
    this.squaredError += Math.max(0, codeBits === 2 ? error : 1 - alpha * alpha) || 0
    this.count++
  }

  /** Writes the code and the factors of a row to entry `entry` of a list. */
  place(row: number, packs: Uint8Array, factors: Float32Array, entry: number): void {
    const size = (this.dimension * this.codeBits) / 8
    const pack = Math.floor(entry / PACK) * (size + 8) * PACK
    const lane = entry % PACK
    for (let j = 0; j < size; j++) packs[pack + j * PACK + lane] = this.bits[row * size + j] as number
    const at = (pack + size * PACK) / 4 + lane
    factors[at] = this.adds[row] as number
    factors[at + PACK] = this.scales[row] as number
  }
}
