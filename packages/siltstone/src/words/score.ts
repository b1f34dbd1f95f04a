/**
 * Scores, to the bit; lower is better. All statistics are of the live records at the state that is read, counted exactly,
 * so no fold and no merge changes a score.
 *
 * *One text*, BM25 (Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009):
 *
 *     1 − Σ q · idf(t) · tf · (k + 1) / (tf + k · (1 − b + b · length / average))
 *
 * over the terms t that the text has, in ascending order of their keys; q is how often the query has t, tf how often the
 * text has it, length the words of the text, average that of all texts. N, in idf, counts the records with a text. Computed in
 * 64 bits and rounded once, at the end, to 32.
 *
 * *Several fields*, BM25F (the same paper): occurrences are added up over the fields f before they saturate, each with the
 * weight w of its field and by the length of the text in it, so that a word that stands in two fields counts less than two words.
 *
 *     1 − Σ q · idf(t) · x · (k + 1) / (x + k)      x = Σ w · tf / (1 − b + b · length / average)
 *
 * N counts the records that have any of the fields, n those that have t in any; average is that of the records that have
 * the field. Terms are in ascending order of their keys in the first field, then in the next.
 *
 * *Sparse vectors*: 1 − Σ q · d over the dimensions that both have, ascending; each product and each sum is rounded to 32
 * bits. With IDF each q is first multiplied by idf(t), rounded to 32 bits; N then counts all live records.
 *
 *     idf(t) = ln(1 + (N − n + 0.5) / (n + 0.5))        n: how many of the N have t
 */
import type { SourceStatistics } from './word-state.ts'

/** The saturation of repeated words, and how much of a document's length counts. */
export const BM25 = { k: 1.2, b: 0.75 } as const

/** @param records N @param having n */
export function idfOf(records: number, having: number): number {
  const n = Math.min(having, records)
  return Math.log1p((records - n + 0.5) / (n + 0.5))
}

/** A term of a query. */
export interface QueryTerm {
  /** Without IDF: how often the query has it, or its value. */
  weight: number
  /** For each source, the keys that the term has in it, ascending: of several, a record has them together. Empty: none. */
  keys: readonly (readonly number[])[]
}

/** What a record has of each term: occurrences less 1, or a weight. NaN: it does not have the term. */
export type Amounts = Float64Array

/** What a posting of one list adds: `weight · value`, or `weight · tf / (saturation · tf + base + perWord · length)`. */
export type ListScoring =
  | { kind: 'value'; weight: number }
  | {
      kind: 'words'
      weight: number
      /** 1: more occurrences add less and less; 0: they add the same. */
      saturation: 0 | 1
      base: number
      perWord: number
    }

/** How scores are computed. */
export interface Scoring {
  /** Of each term, with IDF. */
  readonly weights: ArrayLike<number>
  /** Of the terms of texts. */
  readonly idf?: ArrayLike<number>
  /** What is added in one source, before several of them are put together. */
  list(term: number, source: number): ListScoring
  /** What the sum of a term over several sources adds to the score. */
  together(term: number, sum: number): number
  /** @param amounts and @param lengths of each source */
  score(amounts: readonly Amounts[], lengths: readonly number[]): number
  /**
   * The score of a record whose terms were added up in 64 bits in another order.
   * @returns undefined if the order may have changed it
   */
  ofSum(sum: number): number | undefined
}

/**
 * @param sum of `terms` numbers that are not negative
 * @returns undefined unless the sums in all orders round to the same score
 */
function scoreOfSum(sum: number, terms: number): number | undefined {
  // Each of two orders differs from the true sum by at most half a unit in the last place for each addition.
  const error = (terms + 2) * Number.EPSILON * sum
  const score = Math.fround(1 - (sum + error))
  return score === Math.fround(1 - (sum - error)) ? score : undefined
}

const perWordOf = ({ documents, totalLength }: SourceStatistics): number =>
  totalLength === 0 ? 0 : documents / totalLength

export class WordScoring implements Scoring {
  readonly weights: Float64Array
  readonly idf: Float64Array
  /** The part of the denominator that depends on the length: `base + perWord · length`. */
  readonly base: number
  readonly perWord: number

  constructor(terms: readonly QueryTerm[], having: ArrayLike<number>, statistics: SourceStatistics) {
    const { documents, totalLength } = statistics
    this.idf = Float64Array.from(terms, (_, t) => idfOf(documents, having[t] as number))
    this.weights = Float64Array.from(terms, ({ weight }, t) => weight * (this.idf[t] as number) * (BM25.k + 1))
    this.base = BM25.k * (1 - BM25.b)
    this.perWord = totalLength === 0 ? 0 : (BM25.k * BM25.b * documents) / totalLength
  }

