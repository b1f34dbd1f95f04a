/** The nearest clusters of each row of a batch, nearest first. */
export class Shortlists {
  readonly length: number
  /** `length` places for each row. */
  readonly clusters: Uint32Array
  /** Squared distance to the centroid minus the squared length of the row. */
  readonly distances: Float64Array
  /** Inner product with the centroid. */
  readonly dots: Float64Array
  readonly counts: Uint32Array

  constructor(rows: number, length: number) {
    this.length = length
    this.clusters = new Uint32Array(rows * length)
    this.distances = new Float64Array(rows * length)
    this.dots = new Float64Array(rows * length)
    this.counts = new Uint32Array(rows)
  }

  clear(): void {
    this.counts.fill(0)
  }

  /** Only a cluster that is nearer than this enters the shortlist. */
  bound(row: number): number {
    if ((this.counts[row] as number) < this.length) return Number.POSITIVE_INFINITY
    return this.distances[(row + 1) * this.length - 1] as number
  }

  /** @param distance smaller than `bound` */
  add(row: number, cluster: number, distance: number, dot: number): void {
    const { clusters, distances, dots, counts, length } = this
    const first = row * length
    const count = counts[row] as number
    let at = first + Math.min(count, length - 1)
    if (count < length) counts[row] = count + 1
    while (at > first && (distances[at - 1] as number) > distance) {
      clusters[at] = clusters[at - 1] as number
      distances[at] = distances[at - 1] as number
      dots[at] = dots[at - 1] as number
      at--
    }
    clusters[at] = cluster
    distances[at] = distance
    dots[at] = dot
  }
}
