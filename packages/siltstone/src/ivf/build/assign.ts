/** Finds the nearest clusters of many rows at once: first the groups nearest to each row, then the centroids of these groups. */
import type { Clustering, Targets } from './clustering.ts'
import type { Subset } from './points.ts'
import { Shortlists } from './shortlists.ts'
import type { Work } from './work.ts'

export const BATCH = 1_024
/** Number of groups whose centroids are compared. With fewer, rows near a border between groups miss their nearest. */
const NEAR_GROUPS = 7
/** Rows compared at a time: so few that rows, centroids and products stay in the processor's cache. */
const STEP = 128

/** Targets `start` to before `end`. */
interface Range {
  targets: Targets
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
   * @returns a shortlist of at least one cluster for each member, valid until the next call
   */
  async nearest(subset: Subset): Promise<Shortlists> {
    const { centroidTargets, groupTargets, starts } = this.#clustering
    const { members } = subset
    const found = this.#found
    found.clear()
    const all = new Uint32Array(members.length)
    for (let i = 0; i < all.length; i++) all[i] = i
    const groups = groupTargets.points.count
    if (groups === 1) {
      await this.#compare(subset, all, { targets: centroidTargets, start: 0, end: centroidTargets.points.count }, found)
    } else {
      const near = this.#groups
      near.clear()
      await this.#compare(subset, all, { targets: groupTargets, start: 0, end: groups }, near)
      // The nearest group first: after it, few centroids of the others are near enough to enter a shortlist.
      for (const [from, to] of [
        [0, 1],
        [1, near.length],
      ] as const)
        for (const [group, places] of placesByGroup(near, { rows: members.length, from, to }, groups).entries()) {
          if (places.length === 0) continue
          const [start, end] = [starts[group] as number, starts[group + 1] as number]
          await this.#compare(subset, places, { targets: centroidTargets, start, end }, found)
        }
    }
    // A vector whose distances are no finite numbers is near to none: any cluster serves it as well.
    for (const place of all) if (found.counts[place] === 0) found.add(place, 0, Number.POSITIVE_INFINITY, 0)
    return found
  }

  /** Offers some targets to the shortlists of the members at some places of `subset.members`. */
  async #compare({ points, members }: Subset, places: Uint32Array, range: Range, found: Shortlists): Promise<void> {
    const { dimension } = points
    const { kernels } = this.#work
    const { targets, start, end } = range
    const count = end - start
    const rows = this.#work.room('assign-rows', STEP * dimension)
    const dots = this.#work.room('assign-dots', STEP * count * 4)
    const below = this.#work.room('assign-below', count * 4)
    const picked = new Uint32Array(places.length)
    for (let i = 0; i < picked.length; i++) picked[i] = members[places[i] as number] as number
    const pointers = { dots, below }
    for (let first = 0; first < places.length; first += STEP) {
      const size = Math.min(STEP, places.length - first)
      points.gather(picked, first, size, rows)
      kernels.dotI8Many(rows, size, targets.points.pointer + start * dimension, count, dimension, dots)
      this.#offer(places.subarray(first, first + size), picked.subarray(first), points.scales, range, pointers, found)
      await this.#work.spent(size * count * dimension)
    }
  }

  /** @param members of the rows at `places` @param scales of all members */
  #offer(
    places: Uint32Array,
    members: Uint32Array,
    scales: Float32Array,
    { targets, start, end }: Range,
    { dots, below }: { dots: number; below: number },
    found: Shortlists,
  ): void {
    const { kernels } = this.#work
    const count = end - start
    const [scalesAt, squaresAt] = [targets.scalesAt + 4 * start, targets.squaresAt + 4 * start]
    const { squares } = targets
    const targetScales = targets.points.scales
    const { buffer } = kernels.memory
    const sums = new Int32Array(buffer, dots, places.length * count)
    const chosen = new Uint32Array(buffer, below, count)
    for (let i = 0; i < places.length; i++) {
      const place = places[i] as number
      const scale = scales[members[i] as number] as number
      let bound = found.bound(place)
      const own = i * count
      const size = kernels.selectBelow(dots + 4 * own, scalesAt, squaresAt, count, 2 * scale, bound, below)
      for (let at = 0; at < size; at++) {
        const c = chosen[at] as number
        const dot = scale * (targetScales[start + c] as number) * (sums[own + c] as number)
        const distance = (squares[start + c] as number) - 2 * dot
        // The bound falls with each target that enters.
        if (!(distance < bound)) continue
        found.add(place, start + c, distance, dot)
        bound = found.bound(place)
      }
    }
  }
}

function placesByGroup(
  near: Shortlists,
  { rows, from, to }: { rows: number; from: number; to: number },
  groups: number,
): Uint32Array[] {
  const counts = new Uint32Array(groups)
  const each = (take: (row: number, group: number) => void) => {
    for (let row = 0; row < rows; row++) {
      const end = Math.min(to, near.counts[row] as number)
      for (let i = from; i < end; i++) take(row, near.clusters[row * near.length + i] as number)
    }
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
