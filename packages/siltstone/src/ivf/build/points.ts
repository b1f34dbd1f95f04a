/** Rows of int8 with one scale each, one after another in the kernels' memory: a sample to train on, or centroids. */
import type { Work } from './work.ts'

/** Some of the points, by their numbers. */
export interface Subset {
  points: Points
  members: Uint32Array
}

export class Points {
  readonly dimension: number
  readonly pointer: number
  readonly scales: Float32Array
  readonly #work: Work
  count = 0

  constructor(work: Work, capacity: number, dimension: number) {
    this.dimension = dimension
    this.scales = new Float32Array(capacity)
    this.#work = work
    this.pointer = work.kernels.memory.allocate(Math.max(1, capacity) * dimension)
  }

  get capacity(): number {
    return this.scales.length
  }

  /** @param pointer f32[count × dimension] in the kernels' memory */
  append(pointer: number, count: number): void {
    const { dimension } = this
    if (this.count + count > this.capacity) throw new RangeError(`more than ${this.capacity} points`)
    for (let i = 0; i < count; i++) {
      const to = this.pointer + this.count * dimension
      this.scales[this.count++] = this.#work.kernels.quantizeI8(pointer + i * dimension * 4, dimension, to)
    }
  }

  /** Replaces all by these f32[count × dimension]. */
  set(floats: Float32Array): void {
    const { dimension } = this
    const BATCH = 256 * dimension
    const room = this.#work.room('floats', BATCH * 4)
    this.count = 0
    for (let at = 0; at < floats.length; at += BATCH) {
      const part = floats.subarray(at, at + BATCH)
      new Float32Array(this.#work.kernels.memory.buffer, room, part.length).set(part)
      this.append(room, part.length / dimension)
    }
  }

  /** The int8 rows. Valid until the memory grows. */
  rows(): Int8Array {
    return new Int8Array(this.#work.kernels.memory.buffer, this.pointer, this.count * this.dimension)
  }

  /** What the rows stand for: f32[count × dimension]. */
  values(): Float32Array {
    const { dimension, scales } = this
    const rows = this.rows()
    const values = new Float32Array(rows.length)
    for (let i = 0; i < this.count; i++) {
      const scale = scales[i] as number
      for (let d = i * dimension; d < (i + 1) * dimension; d++) values[d] = (rows[d] as number) * scale
    }
    return values
  }

  squares(): Float32Array {
    const { dimension, scales } = this
    const rows = this.rows()
    const squares = new Float32Array(this.count)
    for (let i = 0; i < this.count; i++) {
      let sum = 0
      for (let d = i * dimension; d < (i + 1) * dimension; d++) sum += (rows[d] as number) ** 2
      squares[i] = sum * (scales[i] as number) ** 2
    }
    return squares
  }

  /** Copies some rows to another place of the memory, one after another. */
  gather(members: ArrayLike<number>, from: number, count: number, to: number): void {
    const { dimension, pointer } = this
    const bytes = new Uint8Array(this.#work.kernels.memory.buffer)
    for (let i = 0; i < count; i++) {
      const start = pointer + (members[from + i] as number) * dimension
      bytes.copyWithin(to + i * dimension, start, start + dimension)
    }
  }

  free(): void {
    this.#work.kernels.memory.free(this.pointer)
  }
}
