/**
 * Measures, while the rows of a segment stream by, what queries with a filter need.
 *
 * A filter that admits a share s of the rows counts as k/s neighbours (`../need.ts`). That is about right for a filter by chance. One
 * that admits the rows near some row, or those beyond some plane, makes queries unlike those that the calibration was measured with:
 * most of them lie outside of what is admitted, and their nearest admitted rows on its border. How many times as many
 * clusters these need is measured here, with filters of each kind (`filters.ts`), apart for queries that lie far from what is admitted
 * (`../outside.ts`); the largest factor that a kind asks for counts.
 *
 * A query visits the clusters with admitted rows, nearest first, until their number n is at least w · need(n), which falls with the share
 * that is admitted in the first n. So it visits the place P of a neighbour if w > n / need(n) for all n < P, and the factor that finds a
 * share t of the neighbours is the t-quantile of the largest of these.
 */
import { Ascending } from '../../kernels/ascending.ts'
import { SmallestOfMany } from '../../kernels/smallest.ts'
import { type Calibration, type FilterFactors, NO_FACTORS } from '../calibration.ts'
import { Need } from '../need.ts'
import { type Compared, type FilterKind, TrialFilter } from './filters.ts'
import { placeOf, shareToFind, standardError } from './fit-calibration.ts'
import { nearestFirst, withoutOne } from './kept.ts'
import { deviationsOutside, USUALLY_FAR } from '../outside.ts'
import type { Points } from './points.ts'
import type { PseudoKind, PseudoQueries } from './pseudo-queries.ts'
import type { Work } from './work.ts'

/** Shares of the rows that are admitted, descending. */
const SHARES = [0.4, 0.1, 0.02]
/** Filters that admit fewer rows are left out: these are all measured. */
const LEAST_ROWS = 180
/** Each how manyth pseudo-query of a kind asks with a filter. */
const EVERY: Record<PseudoKind, number> = { row: 1, shifted: 3, between: 3 }
const NEIGHBOURS = [10, 100]
const RECALLS = [0.9, 0.95, 0.99]
const LEAST_FACTOR = 0.25
const MOST_FACTOR = 10
/** A query counts as far from what is admitted if it is at least this part as far as `far` says. */
const OUTSIDE = 0.5
const LEAST_FAR = 0.05
/**
 * Of the rows, about so many are compared with the filters. With an eighth of them, ten neighbours were as far as eighty of all, and queries
 * far from what is admitted, whose nearest neighbours need most, found a tenth less.
 */
const COMPARED = 100_000

/** Some rows that were compared with all pseudo-queries. */
export interface ComparedRows extends Compared {
  /** `squares`, or zeros where distances are inner products. */
  offsets: Float32Array
  clusters: ArrayLike<number>
  /** Where `dots`, `scales` and `offsets` lie in the kernels' memory, and room for the numbers of as many rows. */
  pointers: { dots: number; scales: number; offsets: number; below: number }
}

interface Asking {
  query: number
  kind: PseudoKind
  /** Number of its filter. */
  filter: number
  /** For each share. */
  nearest: readonly SmallestOfMany[]
}

/** What the clusters are like for one query. */
export interface ClustersOf {
  /** g(c) of each cluster. */
  bases: Float64Array
  /** The largest g(c) that is nearly as near as this one. */
  limit: (nearest: number, nearly: number) => number
}

export class FilterNeeds {
  readonly #work: Work
  readonly #queries: PseudoQueries
  readonly #shares: readonly number[]
  readonly #filters: readonly TrialFilter[] = []
  readonly #asking: readonly Asking[] = []
  /** The same by filter. */
  readonly #askingWith: readonly (readonly Asking[])[] = []
  /** For each filter and share: compared rows that are admitted, by cluster. */
  readonly #admitted: readonly (readonly Uint32Array[])[] = []
  /** All compared rows, by cluster. */
  readonly #compared: Uint32Array
  /** Rows whose arrival is a multiple of this are compared. */
  readonly #stride: number

