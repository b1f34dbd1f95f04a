/**
 * Nearest-neighbour search through the inverted files of several segments. For each query:
 *
 * 1. `chooseClusters`: the clusters whose centroids are nearest, over all segments together, level by level;
 * 2. `Examination`: estimates of the distances of the rows in their lists, from their codes (RaBitQ), and which of these
 *    rows are worth measuring.
 *
 * The caller measures them exactly: their vectors are not part of the index.
 */
import { chooseClusters } from './choose-clusters.ts'
import type { CorrectionFactors, NeededEffort } from './correction.ts'
import { clusterNeed, type ClusterNeed, type Effort, summaryOf } from './effort.ts'
import { Examination } from './examination.ts'
import type { IndexedSpace } from '../directory.ts'
import type { IndexedSegment } from './indexed-segment.ts'
import { neededEffort } from './needed-effort.ts'
import { prepareQuery, type PreparedQuery } from './prepared-query.ts'
import type { Probe } from './probe.ts'
import type { ProbedList } from './scan-lists.ts'
import type { SearchRecorder } from './search-recorder.ts'
import { workspace } from './workspace.ts'

export class IvfSearch {
  readonly #segments: readonly IndexedSegment[]
  readonly #k: number
  readonly #effort: Effort
  readonly #need: ClusterNeed
  readonly #recorder: SearchRecorder

  /**
   * @param segments at least one; the indexes of all are for the same space
   * @param correction see `clusterNeed`
   */
  constructor(
    segments: readonly IndexedSegment[],
    k: number,
    effort: Effort,
    recorder: SearchRecorder,
    correction?: CorrectionFactors,
  ) {
    this.#segments = segments
    this.#k = k
    this.#effort = effort
    this.#recorder = recorder
    this.#need = clusterNeed(effort, k, segments.map(summaryOf), correction)
  }

  /**
   * Chooses the clusters and reads their lists.
   * @param known rows of other segments and their exact distances: they bound what is worth looking for
   * @param whileReading called with the clusters whose lists are read; what it reads costs no round of its own
   * @throws SiltstoneError `corrupt` (`list-damaged`, `object-truncated`)
   */
  async examine(
    vector: Float32Array,
    known: readonly { tag: number; distance: number }[],
    whileReading?: (probes: readonly Probe[]) => Promise<void>,
  ): Promise<Examination> {
    const { stats } = this.#recorder
    const { levels } = this.#effort
    const queries = this.#prepare(vector)
    const { space } = queries[0] as PreparedQuery
    const { probes, ends } = chooseClusters(this.#segments, queries, this.#effort.levels.length, this.#need)
    const [probed] = await Promise.all([this.#readLists(probes), whileReading?.(probes)])
    stats.clusters += probes.length
    this.#recorder.endStage('lists')
    return new Examination({ probed, ends, levels, k: this.#k, scale: indexScale(space), known, stats })
  }

  /** @param tags of the true neighbours of the query */
  neededEffort(vector: Float32Array, tags: readonly number[]): Promise<NeededEffort> {
    return neededEffort(this.#segments, this.#prepare(vector), tags)
  }

  /** The query for each segment; one object for all segments whose indexes have the same rotation and codes of the same length. */
  #prepare(vector: Float32Array): PreparedQuery[] {
    const prepared = new Map<string, PreparedQuery>()
    return this.#segments.map(({ ivf: { directory } }) => {
      const rotation = `${directory.seed}/${directory.dimension}/${directory.bits}`
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
    for (let i = 0; i < probes.length; i++) {
      const probe = probes[i] as Probe
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

/** The index's distance ÷ the space's: the index measures cosine as the squared distance of unit vectors. */
function indexScale(space: IndexedSpace): number {
  return space === 'cosine' ? 2 : 1
}
