/**
 * What one query examines, level by level (`../recall-levels.ts`). The clusters are chosen and their lists read; scanning
 * them gives candidates, and the caller measures the candidates that are handed out.
 *
 * Asking for more never measures less: what is measured at a level depends on what was found up to it, and not on the
 * level at which the search ends. Two things see to it. The scan of the first level uses an interval that is the same for
 * all; and later scans leave out only rows that no later level would measure, since the k-th distance found only falls.
 *
 * - Near, where measuring a row costs microseconds (`scan`, `take`): after each level the likeliest candidates are measured
 *   first, and the distances found bound what else is worth measuring. How far beyond the k-th distance estimates are taken seriously
 *   follows from how close the distances found are to one another (`../deviations.ts`).
 * - Far, where it costs a round trip (`all`): the candidates of all levels are measured at once, so each level is bounded
 *   by estimates: the k-th smallest upper end of an interval.
 */
import { Nearest } from '../../kernels/nearest.ts'
import type { SearchStats } from '../../model/read.ts'
import { deviationsFor } from '../deviations.ts'
import { missedByCodes, type RecallLevel } from '../recall-levels.ts'
import { Candidates } from './candidates.ts'
import type { PreparedQuery } from './prepared-query.ts'
import { type ProbedList, type ScanLimits, scanLists } from './scan-lists.ts'
import { workspace } from './workspace.ts'

/** Half the width of the intervals of the first near scan: more than any level's. */
const WIDEST = 3.3
/** Candidates handed out first, as a multiple of k: most of the k nearest are among them. */
const LIKELIEST = 2
/** Candidates handed out at a time afterwards, at least. */
const STEP = 16
/** Of rows with the same interval, so many at least are measured: two rows that differ may have the same by chance, but not sixteen. */
const LEAST_ALIKE = 16

export interface Examined {
  /** The lists of the chosen clusters, nearest first. */
  probed: readonly ProbedList[]
  /** Those of level i are before `ends[i]`. */
  ends: readonly number[]
  levels: readonly RecallLevel[]
  k: number
  /** The index's distance ÷ the space's. */
  scale: number
  /** Rows of other segments, and their distances as the space defines them. */
  known: readonly { tag: number; distance: number }[]
  stats: SearchStats
}

/** The nearest rows measured so far. */
export type Found = Pick<Nearest, 'bound' | 'distances'>

export class Examination {
  readonly levels: number
  readonly #examined: Examined
  readonly #candidates: Candidates
  readonly #taken = new Set<number>()
  /** How many rows with an interval were handed out. */
  readonly #alike = new Map<number, number>()
  /** One for all segments whose indexes have the same rotation. */
  readonly #queries: ReadonlySet<PreparedQuery>
  /** Near: places of the candidates that this or a later level may measure. */
  #open: number[] = []
  /** Candidates before this one are in `#open` or will never be measured. */
  #seen = 0
  /** Of the estimates of the rows handed out so far: sum and number. */
  #deviationSum = 0
  #deviationCount = 0
  /** Of this level. */
  #deviations = 0
  /** Places of the candidates to hand out at this level, likeliest first, and the next of them. */
  #order: number[] = []
  #next = 0
  #isFirst = true