  /** @param sample of the rows @param rows of the segment @param stride every how manyth row will be shown */
  constructor(
    work: Work,
    queries: PseudoQueries,
    sample: Points,
    { rows, stride, clusters }: { rows: number; stride: number; clusters: number },
  ) {
    this.#work = work
    this.#queries = queries
    this.#stride = stride * Math.max(1, Math.round(rows / stride / COMPARED))
    this.#shares = SHARES.filter((share) => share * (rows / this.#stride) >= LEAST_ROWS)
    this.#compared = new Uint32Array(clusters)
    if (this.#shares.length === 0) return
    this.#filters = TrialFilter.some(work, queries, sample, this.#shares)
    this.#admitted = this.#filters.map(() => this.#shares.map(() => new Uint32Array(clusters)))
    this.#asking = this.#askingOf(queries)
    this.#askingWith = this.#filters.map((_, number) => this.#asking.filter(({ filter }) => filter === number))
  }

  #askingOf({ kinds }: PseudoQueries): Asking[] {
    const asking: Asking[] = []
    const seen: Partial<Record<PseudoKind, number>> = {}
    // One more, since a row is its own neighbour.
    const nearest = () => this.#shares.map(() => new SmallestOfMany((NEIGHBOURS.at(-1) as number) + 1))
    const shared = this.#filters.filter(({ only }) => only === undefined).length
    for (const [query, kind] of kinds.entries()) {
      const every = EVERY[kind]
      const number = seen[kind] ?? 0
      seen[kind] = number + 1
      if (number % every !== 0) continue
      asking.push({ query, kind, filter: asking.length % shared, nearest: nearest() })
    }
    for (const [filter, { only }] of this.#filters.entries())
      if (only !== undefined) asking.push({ query: only, kind: 'row', filter, nearest: nearest() })
    return asking
  }

  observe(compared: ComparedRows): void {
    if (this.#asking.length === 0) return
    const { size, dots, scales, offsets, tags, clusters, pointers } = compared
    const { points } = this.#queries
    const { kernels } = this.#work
    const { below } = pointers
    const places = new Uint32Array(kernels.memory.buffer, below, size)
    const chosen: number[] = []
    for (let i = 0; i < size; i++) if ((tags[i] as number) % this.#stride === 0) chosen.push(i)
    for (const i of chosen) increment(this.#compared, clusters[i] as number)
    const scores = new Float64Array(size)
    /** Of each chosen row, how many of the sets of a filter hold it: they lie in one another. Of the others zero. */
    const depths = new Uint8Array(size)
    for (const [number, filter] of this.#filters.entries()) {
      const { limits } = filter
      const admitted = this.#admitted[number] as readonly Uint32Array[]
      filter.scores(compared, scores)
      for (const i of chosen) {
        const score = scores[i] as number
        let depth = 0
        while (depth < limits.length && score <= (limits[depth] as number))
          increment(admitted[depth++] as Uint32Array, clusters[i] as number)
        depths[i] = depth
      }
      for (const { query, nearest } of this.#askingWith[number] as readonly Asking[]) {
        const own = query * size
        const twice = 2 * (points.scales[query] as number)
        let limit = Number.NEGATIVE_INFINITY
        // Not by `for … of`, which takes longer than the rest of it.
        for (let s = 0; s < nearest.length; s++) limit = Math.max(limit, (nearest[s] as SmallestOfMany).bound)
        const dotsAt = pointers.dots + 4 * own
        const found = kernels.selectBelow(dotsAt, pointers.scales, pointers.offsets, size, twice, limit, below)
        for (let f = 0; f < found; f++) {
          const i = places[f] as number
          const depth = depths[i] as number
          if (depth === 0) continue
          const distance = (offsets[i] as number) - twice * (scales[i] as number) * (dots[own + i] as number)
          for (let d = 0; d < depth; d++) {
            const kept = nearest[d] as SmallestOfMany
            if (distance < kept.bound) kept.add(distance, tags[i] as number)
          }
        }
      }
    }
  }

  /**
   * Call after the last row.
   * @param calibration without factors
   * @param firsts, seconds as for `Calibrator.finish`
   * @param clustersOf what the clusters are like for a query
   * @param ownDistance of a query that is a row, to itself
   * @param finer see `Need.of`
   * @param apart queries that are rows and lie apart from others
   */
  finish({
    calibration,
    finer,
    firsts,
    seconds,
    clustersOf,
    ownDistance,
    apart,
  }: {
    calibration: Calibration
    finer: number
    firsts: Uint32Array
    seconds: Uint32Array
    clustersOf: (query: number) => ClustersOf
    ownDistance: (query: number) => number
    apart: ReadonlySet<number>
  }): FilterFactors {
    if (this.#asking.length === 0) return NO_FACTORS
    const need = new Need(calibration, RECALLS)
    // A neighbour among every m-th row is, on average, the neighbour of an m times higher rank among all.
    const neighbours = NEIGHBOURS.map((k) => (k + 1) * this.#stride - 1)
    const far = this.#far((query) => clustersOf(query).bases)
    const found = this.#shares.map(() => RECALLS.map(() => NEIGHBOURS.map(() => new Critical())))
    for (const { query, kind, filter, nearest } of this.#asking) {
      const { bases, limit } = clustersOf(query)
      for (const [s, kept] of nearest.entries()) {
        const admitted = (this.#admitted[filter] as readonly Uint32Array[])[s] as Uint32Array
        const all = kept.kept()
        const baseOf = (tag: number) => {
          const [first, second] = [firsts[tag] as number, seconds[tag] as number]
          const other = (admitted[second] ?? 0) > 0 ? (bases[second] as number) : Number.POSITIVE_INFINITY
          return Math.min(bases[first] as number, other)
        }
        const own = kind === 'row' ? withoutOne(all, ownDistance(query)) : all
        const targets = Array.from(nearestFirst(own, NEIGHBOURS, baseOf), baseOf)
        const walk = this.#walk(bases, admitted, targets)
        const filterKind = (this.#filters[filter] as TrialFilter).kind
        const outside = filterKind === 'away' || this.#deviations(bases, admitted) >= OUTSIDE * (far[s] as number)
        const near = nearOf(walk.admittedBases, limit)
        const needed = need.of(near, finer)
        RECALLS.forEach((_, level) =>
          NEIGHBOURS.forEach((count, i) => {
            const least = leastFactors(walk.shares, (share) => needed(level, (neighbours[i] as number) / share))
            const values = walk.places.slice(0, count).map((place) => least[place - 1] as number)
            const asked = { filter, values }
            const critical = found[s]?.[level]?.[i]
            critical?.add(filterKind, kind === 'row' ? 'row' : 'other', outside, asked)
            if (apart.has(query)) critical?.add(filterKind, 'apart', outside, asked)
          }),
        )
      }
    }
    const factorsOf = (outside: boolean) =>
      found.map((levels) => {
        const rows = levels.map((counts, level) => counts.map((one) => one.factor(RECALLS[level] as number, outside)))
        return calibration.recalls.map((recall) =>
          calibration.neighbours.map((count) => Math.fround(Math.exp(between(rows, neighbours, recall, count)))),
        )
      })
    return { shares: this.#shares, far, factors: factorsOf(false), outside: factorsOf(true) }
  }

  /** For each share: how far three in four of the queries are that filters lie away from. */
  #far(basesOf: (query: number) => Float64Array): number[] {
    const deviations = this.#shares.map((): number[] => [])
    for (const { query, filter } of this.#asking) {
      if ((this.#filters[filter] as TrialFilter).kind !== 'away') continue
      const bases = basesOf(query)
      for (const [s, admitted] of (this.#admitted[filter] as readonly Uint32Array[]).entries())
        deviations[s]?.push(this.#deviations(bases, admitted))
    }
    return deviations.map((some) => {
      const quarter = some.sort((a, b) => a - b)[some.length >> 2]
      return Math.fround(quarter === undefined ? USUALLY_FAR : Math.max(LEAST_FAR, quarter))
    })
  }

  #deviations(bases: Float64Array, admitted: Uint32Array): number {
    return deviationsOutside(bases, (cluster) => ({
      rows: this.#compared[cluster] as number,
      admitted: admitted[cluster] as number,
    }))
  }

  /** The clusters with admitted rows, nearest first, as far as the farthest target. @param targets bases of the clusters of the neighbours */
  #walk(bases: Float64Array, admitted: Uint32Array, targets: readonly number[]) {
    const admittedBases = bases.filter((_, cluster) => (admitted[cluster] as number) > 0)
    const sorted = new Map<number, number>()
    const last = Math.max(...targets)
    const ascending = new Ascending(bases.slice())
    const shares: number[] = []
    let [inside, rows] = [0, 0]
    for (let cluster = ascending.next(); cluster >= 0 && ascending.value <= last; cluster = ascending.next()) {
      if (admitted[cluster] === 0) continue
      inside += admitted[cluster] as number
      rows += Math.max(1, this.#compared[cluster] as number)
      shares.push(inside / rows)
      if (!sorted.has(ascending.value)) sorted.set(ascending.value, shares.length)
    }
    // Bases that are no numbers have no place.
    return { admittedBases, shares, places: targets.map((base) => sorted.get(base) ?? Math.max(1, shares.length)) }
  }
}

/** Beyond this many clusters, the need is computed at steps of this share: it changes little in between. */
const EACH = 16
const STEP = 1 / 16

/** For each place: the logarithm of the factor above which a query gets there. */
function leastFactors(shares: readonly number[], logNeed: (share: number) => number): Float64Array {
  const least = new Float64Array(shares.length + 1).fill(Math.log(LEAST_FACTOR))
  let most = least[0] as number
  let next = 0
  for (let i = 0; i < shares.length; i++) {
    if (i >= next) {
      most = Math.max(most, Math.log(i + 1) - logNeed(shares[i] as number))
      next = i < EACH ? i + 1 : Math.ceil((i + 1) * (1 + STEP))
    }
    least[i + 1] = most
  }
  return least
}

/** How many of some clusters are nearly as near as the nearest of them. */
function nearOf(bases: Float64Array, limit: ClustersOf['limit']): (nearly: number) => number {
  let nearest = Number.POSITIVE_INFINITY
  for (const base of bases) nearest = Math.min(nearest, base)
  const known = new Map<number, number>()
  return (nearly) => {
    let count = known.get(nearly)
    if (count === undefined) {
      const most = limit(nearest, nearly)
      count = 0
      for (const base of bases) if (base <= most) count++
      known.set(nearly, (count = Math.max(1, count)))
    }
    return count
  }
}

/** What one query needs of one filter: logarithms of the factors above which its neighbours are found. */
interface Asked {
  filter: number
  values: readonly number[]
}

/** Rows, those of them that lie apart, and all other queries together. */
type QueryGroup = 'row' | 'apart' | 'other'

/** For one share, recall and number of neighbours. */
class Critical {
  /** By kinds of filters and groups of queries; apart for queries far from what is admitted. */
  readonly #inside = new Map<string, Asked[]>()
  readonly #outside = new Map<string, Asked[]>()

  add(kind: FilterKind, group: QueryGroup, isOutside: boolean, asked: Asked): void {
    if (asked.values.length === 0) return
    const groups = isOutside ? this.#outside : this.#inside
    const key = `${kind} ${group}`
    const known = groups.get(key)
    if (known) known.push(asked)
    else groups.set(key, [asked])
  }

  /**
   * The logarithm of the largest factor that a group asks for, with a margin, as rows have without a filter: what queries need may be alike for
   * all of them, but differ from filter to filter, and a user may have but one. Filters by chance do not differ, so only rows have one there.
   */
  factor(recall: number, isOutside: boolean): number {
    const [own, other] = isOutside ? [this.#outside, this.#inside] : [this.#inside, this.#outside]
    let most = Math.log(LEAST_FACTOR)
    for (const [key, some] of own.size > 0 ? own : other) {
      const sorted = Float64Array.from(some.flatMap(({ values }) => values)).sort()
      const quantile = (share: number) => sorted[placeOf(sorted.length, share)] as number
      const hasMargin = !key.startsWith('chance') || key.endsWith(' row')
      const error = hasMargin ? errorOverFilters(some, quantile(shareToFind(recall))) : 0
      most = Math.max(most, quantile(shareToFind(recall, error)))
    }
    return Math.min(Math.log(MOST_FACTOR), most)
  }
}

function errorOverFilters(some: readonly Asked[], factor: number): number {
  const sums = new Map<number, { found: number; all: number }>()
  for (const { filter, values } of some) {
    const sum = sums.get(filter) ?? { found: 0, all: 0 }
    sums.set(filter, sum)
    sum.all += values.length
    for (const value of values) if (value <= factor) sum.found++
  }
  return standardError(Array.from(sums.values(), ({ found, all }) => found / all))
}

/** Linear between what was measured, and as at the nearest of it beyond. @param rows for each of `RECALLS` and number of neighbours */
function between(
  rows: readonly (readonly number[])[],
  neighbours: readonly number[],
  recall: number,
  count: number,
): number {
  const part = (xs: readonly number[], x: number) =>
    Math.min(1, Math.max(0, (x - (xs[0] as number)) / ((xs.at(-1) as number) - (xs[0] as number))))
  const byCount = rows.map(([few, many]) => {
    const at = part(neighbours.map(Math.log), Math.log(count))
    return (few as number) + ((many as number) - (few as number)) * at
  })
  const missed = (one: number) => -Math.log(1 - one)
  const upper = RECALLS.findIndex((one) => one >= recall)
  if (upper === 0) return byCount[0] as number
  if (upper < 0) return byCount.at(-1) as number
  const [from, to] = [RECALLS[upper - 1] as number, RECALLS[upper] as number]
  const [a, b] = [byCount[upper - 1] as number, byCount[upper] as number]
  return a + (b - a) * part([missed(from), missed(to)], missed(recall))
}

function increment(counts: Uint32Array, at: number): void {
  counts[at] = (counts[at] as number) + 1
}
