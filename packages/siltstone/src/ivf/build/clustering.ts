/** Centroids in groups: a row is compared with the centroids of the few groups nearest to it, instead of with all. */
import { Points } from './points.ts'
import type { Work } from './work.ts'

/** The result of training. The centroids of group g are `starts[g]` to before `starts[g + 1]`. */
export interface Groups {
  /** f32[clusters × dimension] */
  floats: Float32Array
  starts: Uint32Array
}

/** Points that rows are compared with, and what a comparison needs of them in the kernels' memory. */
export class Targets {
  readonly points: Points
  /** Squared lengths. */
  readonly squares: Float32Array
  /** Pointers to f32[count]. */
  readonly scalesAt: number
  readonly squaresAt: number
  readonly #work: Work

  constructor(work: Work, points: Points) {
    const { count } = points
    this.#work = work
    this.points = points
    this.squares = points.squares()
    const { memory } = work.kernels
    this.scalesAt = memory.allocate(8 * Math.max(1, count))
    this.squaresAt = this.scalesAt + 4 * count
    new Float32Array(memory.buffer, this.scalesAt, count).set(points.scales.subarray(0, count))
    new Float32Array(memory.buffer, this.squaresAt, count).set(this.squares)
  }

  free(): void {
    this.points.free()
    this.#work.kernels.memory.free(this.scalesAt)
  }
}

/** Groups in the kernels' memory, ready to be compared with. */
export class Clustering {
  readonly centroids: Points
  readonly starts: Uint32Array
  /** Squared lengths of the centroids. */
  readonly squares: Float32Array
  readonly centroidTargets: Targets
  /** The groups' means. */
  readonly groupTargets: Targets

  constructor(work: Work, { floats, starts }: Groups, dimension: number) {
    const clusters = floats.length / dimension
    this.starts = starts
    this.centroids = new Points(work, clusters, dimension)
    this.centroids.set(floats)
    this.centroidTargets = new Targets(work, this.centroids)
    this.squares = this.centroidTargets.squares
    const means = new Points(work, starts.length - 1, dimension)
    means.set(groupMeans(floats, starts, dimension))
    this.groupTargets = new Targets(work, means)
  }

  free(): void {
    this.centroidTargets.free()
    this.groupTargets.free()
  }
}

export function groupMeans(floats: Float32Array, starts: Uint32Array, dimension: number): Float32Array {
  const means = new Float32Array((starts.length - 1) * dimension)
  for (let g = 0; g + 1 < starts.length; g++) {
    const [start, end] = [starts[g] as number, starts[g + 1] as number]
    for (let c = start; c < end; c++)
      for (let d = 0; d < dimension; d++) {
        const at = g * dimension + d
        means[at] = (means[at] as number) + (floats[c * dimension + d] as number) / (end - start)
      }
  }
  return means
}
