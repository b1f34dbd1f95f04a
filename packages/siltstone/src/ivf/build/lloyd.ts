/** k-means (Lloyd, 1982) on some of a set of points. */
import type { Random } from '../../ports/random.ts'
import { Points, type Subset } from './points.ts'
import type { Work } from './work.ts'

const BATCH = 256

/**
 * Deterministic for equal inputs. The centroid of a cluster that became empty moves to a member of the largest cluster.
 * @returns f32[clusters × dimension]: `k` clusters, or one for each member if there are fewer members
 */
export async function lloyd(
  work: Work,
  subset: Subset,
  k: number,
  rounds: number,
  random: Random,
): Promise<Float32Array> {
  const { points, members } = subset
  const { dimension } = points
  const count = Math.min(k, members.length)
  let floats: Float32Array = new Float32Array(count * dimension)
  pick(members, count, random).forEach((member, i) => {
    floats.set(valueOf(points, member), i * dimension)
  })
  const centroids = new Points(work, count, dimension)
  const sums = new Sums(work, count, dimension)
  try {
    for (let round = 0; round < rounds; round++) {
      centroids.set(floats)
      const nearest = await nearestOf(work, subset, centroids)
      floats = means(subset, nearest, { centroids, sums }, random)
    }
  } finally {
    centroids.free()
    sums.free()
  }
  return floats
}

/** @returns for each member the number of its nearest centroid */
export async function nearestOf(work: Work, { points, members }: Subset, centroids: Points): Promise<Uint32Array> {
  const { dimension, scales } = points
  const { kernels } = work
  const { count } = centroids
  const squares = centroids.squares()
  const nearest = new Uint32Array(members.length)
  const rows = work.room('lloyd-rows', BATCH * dimension)
  const dots = work.room('lloyd-dots', BATCH * count * 4)
  for (let start = 0; start < members.length; start += BATCH) {
    const size = Math.min(BATCH, members.length - start)
    points.gather(members, start, size, rows)
    kernels.dotI8Many(rows, size, centroids.pointer, count, dimension, dots)
    const sums = new Int32Array(kernels.memory.buffer, dots, size * count)
    for (let i = 0; i < size; i++) {
      const twice = 2 * (scales[members[start + i] as number] as number)
      let best = 0
      let bestDistance = Number.POSITIVE_INFINITY
      for (let c = 0, at = i * count; c < count; c++, at++) {
        const distance = (squares[c] as number) - twice * (sums[at] as number) * (centroids.scales[c] as number)
        if (distance < bestDistance) {
          bestDistance = distance
          best = c
        }
      }
      nearest[start + i] = best
    }
    await work.spent(size * count * dimension)
  }
  return nearest
}

function means(
  subset: Subset,
  nearest: Uint32Array,
  { centroids, sums }: { centroids: Points; sums: Sums },
  random: Random,
): Float32Array {
  const { points, members } = subset
  const { dimension } = points
  const { count } = centroids
  sums.clear()
  sums.addAll(subset, nearest)
  let largest = 0
  for (let c = 1; c < count; c++) if ((sums.counts[c] as number) > (sums.counts[largest] as number)) largest = c
  const floats = sums.means(centroids.values())
  for (let c = 0; c < count; c++) {
    if (sums.counts[c] !== 0) continue
    const start = Math.floor(random.next() * members.length)
    for (let i = 0; i < members.length; i++) {
      const at = (start + i) % members.length
      if (nearest[at] !== largest) continue
      floats.set(valueOf(points, members[at] as number), c * dimension)
      break
    }
  }
  return floats
}

/** Sums of points by cluster, in the kernels' memory. */
export class Sums {
  readonly counts: Uint32Array
  readonly #work: Work
  readonly #dimension: number
  readonly #pointer: number

  constructor(work: Work, clusters: number, dimension: number) {
    this.counts = new Uint32Array(clusters)
    this.#work = work
    this.#dimension = dimension
    this.#pointer = work.kernels.memory.allocate(8 * clusters * dimension)
    this.clear()
  }

  clear(): void {
    this.counts.fill(0)
    this.#values().fill(0)
  }

  /** Valid until the memory grows. */
  #values(): Float64Array {
    return new Float64Array(this.#work.kernels.memory.buffer, this.#pointer, this.counts.length * this.#dimension)
  }

  /** @param clusters of each member */
  addAll({ points, members }: Subset, clusters: Uint32Array): void {
    const dimension = this.#dimension
    const { kernels } = this.#work
    for (let i = 0; i < members.length; i++) {
      const member = members[i] as number
      const cluster = clusters[i] as number
      this.counts[cluster] = (this.counts[cluster] as number) + 1
      const sums = this.#pointer + 8 * cluster * dimension
      kernels.addScaledI8(points.pointer + member * dimension, points.scales[member] as number, dimension, sums)
    }
  }

  /** @param otherwise means of clusters without points */
  means(otherwise: Float32Array): Float32Array {
    const dimension = this.#dimension
    const sums = this.#values()
    const means = new Float32Array(sums.length)
    this.counts.forEach((count, c) => {
      for (let d = c * dimension; d < (c + 1) * dimension; d++)
        means[d] = count === 0 ? (otherwise[d] as number) : (sums[d] as number) / count
    })
    return means
  }

  free(): void {
    this.#work.kernels.memory.free(this.#pointer)
  }
}

function valueOf(points: Points, member: number): Float32Array {
  const { dimension } = points
  const scale = points.scales[member] as number
  return Float32Array.from(
    points.rows().subarray(member * dimension, (member + 1) * dimension),
    (value) => value * scale,
  )
}

/** `count` different members: the first steps of a Fisher–Yates shuffle. */
function pick(members: Uint32Array, count: number, random: Random): Uint32Array {
  const shuffled = members.slice()
  for (let i = 0; i < count; i++) {
    const other = i + Math.floor(random.next() * (shuffled.length - i))
    const value = shuffled[i] as number
    shuffled[i] = shuffled[other] as number
    shuffled[other] = value
  }
  return shuffled.subarray(0, count)
}
