/**
 * Measures, while the rows of a segment stream by, how far queries must look in its inverted file.
 *
 * For each pseudo-query the nearest rows are found by comparing it with every row (every m-th of many). When all rows have
 * their clusters, a query needs the places of its neighbours' clusters in the order in which a search visits them;
 * `fit-calibration.ts` makes the calibration of that.
 */
import { SmallestOfMany } from '../../kernels/smallest.ts'
import { type Calibration, NO_FACTORS, UNCALIBRATED } from '../calibration.ts'
import { DENSITY, type IndexedSpace } from '../directory.ts'
import { FLATNESSES } from '../flatness.ts'
import { nearLimit } from '../near-limit.ts'
import { wordFactor } from '../search/prepared-query.ts'
import type { Clustering } from './clustering.ts'
import { FilterNeeds } from './filter-needs.ts'
import { fitCalibration, type Needed, placeOf as placeOfShare } from './fit-calibration.ts'
import { nearestFirst, withoutOne } from './kept.ts'
import type { Points } from './points.ts'
import type { PseudoKind, PseudoQueries } from './pseudo-queries.ts'
import type { Work } from './work.ts'

const NEIGHBOURS = [1, 10, 100, 1_000]
/** No more neighbours than this share of the compared rows. */
const MOST_SHARE = 1 / 8
/** Rows compared at a time: so few that rows, queries and products stay in the processor's cache. */
const STEP = 128
/** What comparing may take; beyond it, some rows are left out. */
const MOST_COMPARISONS = 80e6
const MOST_MULTIPLICATIONS = 25e9
/** This share of the rows that queries are made from lies apart from the others. */
const APART = 0.25

export class Calibrator {
  readonly #work: Work
  readonly #clustering: Clustering
  readonly #space: IndexedSpace
  readonly #queries: PseudoQueries
  readonly #querySquares: Float32Array
  readonly #rows: number
  /** Every how manyth row is compared. */
  readonly #stride: number
  readonly #neighbours: readonly number[]
  readonly #nearest: readonly SmallestOfMany[]
  readonly #filters: FilterNeeds