  constructor(examined: Examined) {
    const { known, k, scale, levels } = examined
    this.levels = levels.length
    this.#examined = examined
    this.#queries = queriesOf(examined.probed)
    this.#candidates = new Candidates(
      k,
      known.map(({ tag, distance }) => ({ tag, distance: distance * scale })),
    )
  }

  /** Scans what this level visits beyond the one before. @param found so far, with distances as the space defines them */
  scan(level: number, found: Found): void {
    const limit = found.bound * this.#examined.scale
    const last = scanLimits(this.#mostDeviations)
    const first = { ...last, deviations: Math.max(WIDEST, last.deviations) }
    this.#scan(level, level === 0 ? first : { limit, ...last })
    for (; this.#seen < this.#candidates.size; this.#seen++) this.#open.push(this.#seen)
    if (!this.#isFirst) this.#arrange(level, found)
  }

  /** Tags of candidates to measure next, none twice. @returns none if no other is worth measuring at this level */
  take(level: number, found: Found): number[] {
    const { levels, k, scale } = this.#examined
    const limit = found.bound * scale
    const tags: number[] = []
    if (this.#isFirst) {
      this.#isFirst = false
      const { deviations } = levels[level] as RecallLevel
      for (const i of this.#likeliest(Math.max(STEP, LIKELIEST * k), deviations)) this.#take(i, tags)
      return tags
    }
    if (level === 0 && this.#order.length === 0) this.#arrange(level, found)
    const deviations = this.#deviations
    // More at a time the more there were: where estimates tell little, very many are measured.
    const most = Math.max(STEP, Math.ceil(k / 2), this.#taken.size >> 2)
    for (; this.#next < this.#order.length && tags.length < most; this.#next++) {
      const i = this.#order[this.#next] as number
      if (deviations !== Number.POSITIVE_INFINITY && this.#lower(i, deviations) > limit) break
      this.#take(i, tags)
    }
    return tags
  }

  /**
   * Scans all levels.
   * @returns the tags of all candidates worth measuring, those of the likeliest apart; for each, an estimate of its distance as
   *   the space defines it, −∞ where none holds
   */
  all(): { tags: number[]; likeliest: number[]; estimates: number[] } {
    const { levels, k, scale } = this.#examined
    const sizes = levels.map((_, level) => {
      this.#scan(level, scanLimits(this.#lastDeviations))
      return this.#candidates.size
    })
    const tags: number[] = []
    const estimates: number[] = []
    // The last level first: its order is the best.
    for (let level = levels.length - 1; level >= 0; level--) {
      const { deviations } = levels[level] as RecallLevel
      const size = sizes[level] as number
      const bound = deviations === Number.POSITIVE_INFINITY ? deviations : this.#candidates.upperBound(size, deviations)
      const within: number[] = []
      for (let i = 0; i < size; i++) if (this.#lower(i, deviations) <= bound) within.push(i)
      for (const i of this.#sorted(within, deviations)) {
        this.#take(i, tags)
        if (tags.length > estimates.length) estimates.push((this.#candidates.estimates[i] as number) / scale)
      }
    }
    return { tags, likeliest: tags.slice(0, LIKELIEST * k), estimates }
  }

  get #lastDeviations(): number {
    return (this.#examined.levels.at(-1) as RecallLevel).deviations
  }

  get #mostDeviations(): number {
    return (this.#examined.levels.at(-1) as RecallLevel).mostDeviations
  }

  /** For the neighbours found so far; see `../deviations.ts`. */
  #deviationsAt(level: number, found: Found): number {
    const { levels, scale } = this.#examined
    const { recall, deviations, mostDeviations } = levels[level] as RecallLevel
    if (deviations === mostDeviations || found.bound === Number.POSITIVE_INFINITY) return deviations
    const usual = this.#deviationSum / this.#deviationCount / scale
    return deviationsFor(found.distances(), missedByCodes(recall), deviations, mostDeviations, usual)
  }

  #take(i: number, tags: number[]): void {
    const tag = this.#candidates.tags[i] as number
    if (this.#taken.has(tag) || this.#isCopy(i)) return
    const interval = this.#interval(i)
    this.#alike.set(interval, (this.#alike.get(interval) ?? 0) + 1)
    this.#taken.add(tag)
    tags.push(tag)
    this.#deviationSum += this.#candidates.deviations[i] as number
    this.#deviationCount++
  }

  /**
   * Copies of one row in one cluster have the same code, and so the same estimate and deviation. When k of them are measured, the others are as far as
   * these and cannot enter. There may be as many copies as rows.
   */
  #isCopy(i: number): boolean {
    const estimate = this.#candidates.estimates[i] as number
    if (estimate === Number.NEGATIVE_INFINITY) return false
    return (this.#alike.get(this.#interval(i)) ?? 0) >= Math.max(LEAST_ALIKE, this.#examined.k)
  }

  /** A number that hardly any other interval has. */
  #interval(i: number): number {
    return (this.#candidates.estimates[i] as number) + Math.SQRT2 * (this.#candidates.deviations[i] as number)
  }

  #lower(i: number, deviations: number): number {
    const estimate = this.#candidates.estimates[i] as number
    return deviations === Number.POSITIVE_INFINITY
      ? estimate
      : estimate - deviations * (this.#candidates.deviations[i] as number)
  }

  /** Orders what this level measures. Drops what no level will: the k-th distance only falls. */
  #arrange(level: number, found: Found): void {
    const deviations = (this.#deviations = this.#deviationsAt(level, found))
    const last = this.#mostDeviations
    const most = last === Number.POSITIVE_INFINITY ? last : found.bound * this.#examined.scale
    const { tags } = this.#candidates
    const open: number[] = []
    const within: number[] = []
    for (const i of this.#open) {
      if (this.#lower(i, last) > most || this.#taken.has(tags[i] as number) || this.#isCopy(i)) continue
      open.push(i)
      if (this.#lower(i, deviations) <= most) within.push(i)
    }
    this.#open = open
    this.#order = this.#sorted(within, deviations)
    this.#next = 0
  }

  /** Places of the open candidates whose intervals begin first. */
  #likeliest(count: number, deviations: number): number[] {
    const nearest = new Nearest(count)
    for (const i of this.#open) {
      const lower = this.#lower(i, deviations)
      if (lower <= nearest.bound) nearest.offer(lower, i)
    }
    return nearest.sorted().map(({ tag }) => tag)
  }

  #sorted(places: number[], deviations: number): number[] {
    if (places.length < 2) return places
    const lowers: number[] = []
    const order: number[] = []
    for (let at = 0; at < places.length; at++) {
      lowers.push(this.#lower(places[at] as number, deviations))
      order.push(at)
    }
    order.sort((a, b) => (lowers[a] as number) - (lowers[b] as number) || a - b)
    return order.map((at) => places[at] as number)
  }

  #scan(level: number, limits: ScanLimits): void {
    const { probed, ends, stats } = this.#examined
    const part = { probed, start: level === 0 ? 0 : (ends[level - 1] as number), end: ends[level] as number }
    const candidates = this.#candidates
    const before = candidates.size
    for (const query of this.#queries) stats.entries += scanLists(workspace(), query, part, limits, candidates)
    stats.candidates += candidates.size - before
  }
}

function queriesOf(probed: readonly ProbedList[]): Set<PreparedQuery> {
  const queries = new Set<PreparedQuery>()
  for (const { probe } of probed) queries.add(probe.query)
  return queries
}

/** With infinitely many deviations, every row is a candidate. */
function scanLimits(deviations: number): ScanLimits {
  return deviations === Number.POSITIVE_INFINITY ? { deviations: WIDEST, limit: deviations } : { deviations }
}
