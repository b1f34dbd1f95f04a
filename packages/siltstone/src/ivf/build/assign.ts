/** Finds the nearest clusters of many rows at once: first the groups nearest to each row, then the centroids of these groups. */
import type { Clustering } from './clustering.ts'
import type { Points, Subset } from './points.ts'
import { Shortlists } from './shortlists.ts'
import type { Work } from './work.ts'

export const BATCH = 1_024
/** Number of groups whose centroids are compared. With fewer, rows near a border between groups miss their nearest. */
const NEAR_GROUPS = 7
/** Rows compared at a time: so few that rows, centroids and products stay in the processor's cache. */
const STEP = 128

/** Centroids `start` to before `end`, and the squared lengths of all. */
interface CentroidRange {
  centroids: Points
  squares: Float32Array
  start: number
  end: number
}

export class Assigner {
  readonly #work: Work
  readonly #clustering: Clustering
  readonly #groups = new Shortlists(BATCH, NEAR_GROUPS)
  readonly #found: Shortlists

  /** @param length clusters in a shortlist */
  constructor(work: Work, clustering: Clustering, length: number) {
    this.#work = work
    this.#clustering = clustering
    this.#found = new Shortlists(BATCH, length)
  }

  /**
   * @param subset at most `BATCH` members
   * @returns a shortlist for each member, valid until the next call
   */
  async nearest(subset: Subset): Promise<Shortlists> {
    const { groups, groupSquares, starts, centroids, squares } = this.#clustering
    const { members } = subset
    const found = this.#found
    found.clear()
    const all = Uint32Array.from(members, (_, i) => i)
    if (groups.count === 1) {
      await this.#compare(subset, all, { centroids, squares, start: 0, end: centroids.count }, found)
      return found
    }
    const near = this.#groups
    near.clear()
    await this.#compare(subset, all, { centroids: groups, squares: groupSquares, start: 0, end: groups.count }, near)
    for (const [group, places] of placesByGroup(near, members.length, groups.count).entries()) {
      if (places.length === 0) continue
      const [start, end] = [starts[group] as number, starts[group + 1] as number]
      await this.#compare(subset, places, { centroids, squares, start, end }, found)
    }
    return found
  }

  /** Offers some centroids to the shortlists of the members at some places of `subset.members`. */
  async #compare(
    { points, members }: Subset,
    places: Uint32Array,
    { centroids, squares, start, end }: CentroidRange,
    found: Shortlists,
  ): Promise<void> {
    const { dimension } = points
    const { kernels } = this.#work
    const count = end - start
    const rows = this.#work.room('assign-rows', STEP * dimension)
    const dots = this.#work.room('assign-dots', STEP * count * 4)
    const picked = Uint32Array.from(places, (place) => members[place] as number)
    for (let first = 0; first < places.length; first += STEP) {
      const size = Math.min(STEP, places.length - first)
      points.gather(picked, first, size, rows)
      kernels.dotI8Many(rows, size, centroids.pointer + start * dimension, count, dimension, dots)
      const sums = new Int32Array(kernels.memory.buffer, dots, size * count)
      for (let i = 0; i < size; i++) {
        const place = places[first + i] as number
        const scale = points.scales[picked[first + i] as number] as number
        let bound = found.bound(place)
        for (let c = 0, at = i * count; c < count; c++, at++) {
          const dot = (sums[at] as number) * scale * (centroids.scales[start + c] as number)
          const distance = (squares[start + c] as number) - 2 * dot
          if (distance >= bound) continue
          found.add(place, start + c, distance, dot)
          bound = found.bound(place)
        }
      }
      await this.#work.spent(size * count * dimension)
    }
  }
}

function placesByGroup(near: Shortlists, rows: number, groups: number): Uint32Array[] {
  const counts = new Uint32Array(groups)
  const each = (take: (row: number, group: number) => void) => {
    for (let row = 0; row < rows; row++)
      for (let i = 0; i < (near.counts[row] as number); i++) take(row, near.clusters[row * near.length + i] as number)
  }
  each((_, group) => {
    counts[group] = (counts[group] as number) + 1
  })
  const lists = Array.from(counts, (count) => new Uint32Array(count))
  counts.fill(0)
  each((row, group) => {
    const list = lists[group] as Uint32Array
    list[counts[group] as number] = row
    counts[group] = (counts[group] as number) + 1
  })
  return lists
}