  /** @param rows that will stream by @param sample of them */
  constructor(
    work: Work,
    clustering: Clustering,
    space: IndexedSpace,
    queries: PseudoQueries,
    { rows, sample }: { rows: number; sample: Points },
  ) {
    const { count, dimension } = queries.points
    this.#work = work
    this.#clustering = clustering
    this.#space = space
    this.#queries = queries
    this.#querySquares = queries.points.squares()
    this.#rows = rows
    const comparisons = rows * count
    const share = Math.max(comparisons / MOST_COMPARISONS, (comparisons * dimension) / MOST_MULTIPLICATIONS)
    this.#stride = Math.max(1, Math.ceil(share))
    const compared = Math.ceil(rows / this.#stride)
    this.#neighbours = NEIGHBOURS.filter((k) => k === 1 || k <= compared * MOST_SHARE)
    const most = this.#neighbours.at(-1) as number
    // One more, since a row is its own neighbour.
    this.#nearest = queries.kinds.map(() => new SmallestOfMany(most + 1))
    const clusters = clustering.centroids.count
    this.#filters = new FilterNeeds(work, queries, sample, { rows, stride: this.#stride, clusters })
  }

  /** Compares the next rows. @param first arrival of the first one @param squares their squared lengths @param clusters the first of each */
  async observe(batch: Points, first: number, squares: Float32Array, clusters: Uint32Array): Promise<void> {
    const members: number[] = []
    for (let i = 0; i < batch.count; i++) if ((first + i) % this.#stride === 0) members.push(i)
    const { points } = this.#queries
    const { dimension } = batch
    const { kernels } = this.#work
    const rows = this.#work.room('calibrate-rows', STEP * dimension)
    const dots = this.#work.room('calibrate-dots', STEP * points.count * 4)
    const scales = this.#work.room('calibrate-scales', STEP * 4)
    const offsets = this.#work.room('calibrate-offsets', STEP * 4)
    const below = this.#work.room('calibrate-below', STEP * 4)
    const pointers = { dots, scales, offsets, below }
    for (let start = 0; start < members.length; start += STEP) {
      const size = Math.min(STEP, members.length - start)
      batch.gather(members, start, size, rows)
      kernels.dotI8Many(points.pointer, points.count, rows, size, dimension, dots)
      const { buffer } = kernels.memory
      const sums = new Int32Array(buffer, dots, points.count * size)
      const rowScales = new Float32Array(buffer, scales, size)
      const lengths = new Float32Array(buffer, offsets, size)
      const places = new Uint32Array(buffer, below, size)
      for (let i = 0; i < size; i++) {
        const member = members[start + i] as number
        rowScales[i] = batch.scales[member] as number
        lengths[i] = this.#space === 'ip' ? 0 : (squares[member] as number)
      }
      for (let query = 0; query < points.count; query++) {
        const factor = 2 * (points.scales[query] as number)
        const nearest = this.#nearest[query] as SmallestOfMany
        const own = query * size
        const found = kernels.selectBelow(dots + 4 * own, scales, offsets, size, factor, nearest.bound, below)
        for (let at = 0; at < found; at++) {
          const i = places[at] as number
          const distance = (lengths[i] as number) - factor * (rowScales[i] as number) * (sums[own + i] as number)
          // The bound may have fallen in the meantime.
          if (distance < nearest.bound) nearest.add(distance, first + (members[start + i] as number))
        }
      }
      const some = members.slice(start, start + size)
      this.#filters.observe({
        size,
        dots: sums,
        scales: rowScales,
        squares: Float32Array.from(some, (member) => squares[member] as number),
        offsets: lengths,
        tags: some.map((member) => first + member),
        clusters: some.map((member) => clusters[member] as number),
        pointers,
      })
      await this.#work.spent(size * points.count * dimension)
    }
  }

  /**
   * Call after the last row.
   * @param firsts, seconds the clusters of each arrival; a second one beyond the last cluster is none
   * @param reach see `../near-limit.ts`
   */
  async finish(firsts: Uint32Array, seconds: Uint32Array, reach: number): Promise<Calibration> {
    const { kinds, points } = this.#queries
    const needed: Needed[] = []
    const apart = this.#apart()
    for (const query of kinds.keys()) {
      needed.push({ ...this.#needed(query, firsts, seconds, reach), isApart: apart.has(query) })
      await this.#work.spent(points.dimension * this.#clustering.centroids.count)
    }
    const fitted = fitCalibration(needed, this.#neighbours, DENSITY * Math.sqrt(this.#rows))
    if (!fitted) return UNCALIBRATED
    // A neighbour among every m-th row is, on average, the neighbour of an m times higher rank among all.
    const neighbours = this.#neighbours.map((k) => (k + 1) * this.#stride - 1)
    const calibration = { ...fitted, neighbours, filters: NO_FACTORS }
    const filters = this.#filters.finish({
      calibration,
      finer: this.#clustering.centroids.count / (DENSITY * Math.sqrt(this.#rows)),
      firsts,
      seconds,
      clustersOf: (query) => ({
        bases: this.#bases(query),
        limit: (nearest, nearly) => nearLimit(this.#space, nearest, reach, this.#lengthOf(query), nearly),
      }),
      ownDistance: (query) => this.#ownDistance(query),
      apart,
    })
    return { ...calibration, filters }
  }

  #lengthOf(query: number): number {
    return Math.sqrt(this.#querySquares[query] as number)
  }

  /** The queries that are rows and lie farthest from their centroids. */
  #apart(): Set<number> {
    const { squares } = this.#clustering
    const isIp = this.#space === 'ip'
    const rows = Array.from(this.#queries.kinds.keys()).filter((query) => this.#queries.kinds[query] === 'row')
    const distances = rows.map((query) => {
      const square = this.#querySquares[query] as number
      return this.#bases(query).reduce((least, base, cluster) => {
        const distance = isIp ? square + (squares[cluster] as number) - 2 * (1 - base) : base
        return Math.min(least, distance)
      }, Number.POSITIVE_INFINITY)
    })
    const limit = Float64Array.from(distances).sort()[placeOfShare(distances.length, 1 - APART)] ?? 0
    return new Set(rows.filter((_, i) => (distances[i] as number) > limit))
  }