  list(term: number): ListScoring {
    const { base, perWord } = this
    return { kind: 'words', weight: this.weights[term] as number, saturation: 1, base, perWord }
  }

  together(_: number, sum: number): number {
    return sum
  }

  score([amounts]: readonly Amounts[], [length = 0]: readonly number[]): number {
    let sum = 0
    for (let t = 0; t < (amounts as Amounts).length; t++) {
      const frequency = ((amounts as Amounts)[t] as number) + 1
      if (!Number.isNaN(frequency))
        sum += ((this.weights[t] as number) * frequency) / (frequency + this.base + this.perWord * length)
    }
    return Math.fround(1 - sum)
  }

  ofSum(sum: number): number | undefined {
    return scoreOfSum(sum, this.weights.length)
  }
}

interface Field {
  weight: number
  base: number
  perWord: number
}

export class FieldsScoring implements Scoring {
  readonly weights: Float64Array
  readonly idf: Float64Array
  readonly #fields: readonly Field[]

  /** @param fields for each, the weight, above 0 @param documents records that have any field */
  constructor(
    terms: readonly QueryTerm[],
    having: ArrayLike<number>,
    fields: readonly number[],
    { documents, statistics }: { documents: number; statistics: readonly SourceStatistics[] },
  ) {
    this.idf = Float64Array.from(terms, (_, t) => idfOf(documents, having[t] as number))
    this.weights = Float64Array.from(terms, ({ weight }, t) => weight * (this.idf[t] as number) * (BM25.k + 1))
    this.#fields = fields.map((weight, f) => ({
      weight,
      base: 1 - BM25.b,
      perWord: BM25.b * perWordOf(statistics[f] as SourceStatistics),
    }))
  }

  list(_: number, source: number): ListScoring {
    const { weight, base, perWord } = this.#fields[source] as Field
    return { kind: 'words', weight, saturation: 0, base, perWord }
  }

  together(term: number, sum: number): number {
    // Divided, so that an infinite bound of a sum gives a finite one.
    return (this.weights[term] as number) / (1 + BM25.k / sum)
  }

  score(amounts: readonly Amounts[], lengths: readonly number[]): number {
    let score = 0
    for (let t = 0; t < this.weights.length; t++) {
      let sum = 0
      for (const [f, { weight, base, perWord }] of this.#fields.entries()) {
        const frequency = ((amounts[f] as Amounts)[t] as number) + 1
        if (!Number.isNaN(frequency)) sum += (weight * frequency) / (base + perWord * (lengths[f] as number))
      }
      if (sum > 0) score += this.together(t, sum)
    }
    return Math.fround(1 - score)
  }

  ofSum(sum: number): number | undefined {
    return scoreOfSum(sum, this.weights.length)
  }
}

/** Of IDF: the number of live records, and for each dimension of the query how many of them have it. */
export interface SparseStatistics {
  records: number
  having: ArrayLike<number>
}

/** @returns the query's weights as 32-bit floats. @param statistics undefined: no IDF */
export function sparseWeights(values: readonly number[], statistics?: SparseStatistics): Float32Array {
  return Float32Array.from(values, (value, t) => {
    const q = Math.fround(value)
    return statistics ? q * Math.fround(idfOf(statistics.records, statistics.having[t] as number)) : q
  })
}

export class SparseScoring implements Scoring {
  readonly weights: Float32Array

  /** @param statistics of IDF; undefined: none */
  constructor(terms: readonly QueryTerm[], statistics?: SparseStatistics) {
    this.weights = sparseWeights(
      terms.map(({ weight }) => weight),
      statistics,
    )
  }

  list(term: number): ListScoring {
    return { kind: 'value', weight: this.weights[term] as number }
  }

  together(_: number, sum: number): number {
    return sum
  }

  score([amounts]: readonly Amounts[]): number {
    let sum = 0
    for (let t = 0; t < (amounts as Amounts).length; t++) {
      const amount = (amounts as Amounts)[t] as number
      if (!Number.isNaN(amount)) sum = Math.fround(sum + Math.fround((this.weights[t] as number) * amount))
    }
    return Math.fround(1 - sum)
  }
  /** Each addition rounds to 32 bits, so that every order gives another score. */
  ofSum(): undefined {
    return undefined
  }
}
