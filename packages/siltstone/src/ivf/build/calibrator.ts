/**
 * Measures, while the rows of a segment stream by, how far queries must look in its inverted file.
 *
 * For each pseudo-query the nearest rows are found by comparing it with every row (every m-th of many). When all rows have
 * their clusters, the rank of a neighbour is the place of the nearer of its two clusters in the order in which a search
 * visits them. Divided by √N (`../flatness.ts`) the ranks of queries are comparable, and the θ that finds a share t of the
 * neighbours is the t-quantile of these numbers: no parameter is searched for.
 *
 * θ is the largest of three: of rows, of rows and shifted rows, of middles. So queries that are unlike the rows are found
 * for as well, at a price where they are not.
 */
import { Nearest } from '../../kernels/nearest.ts'
import type { Calibration } from '../calibration.ts'
import { UNCALIBRATED } from '../calibration.ts'
import type { IndexedSpace } from '../directory.ts'
import { nearLimit } from '../flatness.ts'
import { MISSED_BY_CLUSTERS, RECALL_LEVELS } from '../recall-levels.ts'
import { wordFactor } from '../search/prepared-query.ts'
import type { Clustering } from './clustering.ts'
import type { Points } from './points.ts'
import type { PseudoKind, PseudoQueries } from './pseudo-queries.ts'
import type { Work } from './work.ts'

