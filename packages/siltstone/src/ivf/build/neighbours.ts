/** Inner products of each centroid with the centroids nearest to it, for SOAR. */
import { Nearest } from '../../kernels/nearest.ts'
import type { Clustering } from './clustering.ts'
import type { Work } from './work.ts'

const KEPT = 128
const BATCH = 64

export class Neighbours {
  readonly #kept: number
  /** For each centroid: the numbers of the nearest ones, ascending, and the inner products with them. */
  readonly #numbers: Uint32Array
  readonly #dots: Float64Array

  private constructor(clusters: number, kept: number) {
    this.#kept = kept
    this.#numbers = new Uint32Array(clusters * kept)
    this.#dots = new Float64Array(clusters * kept)
  }

  static async of(work: Work, { centroids, squares }: Clustering): Promise<Neighbours> {
    const { count, dimension, scales, pointer } = centroids
    const { kernels } = work
    const neighbours = new Neighbours(count, Math.min(KEPT, count))
    const dots = work.room('neighbour-dots', BATCH * count * 4)
    for (let first = 0; first < count; first += BATCH) {
      const size = Math.min(BATCH, count - first)
      kernels.dotI8Many(pointer + first * dimension, size, pointer, count, dimension, dots)
      const sums = new Int32Array(kernels.memory.buffer, dots, size * count)
      for (let i = 0; i < size; i++) {
        const scale = scales[first + i] as number
        const dot = (c: number) => (sums[i * count + c] as number) * scale * (scales[c] as number)
        const nearest = new Nearest(neighbours.#kept)
        for (let c = 0; c < count; c++) {
          const distance = (squares[c] as number) - 2 * dot(c)
          if (distance < nearest.bound) nearest.offer(distance, c)
        }
        const numbers = nearest.sorted().map(({ tag }) => tag)
        numbers.sort((a, b) => a - b)
        neighbours.#numbers.set(numbers, (first + i) * neighbours.#kept)
        neighbours.#dots.set(numbers.map(dot), (first + i) * neighbours.#kept)
      }
      await work.spent(size * count * dimension)
    }
    return neighbours
  }

  /** Inner product of two centroids; NaN if b is not among the nearest of a. */
  dot(a: number, b: number): number {
    let low = a * this.#kept
    let high = low + this.#kept
    while (low < high) {
      const middle = (low + high) >>> 1
      const number = this.#numbers[middle] as number
      if (number === b) return this.#dots[middle] as number
      if (number < b) low = middle + 1
      else high = middle
    }
    return Number.NaN
  }
}
