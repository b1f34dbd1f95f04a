/**
 * Trains clusters by k-means in two levels (as in SPANN, Chen et al., NeurIPS 2021): about √k groups over a part of the
 * sample, then within each group its share of the k clusters. Afterwards a few rounds move all centroids together, so that
 * the borders of the groups have no effect. In the first of these rounds, too large clusters are split and nearly empty
 * ones dropped, so that all lists cost about the same to read.
 *
 * Where rows are there many times, most of the sample lies in a few places, and so would most clusters, which serves no query: copies cannot be
 * told apart, and all other rows would share the clusters that are left. So copies are taken out of the sample, and the rest is trained again.
 *
 * Deterministic: the same sample gives the same clusters.
 */
import { DENSITY } from '../directory.ts'
import type { Random } from '../../ports/random.ts'
import { seededRandom } from '../../ports/seeded-random.ts'
import { Assigner, BATCH } from './assign.ts'
import { Clustering, type Groups } from './clustering.ts'
import { lloyd, nearestOf, Sums } from './lloyd.ts'
import { inOrder } from './order.ts'
import { Points, type Subset } from './points.ts'
import type { Work } from './work.ts'

/** Up to this many clusters are trained as one group. */
const FLAT_CLUSTERS = 256
/** Points per group that the groups are trained on. */
const GROUP_SAMPLE = 256
const GROUP_ROUNDS = 6
const CLUSTER_ROUNDS = 4
const FLAT_ROUNDS = 6
/** Limits of a cluster's size, as multiples of the mean. */
const TOO_LARGE = 4
const TOO_SMALL = 1 / 50
const SPLIT_ROUNDS = 3
/** A cluster holds copies if its mean squared distance to the centroid is at most this share of that of all clusters. */
const COPIES_ERROR = 1 / 50
/** The training begins again if at least this share of the sample is copies. */
const MANY_COPIES = 0.1
/** Points per cluster, at least, when copies are left out. */
const LEAST_POINTS = 8
const JOINT_ROUNDS = 4

export function clustersFor(rows: number): number {
  return Math.max(1, Math.round(DENSITY * Math.sqrt(rows)))
}

/** A larger sample makes the training slower and the clusters no better. */
export function sampleFor(rows: number): number {
  return Math.min(rows, 40 * clustersFor(rows))
}

/** @param all at least one point @param clusters approximate number of clusters to make */
export async function train(work: Work, all: Subset, clusters: number): Promise<Groups> {
  const random = seededRandom(clusters)
  const { members, points } = all
  const meanSize = members.length / clusters
  const first = await assigned(work, all, await initial(work, all, clusters, random))
  const distinct = withoutCopies(all, first, meanSize)
  if (members.length - distinct.length < MANY_COPIES * members.length)
    return finished(work, all, first, meanSize, random)
  const some = { points, members: distinct }
  const fewer = Math.max(1, Math.min(clusters, Math.floor(distinct.length / LEAST_POINTS)))
  const again = await assigned(work, some, await initial(work, some, fewer, random))
  return finished(work, some, again, distinct.length / fewer, random)
}

function initial(work: Work, all: Subset, clusters: number, random: Random): Promise<Groups> {
  return clusters <= FLAT_CLUSTERS ? flat(work, all, clusters, random) : twoLevels(work, all, clusters, random)
}

async function flat(work: Work, all: Subset, clusters: number, random: Random): Promise<Groups> {
  return oneGroup(await lloyd(work, all, clusters, FLAT_ROUNDS, random), all.points.dimension)
}

async function finished(work: Work, all: Subset, first: Assigned, meanSize: number, random: Random): Promise<Groups> {
  const { points } = all
  let groups = await moved(first, points.dimension, (group) => rebalance(work, points, group, meanSize, random))
  for (let round = 1; round < JOINT_ROUNDS; round++)
    groups = await moved(await assigned(work, all, groups), points.dimension)
  return inOrder(groups, points.dimension)
}

/** The members, but of a large cluster of copies only as many as a cluster has on average. */
function withoutCopies({ points }: Subset, { members, means }: Assigned, meanSize: number): Uint32Array {
  const { dimension } = points
  const squares = points.squares()
  const errors = members.map((own, c) => {
    let sum = 0
    for (const member of own) sum += squares[member] as number
    for (let d = c * dimension; d < (c + 1) * dimension; d++) sum -= own.length * (means[d] as number) ** 2
    return Math.max(0, sum)
  })
  const all = members.reduce((sum, own) => sum + own.length, 0)
  const limit = (COPIES_ERROR * errors.reduce((sum, error) => sum + error, 0)) / all
  const kept: Uint32Array[] = members.map((own, c) => {
    const isCopies = own.length > meanSize && (errors[c] as number) <= limit * own.length
    if (!isCopies) return own
    const step = own.length / meanSize
    return Uint32Array.from({ length: Math.ceil(meanSize) }, (_, i) => own[Math.floor(i * step)] as number)
  })
  const distinct = new Uint32Array(kept.reduce((sum, own) => sum + own.length, 0))
  let end = 0
  for (const own of kept) {
    distinct.set(own, end)
    end += own.length
  }
  return distinct.sort()
}

