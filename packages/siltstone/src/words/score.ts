/**
 * Scores, to the bit; lower is better. All statistics are of the live records at the state that is read, counted exactly,
 * so no fold and no merge changes a score.
 *
 * *Documents*, BM25 (Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009):
 *
 *     1 − Σ q · idf(t) · tf · (k + 1) / (tf + k · (1 − b + b · length / average))
 *
 * over the terms t that the document has, in ascending order of their keys; q is how often the query has t, tf how often the
 * document has it, length the words of the document, average that of all documents. N, in idf, counts the documents. Computed in
 * 64 bits and rounded once, at the end, to 32.
 *
 * *Sparse vectors*: 1 − Σ q · d over the dimensions that both have, ascending; each product and each sum is rounded to 32
 * bits. With IDF each q is first multiplied by idf(t), rounded to 32 bits; N then counts all live records.
 *
 *     idf(t) = ln(1 + (N − n + 0.5) / (n + 0.5))        n: how many of the N have t
 */

/** The saturation of repeated words, and how much of a document's length counts. */
export const BM25 = { k: 1.2, b: 0.75 } as const

/** @param records N @param having n */
export function idfOf(records: number, having: number): number {
  const n = Math.min(having, records)
  return Math.log1p((records - n + 0.5) / (n + 0.5))
}

/** How contributions to a score are computed. */
export type Scoring = WordScoring | SparseScoring

/** The terms of a query, in the order in which they are added. */
export interface QueryTerms {
  keys: readonly number[]
  /** Without IDF. */
  weights: readonly number[]
  /** The last term stands for all of these, ascending. */
  prefix?: readonly number[]
}

/** What a record has of a term: occurrences less 1, or a weight. NaN: it does not have the term. */
export type Amounts = Float64Array

export class WordScoring {
  readonly kind = 'words'
  readonly weights: Float64Array
  /** Of each term. */
  readonly idf: Float64Array
  /** The part of the denominator that depends on the length: `base + perWord · length`. */
  readonly base: number
  readonly perWord: number

  constructor(terms: QueryTerms, having: ArrayLike<number>, statistics: { documents: number; totalLength: number }) {
    const { documents, totalLength } = statistics
    this.idf = Float64Array.from(terms.weights, (_, t) => idfOf(documents, having[t] as number))
    this.weights = Float64Array.from(terms.weights, (q, t) => q * (this.idf[t] as number) * (BM25.k + 1))
    this.base = BM25.k * (1 - BM25.b)
    this.perWord = totalLength === 0 ? 0 : (BM25.k * BM25.b * documents) / totalLength
  }

  /** What a term adds to the sum. */
  part(term: number, repetitions: number, length: number): number {
    const frequency = repetitions + 1
    return ((this.weights[term] as number) * frequency) / (frequency + this.base + this.perWord * length)
  }

  score(amounts: Amounts, length: number): number {
    let sum = 0
    for (let t = 0; t < amounts.length; t++) {
      const amount = amounts[t] as number
      if (!Number.isNaN(amount)) sum += this.part(t, amount, length)
    }
    return Math.fround(1 - sum)
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

export class SparseScoring {
  readonly kind = 'sparse'
  readonly weights: Float32Array

  /** @param statistics of IDF; undefined: none */
  constructor(terms: QueryTerms, statistics?: SparseStatistics) {
    this.weights = sparseWeights(terms.weights, statistics)
  }

  score(amounts: Amounts): number {
    let sum = 0
    for (let t = 0; t < amounts.length; t++) {
      const amount = amounts[t] as number
      if (!Number.isNaN(amount)) sum = Math.fround(sum + Math.fround((this.weights[t] as number) * amount))
    }
    return Math.fround(1 - sum)
  }
}