const NEIGHBOURS = [1, 10, 100, 1_000]
/** No more neighbours than this share of the compared rows. */
const MOST_SHARE = 1 / 8
/** Rows compared at a time: so few that rows, queries and products stay in the processor's cache. */
const STEP = 128
/** Multiplications that comparing may take; beyond it, some rows are left out. */
const MOST_MULTIPLICATIONS = 25e9
const SETS: readonly (readonly PseudoKind[])[] = [['row'], ['row', 'shifted'], ['between']]
/** Share of the queries whose N is usual. */
const USUAL = 0.99
const LEAST_THETA = 0.05
const MOST_THETA = 1e6

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
  readonly #nearest: readonly Nearest[]
  readonly #bounds: Float64Array

  /** @param rows that will stream by */
  constructor(work: Work, clustering: Clustering, space: IndexedSpace, queries: PseudoQueries, rows: number) {
    const { count, dimension } = queries.points
    this.#work = work
    this.#clustering = clustering
    this.#space = space
    this.#queries = queries
    this.#querySquares = queries.points.squares()
    this.#rows = rows
    this.#stride = Math.max(1, Math.ceil((rows * count * dimension) / MOST_MULTIPLICATIONS))
    const compared = Math.ceil(rows / this.#stride)
    this.#neighbours = NEIGHBOURS.filter((k) => k === 1 || k <= compared * MOST_SHARE)
    const most = this.#neighbours.at(-1) as number
    // One more, since a row is its own neighbour.
    this.#nearest = queries.kinds.map(() => new Nearest(most + 1))
    this.#bounds = new Float64Array(count).fill(Number.POSITIVE_INFINITY)
  }

  /** Compares the next rows. @param first arrival of the first one @param squares their squared lengths */
  async observe(batch: Points, first: number, squares: Float32Array): Promise<void> {
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
        const nearest = this.#nearest[query] as Nearest
        let bound = this.#bounds[query] as number
        const own = query * size
        const found = kernels.selectBelow(dots + 4 * own, scales, offsets, size, factor, bound, below)
        for (let at = 0; at < found; at++) {
          const i = places[at] as number
          const distance = (lengths[i] as number) - factor * (rowScales[i] as number) * (sums[own + i] as number)
          // The bound falls with each row that enters.
          if (!(distance < bound)) continue
          nearest.offer(distance, first + (members[start + i] as number))
          bound = nearest.bound
        }
        this.#bounds[query] = bound
      }
      await this.#work.spent(size * points.count * dimension)
    }
  }

  /**
   * Call after the last row.
   * @param firsts, seconds the clusters of each arrival; a second one beyond the last cluster is none
   * @param reach see `../flatness.ts`
   */
  async finish(firsts: Uint32Array, seconds: Uint32Array, reach: number): Promise<Calibration> {
    const { kinds, points } = this.#queries
    /** By number of neighbours, by kind. */
    const found = this.#neighbours.map(() => new Map<PseudoKind, number[]>())
    const nears: number[] = []
    for (const [query, kind] of kinds.entries()) {
      const { ranks, near } = this.#ranks(query, firsts, seconds, reach)
      nears.push(near)
      this.#neighbours.forEach((k, i) => {
        const some = found[i]?.get(kind) ?? []
        some.push(...ranks.slice(0, k))
        found[i]?.set(kind, some)
      })
      await this.#work.spent(points.dimension * this.#clustering.centroids.count)
    }
    const curves = found.map((byKind) => thetas(byKind))
    if (curves.some((curve) => curve === undefined)) return UNCALIBRATED
    return {
      recalls: RECALL_LEVELS.map(({ recall }) => recall),
      // A neighbour among every m-th row is, on average, the neighbour of an m times higher rank among all.
      neighbours: this.#neighbours.map((k) => (k + 1) * this.#stride - 1),
      usualNear: quantile(Float64Array.from(nears).sort(), USUAL),
      theta: grown(RECALL_LEVELS.map((_, level) => curves.map((curve) => curve?.[level] as number))),
    }
  }

  /** N of a query, and (rank + 1) ÷ √N for each of its neighbours, nearest first. */
  #ranks(query: number, firsts: Uint32Array, seconds: Uint32Array, reach: number) {
    const bases = this.#bases(query)
    const sorted = bases.slice().sort()
    const length = Math.sqrt(this.#querySquares[query] as number)
    const limit = nearLimit(this.#space, sorted[0] as number, reach, length)
    // Relative to a segment with as many clusters as its rows ask for.
    const near = Math.max(1, placeOf(sorted, limit, true))
    const finer = bases.length / (4 * Math.sqrt(this.#rows))
    const scale = Math.sqrt(near) * finer
    const all = (this.#nearest[query] as Nearest).sorted()
    if (this.#queries.kinds[query] === 'row') dropOne(all, this.#ownDistance(query))
    const ranks = all
      .map(({ tag }) => {
        const first = bases[firsts[tag] as number] as number
        const second = bases[seconds[tag] as number] ?? Number.POSITIVE_INFINITY
        return (placeOf(sorted, Math.min(first, second), false) + 1) / scale
      })
      .filter(Number.isFinite)
    return { ranks, near: near / finer }
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
    return Float64Array.from(sums, (sum, c) => {
      const dot = (sum / factor) * (centroids.scales[c] as number)
      return isIp ? 1 - dot : square + (squares[c] as number) - 2 * dot
    })
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

/** Drops the first that is this far away. Rows and queries are the same integers, so a row has exactly this distance to itself, but for rounding. */
function dropOne(all: { distance: number; tag: number }[], distance: number): void {
  const near = Math.abs(distance) * 1e-6
  const own = all.findIndex((one) => Math.abs(one.distance - distance) <= near)
  if (own >= 0) all.splice(own, 1)
}

/** θ for each level. @returns undefined if there is nothing to tell it from */
function thetas(byKind: ReadonlyMap<PseudoKind, number[]>): number[] | undefined {
  const sets = SETS.map((kinds) => joined(kinds.map((kind) => byKind.get(kind) ?? [])).sort())
  if (sets.every((set) => set.length === 0)) return undefined
  return RECALL_LEVELS.map(({ recall }) => {
    const share = 1 - MISSED_BY_CLUSTERS * (1 - recall)
    const most = Math.max(...sets.map((set) => quantile(set, share)))
    return Math.min(MOST_THETA, Math.max(LEAST_THETA, most))
  })
}

function joined(parts: readonly (readonly number[])[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** 0 of no numbers. @param sorted ascending */
function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
}

/** Each θ at least as large as that of a lower recall, and of fewer neighbours. */
function grown(theta: readonly (readonly number[])[]): number[][] {
  const rows: number[][] = []
  for (const row of theta) {
    const before = rows.at(-1)
    const next: number[] = []
    row.forEach((value, i) => next.push(Math.fround(Math.max(value, next[i - 1] ?? 0, before?.[i] ?? 0))))
    rows.push(next)
  }
  return rows
}