function oneGroup(floats: Float32Array, dimension: number): Groups {
  return { floats, starts: Uint32Array.of(0, floats.length / dimension) }
}

async function twoLevels(work: Work, all: Subset, clusters: number, random: Random): Promise<Groups> {
  const { points: sample } = all
  const { dimension } = sample
  const groups = Math.round(Math.sqrt(clusters))
  const step = Math.max(1, Math.floor(all.members.length / (groups * GROUP_SAMPLE)))
  const means = new Points(work, groups, dimension)
  try {
    const part = { points: sample, members: all.members.filter((_, i) => i % step === 0) }
    means.set(await lloyd(work, part, groups, GROUP_ROUNDS, random))
    const members = byCluster(await nearestOf(work, all, means), all.members, means.count)
    const parts: Float32Array[] = []
    for (const group of members) {
      if (group.length === 0) continue
      const share = Math.max(1, Math.round((clusters * group.length) / all.members.length))
      parts.push(await lloyd(work, { points: sample, members: group }, share, CLUSTER_ROUNDS, random))
    }
    return joined(parts, dimension)
  } finally {
    means.free()
  }
}

/** One group of clusters: the members of each, and the centroids f32[clusters × dimension]. */
interface Group {
  members: Uint32Array[]
  floats: Float32Array
}

/** Points and the clusters that they are nearest to. */
interface Assigned {
  groups: Groups
  /** Of each cluster. */
  members: Uint32Array[]
  /** Of these, f32[clusters × dimension]; of a cluster without members, its centroid. */
  means: Float32Array
}

async function assigned(work: Work, all: Subset, groups: Groups): Promise<Assigned> {
  const { dimension } = all.points
  const clustering = new Clustering(work, groups, dimension)
  const sums = new Sums(work, clustering.centroids.count, dimension)
  try {
    const nearest = await assignAll(work, all, clustering)
    sums.addAll(all, nearest)
    const means = sums.means(clustering.centroids.values())
    return { groups, means, members: byCluster(nearest, all.members, clustering.centroids.count) }
  } finally {
    clustering.free()
    sums.free()
  }
}

/** Moves each centroid to the mean of the points nearest to it. @param change returns the new centroids of a group */
async function moved(
  { groups, members, means }: Assigned,
  dimension: number,
  change: (group: Group) => Promise<Float32Array> = async ({ floats }) => floats,
): Promise<Groups> {
  const parts: Float32Array[] = []
  for (let g = 0; g + 1 < groups.starts.length; g++) {
    const [start, end] = [groups.starts[g] as number, groups.starts[g + 1] as number]
    const floats = means.slice(start * dimension, end * dimension)
    parts.push(await change({ members: members.slice(start, end), floats }))
  }
  return joined(parts, dimension)
}

async function assignAll(work: Work, { points, members }: Subset, clustering: Clustering): Promise<Uint32Array> {
  const assigner = new Assigner(work, clustering, 1)
  const nearest = new Uint32Array(members.length)
  for (let start = 0; start < members.length; start += BATCH) {
    const batch = { points, members: members.subarray(start, start + BATCH) }
    nearest.set((await assigner.nearest(batch)).clusters.subarray(0, batch.members.length), start)
  }
  return nearest
}

/** The centroids of a group, without those of nearly empty clusters and with those of large clusters split. */
async function rebalance(
  work: Work,
  sample: Points,
  { members, floats }: Group,
  meanSize: number,
  random: Random,
): Promise<Float32Array> {
  const { dimension } = sample
  const parts: Float32Array[] = []
  for (const [c, own] of members.entries()) {
    if (own.length > TOO_LARGE * meanSize) {
      const subset = { points: sample, members: own }
      parts.push(await lloyd(work, subset, Math.ceil(own.length / meanSize), SPLIT_ROUNDS, random))
    } else if (own.length > TOO_SMALL * meanSize) parts.push(floats.slice(c * dimension, (c + 1) * dimension))
  }
  return parts.length === 0 ? floats.slice(0, dimension) : joined(parts, dimension).floats
}

/** @param parts centroids of each group */
function joined(parts: readonly Float32Array[], dimension: number): Groups {
  const starts = new Uint32Array(parts.length + 1)
  parts.forEach((part, g) => {
    starts[g + 1] = (starts[g] as number) + part.length / dimension
  })
  const floats = new Float32Array((starts[parts.length] as number) * dimension)
  parts.forEach((part, g) => floats.set(part, (starts[g] as number) * dimension))
  return { floats, starts }
}

function byCluster(nearest: Uint32Array, members: Uint32Array, clusters: number): Uint32Array[] {
  const counts = new Uint32Array(clusters)
  for (const cluster of nearest) counts[cluster] = (counts[cluster] as number) + 1
  const lists = Array.from(counts, (count) => new Uint32Array(count))
  counts.fill(0)
  nearest.forEach((cluster, i) => {
    const list = lists[cluster] as Uint32Array
    list[counts[cluster] as number] = members[i] as number
    counts[cluster] = (counts[cluster] as number) + 1
  })
  return lists
}