  #needed(query: number, firsts: Uint32Array, seconds: Uint32Array, reach: number): Omit<Needed, 'isApart'> {
    const bases = this.#bases(query)
    const sorted = bases.slice().sort()
    const length = this.#lengthOf(query)
    // Relative to a segment with as many clusters as its rows ask for.
    const finer = bases.length / (DENSITY * Math.sqrt(this.#rows))
    const near = FLATNESSES.map(({ nearly }) => {
      const limit = nearLimit(this.#space, sorted[0] as number, reach, length, nearly)
      return Math.max(1, placeOf(sorted, limit, true)) / finer
    })
    const kind = this.#queries.kinds[query] as PseudoKind
    const placeOfRow = (tag: number) => {
      const first = bases[firsts[tag] as number] as number
      const second = bases[seconds[tag] as number] ?? Number.POSITIVE_INFINITY
      return (placeOf(sorted, Math.min(first, second), false) + 1) / finer
    }
    const tags = nearestFirst(this.#neighboursOf(query), this.#neighbours, placeOfRow)
    return { kind, places: Array.from(tags, placeOfRow).filter(Number.isFinite), near }
  }

  /** Arrivals of the nearest rows, in no order, and their distances. */
  #neighboursOf(query: number): ReturnType<SmallestOfMany['kept']> {
    const kept = (this.#nearest[query] as SmallestOfMany).kept()
    return this.#queries.kinds[query] === 'row' ? withoutOne(kept, this.#ownDistance(query)) : kept
  }

  /** The distance, as `observe` computes it, of a row to itself. */
  #ownDistance(query: number): number {
    const square = this.#querySquares[query] as number
    return this.#space === 'ip' ? -2 * square : -square
  }

  /** g(c) of each cluster, as a search computes it. */
  #bases(query: number): Float64Array {
    const { points } = this.#queries
    const { dimension } = points
    const { centroids, squares } = this.#clustering
    const { kernels } = this.#work
    const scale = points.scales[query] as number
    const from = points.rows().subarray(query * dimension, (query + 1) * dimension)
    const floats = this.#work.room('calibrate-floats', dimension * 4)
    const words = this.#work.room('calibrate-words', dimension * 2)
    const dots = this.#work.room('calibrate-bases', centroids.count * 4)
    const values = new Float32Array(kernels.memory.buffer, floats, dimension)
    for (let d = 0; d < dimension; d++) values[d] = (from[d] as number) * scale
    const factor = wordFactor(values, dimension)
    kernels.quantizeI16(floats, dimension, factor, words)
    kernels.dotI8(words, centroids.pointer, centroids.count, dimension, dots)
    const sums = new Int32Array(kernels.memory.buffer, dots, centroids.count)
    const square = this.#querySquares[query] as number
    const isIp = this.#space === 'ip'
    const bases = new Float64Array(sums.length)
    for (let c = 0; c < bases.length; c++) {
      const dot = ((sums[c] as number) / factor) * (centroids.scales[c] as number)
      bases[c] = isIp ? 1 - dot : square + (squares[c] as number) - 2 * dot
    }
    return bases
  }
}

/** How many of the ascending numbers are less than `value`, or at most `value`. */
function placeOf(sorted: Float64Array, value: number, orEqual: boolean): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const one = sorted[middle] as number
    if (one < value || (orEqual && one === value)) low = middle + 1
    else high = middle
  }
  return low
}
