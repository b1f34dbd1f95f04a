/** Vectors as the index stores them: normalised for cosine, padded, rotated. */
import type { IndexedSpace } from '../directory.ts'
import { paddedDimension, rotationSigns } from '../rotation.ts'
import type { Work } from './work.ts'

/** The same for all segments, so that a query is rotated once. */
export const ROTATION_SEED = 1

export class Rotator {
  /** Padded to a multiple of 64. */
  readonly dimension: number
  readonly #work: Work
  readonly #space: IndexedSpace

  constructor(work: Work, dimension: number, space: IndexedSpace) {
    this.dimension = paddedDimension(dimension)
    this.#work = work
    this.#space = space
    const signs = rotationSigns(ROTATION_SEED, this.dimension)
    new Uint8Array(work.kernels.memory.buffer, work.room('signs', signs.length), signs.length).set(signs)
  }

  /** @returns pointer to f32[vectors × padded dimension], valid until the next call */
  rotate(vectors: readonly Float32Array[]): number {
    const { dimension } = this
    const { kernels } = this.#work
    const signs = this.#work.room('signs', (3 * dimension) / 8)
    const scratch = this.#work.room('rotation', dimension * 4)
    const pointer = this.#work.room('rotated', Math.max(1, vectors.length) * dimension * 4)
    const floats = new Float32Array(kernels.memory.buffer, pointer, vectors.length * dimension)
    floats.fill(0)
    vectors.forEach((vector, i) => {
      floats.set(vector, i * dimension)
      if (this.#space === 'cosine') normalise(floats, i * dimension, vector.length)
    })
    kernels.rotate(pointer, vectors.length, dimension, signs, scratch)
    return pointer
  }
}

function normalise(floats: Float32Array, start: number, length: number): void {
  let square = 0
  for (let d = start; d < start + length; d++) square += (floats[d] as number) ** 2
  if (square === 0) return
  const factor = 1 / Math.sqrt(square)
  for (let d = start; d < start + length; d++) floats[d] = (floats[d] as number) * factor
}
