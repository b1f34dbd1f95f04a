/** Records that no word index has: changed by the log or an overlay, or in a segment without an index. */
import { firstWhere } from '../binary-search.ts'
import { isSparseVector } from '../records/metadata.ts'
import { parseForFilter } from '../records/parse-for-filter.ts'
import type { Analyzer } from '../text/analyzer.ts'
import { countTerms } from '../word-index/count-terms.ts'
import { dimensionKey } from '../word-index/keys.ts'
import { roundedLength } from '../word-index/rounded-length.ts'
import { columnOf, textUnder, type WordSource } from '../word-index/word-source.ts'

/** The terms of one text or vector of a record. */
export interface CountedRecord {
  /** Ascending. */
  keys: Float64Array
  /** For each key: occurrences less 1, or a weight. */
  amounts: Float64Array
  /** Words of the text; 0 for a vector. */
  length: number
}

/** A row of a segment for pages, whose lengths are rounded, whether the segment has word indexes or not. */
export function withRoundedLength(record: CountedRecord | undefined): CountedRecord | undefined {
  return record && { ...record, length: roundedLength(record.length) }
}

/** @param stored the document, or the metadata's text @returns undefined if it has nothing of the source */
export function countedUnder(source: WordSource, stored: string): CountedRecord | undefined {
  if (source.kind === 'sparse') return countedVector(stored, source.key)
  const text = columnOf(source) === 'documents' ? stored : textIn(stored, source.key)
  return text === undefined ? undefined : countedText(source.analyzer, text)
}

/** The text under a key of stored metadata. */
export function textIn(metadata: string, key: string): string | undefined {
  return textUnder(parseForFilter(metadata), key)
}

export function countedText(analyzer: Analyzer, text: string): CountedRecord {
  const entries: [number, number][] = []
  const length = countTerms(analyzer, text, (key, count) => entries.push([key, count - 1]))
  return { ...sorted(entries), length }
}

function countedVector(metadata: string, key: string): CountedRecord | undefined {
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

/** What a record has of any of some keys: of several, their occurrences together. NaN: nothing. */
export function amountOf({ keys, amounts }: CountedRecord, anyOf: readonly number[]): number {
  const amountAt = (key: number): number => {
    const place = firstWhere(keys.length, (i) => (keys[i] as number) >= key)
    return place < keys.length && keys[place] === key ? (amounts[place] as number) : Number.NaN
  }
  if (anyOf.length === 1) return amountAt(anyOf[0] as number)
  const frequency = anyOf.map(amountAt).reduce((sum, amount) => sum + (Number.isNaN(amount) ? 0 : amount + 1), 0)
  return frequency === 0 ? Number.NaN : frequency - 1
}
