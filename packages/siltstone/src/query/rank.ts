/**
 * Ranks vectors by their exact distances to queries: l2 is the sum of squares, cosine 1 − cos (1 for a zero vector),
 * ip 1 − dot.
 */
import type { Space } from '../model/collection.ts'
import { Nearest } from '../kernels/nearest.ts'
import { dotProducts, type Pages, squaredDistances, squaredNorms } from '../kernels/page-scan.ts'
import { Pacer, type Pause } from '../pacer.ts'
import { scatteredDotProducts, type ScatteredRows, scatteredSquaredDistances } from '../kernels/scattered-scan.ts'

/** Squared lengths of the rows, kept as long as the rows are. */
const knownNorms = new WeakMap<Float32Array, Float64Array>()

/** Multiplications between two pauses: a few milliseconds. */
const PAUSE_AFTER = 4_000_000
/** Rows whose distances are written to memory that is kept. */
const MAX_SCRATCH = 4_096

export interface RankedQuery {
  vector: Float32Array
  /** Length of the vector. */
  norm: number
  nearest: Nearest
}

/** The k nearest to each of some queries, of all vectors offered so far. */
export class Ranking {
  readonly queries: readonly RankedQuery[]
  readonly #space: Space
  /** Counts multiplications; shared by rankings of the same search. */
  readonly #pacer: Pacer

  private constructor(space: Space, queries: readonly RankedQuery[], pacer: Pacer) {
    this.#pacer = pacer
    this.#space = space
    this.queries = queries
  }

  /** @param pause after some millions of multiplications */
  static of(space: Space, vectors: readonly Float32Array[], k: number, pause: Pause): Ranking {
    return new Ranking(
      space,
      vectors.map((vector) => ({ vector, norm: normOf(vector), nearest: new Nearest(k) })),
      new Pacer(PAUSE_AFTER, pause),
    )
  }

  /**
   * Offers the same vectors to each query, with pauses.
   * @param floats of the vectors
   * @returns undefined if it is done and no pause is due
   */
  eachQuery(floats: number, offerTo: (ranking: Ranking) => void): Promise<void> | undefined {
    if (floats * this.queries.length > PAUSE_AFTER) return this.#eachInTurn(floats, offerTo)
    offerTo(this)
    return this.#pacer.spend(floats * this.queries.length)
  }

  async #eachInTurn(floats: number, offerTo: (ranking: Ranking) => void): Promise<void> {
    // Several queries in one call share what is read of memory.
    const atOnce = Math.max(1, Math.floor(PAUSE_AFTER / Math.max(1, floats)))
    for (let i = 0; i < this.queries.length; i += atOnce) {
      const queries = this.queries.slice(i, i + atOnce)
      offerTo(queries.length === this.queries.length ? this : new Ranking(this.#space, queries, this.#pacer))
      const due = this.#pacer.spend(floats * queries.length)
      if (due) await due
    }
  }

  /** The same ranking for one of its queries alone. */
  only(query: RankedQuery): Ranking {
    return new Ranking(this.#space, [query], this.#pacer)
  }

  /** Offers vectors that lie one after another. @param tagOf the i-th */
  offerFlat(flat: Float32Array, count: number, tagOf: (i: number) => number): void {
    const pages = {
      data: flat,
      rowCount: count,
      dimension: flat.length / Math.max(1, count),
      rowsPerPage: count,
      pageFloats: flat.length,
    }
    this.offerPages(pages, tagOf)
  }

  /** Offers the rows of some pages. @param admits whether the i-th is to be ranked; default all */
  offerPages(pages: Pages, tagOf: (i: number) => number, admits?: (i: number) => boolean): void {
    const distances = new Float64Array(pages.rowCount)
    const norms = this.#space === 'cosine' ? normsOf(pages) : distances
    for (const query of this.queries) {
      if (this.#space === 'l2') squaredDistances(query.vector, pages, distances)
      else {
        dotProducts(query.vector, pages, distances)
        this.#fromDotProducts(query, norms, distances, pages.rowCount)
      }
      offer(distances, pages.rowCount, query.nearest, tagOf, admits)
    }
  }

  /** Offers vectors that lie anywhere. */
  offerScattered(rows: ScatteredRows, tagOf: (i: number) => number): void {
    const count = rows.blocks.length
    const { distances, norms } = scratchFor(count)
    for (const query of this.queries) {
      if (this.#space === 'l2') scatteredSquaredDistances(query.vector, rows, distances)
      else {
        scatteredDotProducts(query.vector, rows, distances, norms)
        this.#fromDotProducts(query, norms, distances, count)
      }
      offer(distances, count, query.nearest, tagOf)
    }
  }

  /** Turns dot products into distances, in place. @param norms squared lengths of the rows; used for cosine only */
  #fromDotProducts({ norm }: RankedQuery, norms: Float64Array, values: Float64Array, count: number): void {
    if (this.#space === 'ip') for (let i = 0; i < count; i++) values[i] = 1 - (values[i] as number)
    else
      for (let i = 0; i < count; i++) {
        const lengths = norm * Math.sqrt(norms[i] as number)
        // Rounding can lift a cosine above 1.
        values[i] = lengths === 0 ? 1 : Math.max(0, 1 - (values[i] as number) / lengths)
      }
  }
}

/** For a few rows at a time: a new array for each would cost as much as measuring them. */
let scratch = { distances: new Float64Array(64), norms: new Float64Array(64) }

/** Valid until the next call. */
function scratchFor(count: number): { distances: Float64Array; norms: Float64Array } {
  if (count > MAX_SCRATCH) return { distances: new Float64Array(count), norms: new Float64Array(count) }
  if (count > scratch.distances.length)
    scratch = { distances: new Float64Array(2 * count), norms: new Float64Array(2 * count) }
  return scratch
}

function offer(
  distances: Float64Array,
  count: number,
  nearest: Nearest,
  tagOf: (i: number) => number,
  admits?: (i: number) => boolean,
): void {
  for (let i = 0; i < count; i++) {
    const distance = distances[i] as number
    if (distance <= nearest.bound && (admits === undefined || admits(i))) nearest.offer(distance, tagOf(i))
  }
}

function normOf(vector: Float32Array): number {
  let sum = 0
  for (let i = 0; i < vector.length; i++) sum += (vector[i] as number) ** 2
  return Math.sqrt(sum)
}

function normsOf(pages: Pages): Float64Array {
  let norms = knownNorms.get(pages.data)
  if (!norms) {
    norms = new Float64Array(pages.rowCount)
    squaredNorms(pages, norms)
    knownNorms.set(pages.data, norms)
  }
  return norms
}
