/** Records that no word index has: changed by the log or an overlay, or in a segment without an index. */
import { firstWhere } from '../binary-search.ts'
import { isSparseVector } from '../records/metadata.ts'
import { parseForFilter } from '../records/parse-for-filter.ts'
import type { Analyzer } from '../text/analyzer.ts'
import { countTerms } from '../word-index/count-terms.ts'
import { dimensionKey } from '../word-index/keys.ts'
import type { QueryTerms } from './score.ts'

/** The terms of one record. */
export interface CountedRecord {
  /** Ascending. */
  keys: Float64Array
  /** For each key: occurrences less 1, or a weight. */
  amounts: Float64Array
  /** Words of the document; 0 for a vector. */
  length: number
}

export function countedDocument(analyzer: Analyzer, document: string): CountedRecord {
  const entries: [number, number][] = []
  const length = countTerms(analyzer, document, (key, count) => entries.push([key, count - 1]))
  return { ...sorted(entries), length }
}

/** @returns undefined if the metadata has no sparse vector under the key */
export function countedVector(metadata: string, key: string): CountedRecord | undefined {
  // Most records of most collections have no sparse vector.
  if (!metadata.includes('"indices"')) return undefined
  const value = parseForFilter(metadata).get(key)
  if (!isSparseVector(value)) return undefined
  const entries = value.indices.map((dimension, i): [number, number] => [
    dimensionKey(dimension),
    Math.fround(value.values[i] as number),
  ])
  return { ...sorted(entries), length: 0 }
}

function sorted(entries: [number, number][]): Pick<CountedRecord, 'keys' | 'amounts'> {
  entries.sort(([a], [b]) => a - b)
  return {
    keys: Float64Array.from(entries, ([key]) => key),
    amounts: Float64Array.from(entries, ([, amount]) => amount),
  }
}

/** Fills in what the record has of each term. @returns false if it has none */
export function amountsOf({ keys, amounts }: CountedRecord, terms: QueryTerms, into: Float64Array): boolean {
  const { prefix } = terms
  const amountAt = (key: number): number => {
    const place = firstWhere(keys.length, (i) => (keys[i] as number) >= key)
    return place < keys.length && keys[place] === key ? (amounts[place] as number) : Number.NaN
  }
  let some = false
  for (const [t, key] of terms.keys.entries()) {
    const isPrefix = prefix !== undefined && t === terms.keys.length - 1
    const amount = isPrefix ? joinedAmount(prefix.map(amountAt)) : amountAt(key)
    into[t] = amount
    some ||= !Number.isNaN(amount)
  }
  return some
}

/** Occurrences of any of some words, less 1. @param amounts occurrences of each, less 1 */
function joinedAmount(amounts: readonly number[]): number {
  const frequency = amounts.reduce((sum, amount) => sum + (Number.isNaN(amount) ? 0 : amount + 1), 0)
  return frequency === 0 ? Number.NaN : frequency - 1
}
