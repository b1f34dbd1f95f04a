/**
 * Trains clusters by k-means in two levels (as in SPANN, Chen et al., NeurIPS 2021): about √k groups over a part of the
 * sample, then within each group its share of the k clusters. Afterwards a few rounds move all centroids together, so that
 * the borders of the groups have no effect. In the first of these rounds, too large clusters are split and nearly empty
 * ones dropped, so that all lists cost about the same to read.
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
  const { points: sample, members } = all
  let groups =
    clusters <= FLAT_CLUSTERS
      ? oneGroup(await lloyd(work, all, clusters, FLAT_ROUNDS, random), sample.dimension)
      : await twoLevels(work, all, clusters, random)
  const meanSize = members.length / clusters
  groups = await refine(work, all, groups, (group) => rebalance(work, sample, group, meanSize, random))
  for (let round = 1; round < JOINT_ROUNDS; round++) groups = await refine(work, all, groups)
  return inOrder(groups, sample.dimension)
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

/** Moves each centroid to the mean of the points nearest to it. @param change returns the new centroids of a group */
async function refine(
  work: Work,
  all: Subset,
  groups: Groups,
  change: (group: Group) => Promise<Float32Array> = async ({ floats }) => floats,
): Promise<Groups> {
  const { dimension } = all.points
  const clustering = new Clustering(work, groups, dimension)
  const sums = new Sums(work, clustering.centroids.count, dimension)
  try {
    const nearest = await assignAll(work, all, clustering)
    sums.addAll(all, nearest)
    const means = sums.means(clustering.centroids.values())
    const members = byCluster(nearest, all.members, clustering.centroids.count)
    const parts: Float32Array[] = []
    for (let g = 0; g + 1 < groups.starts.length; g++) {
      const [start, end] = [groups.starts[g] as number, groups.starts[g + 1] as number]
      const floats = means.slice(start * dimension, end * dimension)
      parts.push(await change({ members: members.slice(start, end), floats }))
    }
    return joined(parts, dimension)
  } finally {
    clustering.free()
    sums.free()
  }
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
