/** Centroids in groups: a row is compared with the centroids of the few groups nearest to it, instead of with all. */
import { Points } from './points.ts'
import type { Work } from './work.ts'

/** The result of training. The centroids of group g are `starts[g]` to before `starts[g + 1]`. */
export interface Groups {
  /** f32[clusters × dimension] */
  floats: Float32Array
  starts: Uint32Array
}

/** Groups in the kernels' memory, ready to be compared with. */
export class Clustering {
  readonly centroids: Points
  readonly starts: Uint32Array
  readonly groups: Points
  /** Squared lengths of the centroids, and of the groups' means. */
  readonly squares: Float32Array
  readonly groupSquares: Float32Array

  constructor(work: Work, { floats, starts }: Groups, dimension: number) {
    const clusters = floats.length / dimension
    this.starts = starts
    this.centroids = new Points(work, clusters, dimension)
    this.centroids.set(floats)
    this.squares = this.centroids.squares()
    this.groups = new Points(work, starts.length - 1, dimension)
    this.groups.set(groupMeans(floats, starts, dimension))
    this.groupSquares = this.groups.squares()
  }

  free(): void {
    this.centroids.free()
    this.groups.free()
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
