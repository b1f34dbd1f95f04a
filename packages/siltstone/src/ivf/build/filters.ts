/**
 * Filters to calibrate with. A row is admitted if its score is small, so one filter gives sets for all shares. Balls hold the rows nearest to a
 * held-out row, as a category does; half-spaces the rows that lie farthest in the direction from one held-out row to another, as a
 * time or a size may; and filters by chance have nothing to do with the vectors. Half-spaces that lie away from the query that asks show what
 * queries need that are as far from what is admitted as can be: few of the others are.
 */
import type { Points } from './points.ts'
import { placeOf } from './fit-calibration.ts'
import type { PseudoQueries } from './pseudo-queries.ts'
import type { Work } from './work.ts'

export type FilterKind = 'ball' | 'half-space' | 'chance' | 'away'

const KINDS: readonly FilterKind[] = ['ball', 'half-space', 'chance']
const OF_EACH_KIND = 10
/** Half-spaces away from a query, each for one query alone. */
const AWAY = 36
/** Rows from which the limits are estimated. */
const LIMIT_ROWS = 2_048
const STEP = 512

/** Some rows and their products with all pseudo-queries. */
export interface Compared {
  size: number
  /** The products of query q and row i, as integers, at q × size + i. */
  dots: Int32Array
  scales: Float32Array
  squares: Float32Array
  /** The arrival of each. */
  tags: ArrayLike<number>
}

export class TrialFilter {
  readonly kind: FilterKind
  /** The only query that asks with it; undefined: any. */
  readonly only: number | undefined
  readonly #points: Points
  /** Queries that are rows. */
  readonly #one: number
  readonly #other: number
  /** A row with at most this score is admitted, for each share. */
  readonly limits: Float64Array

  private constructor(kind: FilterKind, points: Points, one: number, other: number, limits: Float64Array) {
    this.kind = kind
    this.only = kind === 'away' ? one : undefined
    this.#points = points
    this.#one = one
    this.#other = other
    this.limits = limits
  }

  /** @param sample of the rows @param shares descending */
  static some(work: Work, { kinds, points }: PseudoQueries, sample: Points, shares: readonly number[]): TrialFilter[] {
    const held = Array.from(kinds.keys()).filter((query) => kinds[query] === 'row')
    const count = Math.min(OF_EACH_KIND, held.length)
    const at = (i: number) => held[Math.floor((i + 0.5) * (held.length / (2 * count))) % held.length] as number
    const shared = Array.from({ length: count }, (_, i) =>
      KINDS.map((kind) => ({ kind, one: at(i), other: at(i + count) })),
    )
    const away = Array.from({ length: Math.min(AWAY, held.length >> 1) }, (_, i) => ({
      kind: 'away' as const,
      one: held[2 * i] as number,
      other: held[2 * i + 1] as number,
    }))
    const filters = [...shared.flat(), ...away].map(
      ({ kind, one, other }) => new TrialFilter(kind, points, one, other, Float64Array.from(shares)),
    )
    const scores = filters.map(() => new Float64Array(Math.min(LIMIT_ROWS, sample.count)))
    for (const [start, compared] of comparedWith(work, points, sample))
      for (const [f, filter] of filters.entries()) {
        if (filter.kind === 'chance') continue
        filter.scores(compared, (scores[f] as Float64Array).subarray(start))
      }
    for (const [f, { kind, limits }] of filters.entries()) {
      const sorted = (scores[f] as Float64Array).sort()
      if (kind !== 'chance') limits.set(shares.map((share) => sorted[placeOf(sorted.length, share)] as number))
    }
    return filters
  }

  /** @param into the score of each row */
  scores({ size, dots, scales, squares, tags }: Compared, into: Float64Array): void {
    if (this.kind === 'chance') {
      for (let i = 0; i < size; i++) into[i] = chance(tags[i] as number, this.#one)
      return
    }
    const one = this.#points.scales[this.#one] as number
    const from = this.#one * size
    if (this.kind === 'ball') {
      for (let i = 0; i < size; i++)
        into[i] = (squares[i] as number) - 2 * (scales[i] as number) * (one * (dots[from + i] as number))
      return
    }
    const other = this.#points.scales[this.#other] as number
    const fromOther = this.#other * size
    for (let i = 0; i < size; i++)
      into[i] = (scales[i] as number) * (one * (dots[from + i] as number) - other * (dots[fromOther + i] as number))
  }
}

/** Of 0 to 1. */
function chance(tag: number, seed: number): number {
  let z = Math.imul(tag ^ Math.imul(seed + 1, 0x9e3779b1), 0x85ebca6b)
  z = Math.imul(z ^ (z >>> 15), 0xc2b2ae35)
  return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32
}

/** @returns parts of an even selection of the sample, and where each begins */
function* comparedWith(work: Work, queries: Points, sample: Points): Generator<[number, Compared]> {
  const { dimension } = sample
  const count = Math.min(LIMIT_ROWS, sample.count)
  const members = Uint32Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * sample.count) / count))
  const squares = sample.squares()
  const rows = work.room('filter-rows', STEP * dimension)
  const dots = work.room('filter-dots', STEP * queries.count * 4)
  for (let start = 0; start < count; start += STEP) {
    const some = members.subarray(start, start + STEP)
    const size = some.length
    sample.gather(some, 0, size, rows)
    work.kernels.dotI8Many(queries.pointer, queries.count, rows, size, dimension, dots)
    const compared = {
      size,
      dots: new Int32Array(work.kernels.memory.buffer, dots, size * queries.count),
      scales: Float32Array.from(some, (row) => sample.scales[row] as number),
      squares: Float32Array.from(some, (row) => squares[row] as number),
      tags: some,
    }
    yield [start, compared]
  }
}
