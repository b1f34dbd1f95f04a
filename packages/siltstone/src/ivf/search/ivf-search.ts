/**
 * Nearest-neighbour search through the inverted files of several segments. For each query:
 *
 * 1. `chooseClusters`: the clusters whose centroids are nearest, over all segments together;
 * 2. `scanLists`: an interval for the distance of each row in their lists, from its code (RaBitQ);
 * 3. `Survivors`: the rows whose interval leaves them a chance of being among the k nearest.
 *
 * The caller measures the survivors exactly: their vectors are not part of the index.
 */
import { Candidates } from './candidates.ts'
import { chooseClusters } from './choose-clusters.ts'
import { type ClusterLimits, clusterLimits, type Effort } from './effort.ts'
import type { IndexedSegment } from './indexed-segment.ts'
import { prepareQuery, type PreparedQuery } from './prepared-query.ts'
import type { Probe } from './probe.ts'
import { type ProbedList, scanLists } from './scan-lists.ts'
import type { SearchRecorder } from './search-recorder.ts'
import { indexScale, Survivors } from './survivors.ts'
import { workspace } from './workspace.ts'

export class IvfSearch {
  readonly #segments: readonly IndexedSegment[]
  readonly #k: number
  readonly #effort: Effort
  readonly #limits: ClusterLimits
  readonly #recorder: SearchRecorder

  /** @param segments at least one; the indexes of all are for the same space */
  constructor(segments: readonly IndexedSegment[], k: number, effort: Effort, recorder: SearchRecorder) {
    this.#segments = segments
    this.#k = k
    this.#effort = effort
    this.#recorder = recorder
    this.#limits = clusterLimits(effort, {
      clusters: segments.map(({ ivf }) => ivf.directory.clusters),
      rows: segments.reduce((sum, { rows }) => sum + rows.rows, 0),
      admitted: segments.reduce((sum, { count }) => sum + count, 0),
    })
  }

  /**
   * @param known rows of other segments and their exact distances: they bound what is worth looking for
   * @throws SiltstoneError `corrupt` (`list-damaged`, `object-truncated`)
   */
  async survivors(vector: Float32Array, known: readonly { tag: number; distance: number }[]): Promise<Survivors> {
    const { stats } = this.#recorder
    const queries = this.#prepare(vector)
    const { space } = queries[0] as PreparedQuery
    const candidates = new Candidates(this.#k)
    const scale = indexScale(space)
    for (const { tag, distance } of known) candidates.addKnown(tag, distance * scale)
    const probes = chooseClusters(this.#segments, queries, this.#limits)
    const probed = await this.#readLists(probes)
    stats.clusters += probes.length
    this.#recorder.endStage('lists')
    const distinct = new Set(queries)
    for (const query of distinct) {
      const own = distinct.size === 1 ? probed : probed.filter(({ probe }) => probe.query === query)
      stats.entries += scanLists(workspace(), query, own, this.#effort.deviations, candidates)
    }
    stats.candidates += candidates.size
    this.#recorder.endStage('estimate')
    const { rerank, lateWidening } = this.#effort
    return new Survivors(candidates.survivors(rerank), { k: this.#k, space, lateWidening })
  }

  /** The query for each segment; one object for all segments whose indexes have the same rotation. */
  #prepare(vector: Float32Array): PreparedQuery[] {
    const prepared = new Map<string, PreparedQuery>()
    return this.#segments.map(({ ivf: { directory } }) => {
      const rotation = `${directory.seed}/${directory.dimension}`
      let query = prepared.get(rotation)
      if (!query) {
        query = prepareQuery(workspace(), vector, directory)
        prepared.set(rotation, query)
      }
      return query
    })
  }

  /** The list of each probe, read when it is not in memory. */
  async #readLists(probes: readonly Probe[]): Promise<ProbedList[]> {
    const probed = new Array<ProbedList>(probes.length)
    /** By segment: the place in `probes` of each cluster to read. */
    const missing = new Map<IndexedSegment, Map<number, number>>()
    for (const [i, probe] of probes.entries()) {
      const { segment, cluster } = probe
      const list = segment.ivf.lists.cached(cluster)
      if (list) {
        probed[i] = { probe, list }
        continue
      }
      const places = missing.get(segment) ?? new Map<number, number>()
      missing.set(segment, places.set(cluster, i))
    }
    const reads = Array.from(missing, ([{ ivf }, places]) => {
      this.#recorder.stats.listsRead += places.size
      const clusters = [...places.keys()].sort((a, b) => a - b)
      return ivf.lists.read(clusters, (cluster, list) => {
        const i = places.get(cluster) as number
        probed[i] = { probe: probes[i] as Probe, list }
      })
    })
    await Promise.all(reads)
    return probed
  }
}
