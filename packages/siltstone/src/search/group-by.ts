/**
 * Keeps the best k records of each group. Groups are records with equal values, with their types, of all keys; a record
 * without a key is in the group of those without it.
 *
 * Order of values: booleans, numbers (by value, integers and floats alike), strings, sparse vectors, arrays. A record
 * without a value comes last, whichever order is asked for. Records with equal values stay in the order of their scores.
 */
import type { GroupBy } from '../model/search.ts'
import type { Metadata, MetadataValue } from '../model/record.ts'
import { compareKeys } from '../ports/object-key.ts'
import { stringifyExact } from '../records/exact-json.ts'
import { isSparseVector, stringifyMetadata } from '../records/metadata.ts'

export interface Grouped {
  score: number
  metadata: Metadata | null
}

/** @param records by score. @returns those that are kept, by score */
export function groupBy<T extends Grouped>(records: readonly T[], { keys, by, order, k }: GroupBy): T[] {
  const groups = Map.groupBy(records, ({ metadata }) => groupName(metadata, keys))
  const kept = new Set<T>()
  const sign = order === 'ascending' ? 1 : -1
  for (const group of groups.values()) {
    const sorted = group.toSorted((a, b) => {
      for (const key of by) {
        const difference = compare(valueOf(a, key), valueOf(b, key), sign)
        if (difference !== 0) return difference
      }
      return 0
    })
    for (const record of sorted.slice(0, k)) kept.add(record)
  }
  return records.filter((record) => kept.has(record))
}

function groupName(metadata: Metadata | null, keys: readonly string[]): string {
  const values = keys.map((key) => {
    const value = metadata?.get(key)
    if (value === undefined) return ''
    return isSparseVector(value) ? stringifyMetadata(new Map([['', value]])) : stringifyExact(value)
  })
  return JSON.stringify(values)
}

function valueOf({ score, metadata }: Grouped, key: string): MetadataValue | undefined {
  return key === '#score' ? score : metadata?.get(key)
}

/** Missing values last, whatever the sign. @param sign −1: descending */
export function compare(a: MetadataValue | undefined, b: MetadataValue | undefined, sign: number): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined)
  return sign * compareValues(a, b)
}

function compareValues(a: MetadataValue, b: MetadataValue): number {
  const kind = kindOf(a)
  if (kind !== kindOf(b)) return kind - kindOf(b)
  if (typeof a === 'string') return compareKeys(a, b as string)
  if (Array.isArray(a)) return compareLists(a, b as MetadataValue[])
  if (isSparseVector(a)) {
    const other = b as typeof a
    return compareLists(a.indices, other.indices) || compareLists(a.values, other.values)
  }
  return a < (b as typeof a) ? -1 : a > (b as typeof a) ? 1 : 0
}

function compareLists(a: readonly MetadataValue[], b: readonly MetadataValue[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = compareValues(a[i] as MetadataValue, b[i] as MetadataValue)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

function kindOf(value: MetadataValue): number {
  if (typeof value === 'boolean') return 0
  if (typeof value === 'number' || typeof value === 'bigint') return 1
  if (typeof value === 'string') return 2
  return Array.isArray(value) ? 4 : 3
}
