/**
 * The meaning of filters. A negation ($ne, $nin, $not_contains, $not_regex) is the complement of what it negates, so a
 * record without the key or the document matches it. A scalar never matches $contains, and an array (or a sparse vector)
 * never matches $eq or $in.
 */
import type { MetadataScalar, MetadataValue } from '../model/record.ts'
import { compareKeys } from '../ports/object-key.ts'
import { equalityKey } from './compare.ts'
import { phraseOf } from './phrase.ts'
import { compileRegex } from './regex.ts'
import type { Filter, FilterColumns, FilterRow } from '../model/filter.ts'

export type FilterTest = (row: FilterRow) => boolean

/** @throws SiltstoneError `invalid` regex-syntax, phrase-without-words, for a filter that `parseWhere` did not make */
export function compileFilter(filter: Filter): FilterTest {
  switch (filter.kind) {
    case 'and': {
      const tests = filter.clauses.map(compileFilter)
      return (row) => tests.every((test) => test(row))
    }
    case 'or': {
      const tests = filter.clauses.map(compileFilter)
      return (row) => tests.some((test) => test(row))
    }
    case 'compare':
      return compileCompare(filter.key, filter.op, filter.value)
    case 'in': {
      const keys = new Set(filter.values.map(equalityKey))
      return onValue(filter.key, filter.negated, (value) => isScalar(value) && keys.has(equalityKey(value)))
    }
    case 'contains': {
      const wanted = equalityKey(filter.value)
      return onValue(filter.key, filter.negated, (value) => {
        return Array.isArray(value) && value.some((element) => equalityKey(element) === wanted)
      })
    }
    case 'document-contains': {
      const { negated, text } = filter
      return (row) => (row.document?.includes(text) ?? false) !== negated
    }
    case 'document-regex': {
      const { negated } = filter
      const test = compileRegex(filter.pattern)
      return (row) => (row.document !== null && test(row.document)) !== negated
    }
    case 'document-phrase': {
      const { negated } = filter
      const phrase = phraseOf(filter.text, filter.language)
      return (row) => (row.document !== null && phrase.isIn(row.document)) !== negated
    }
    case 'id': {
      const ids = new Set(filter.values)
      return (row) => ids.has(row.id) !== filter.negated
    }
    case 'id-order':
      return idOrder(filter.op, filter.value)
  }
}

/** The columns that `compileFilter(filter)` reads besides the id. */
export function columnsOf(filter: Filter): FilterColumns {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const columns = filter.clauses.map(columnsOf)
      return { metadata: columns.some((c) => c.metadata), document: columns.some((c) => c.document) }
    }
    case 'compare':
    case 'in':
    case 'contains':
      return { metadata: true, document: false }
    case 'document-contains':
    case 'document-regex':
    case 'document-phrase':
      return { metadata: false, document: true }
    case 'id':
    case 'id-order':
      return { metadata: false, document: false }
  }
}

function idOrder(op: 'gt' | 'gte' | 'lt' | 'lte', value: string): FilterTest {
  switch (op) {
    case 'gt':
      return ({ id }) => compareKeys(id, value) > 0
    case 'gte':
      return ({ id }) => compareKeys(id, value) >= 0
    case 'lt':
      return ({ id }) => compareKeys(id, value) < 0
    case 'lte':
      return ({ id }) => compareKeys(id, value) <= 0
  }
}

function compileCompare(
  key: string,
  op: 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte',
  operand: MetadataScalar,
): FilterTest {
  if (op === 'eq' || op === 'ne') {
    const wanted = equalityKey(operand)
    return onValue(key, op === 'ne', (value) => isScalar(value) && equalityKey(value) === wanted)
  }
  if (!isNumber(operand)) return () => false
  // JavaScript compares a bigint and a number by their exact values.
  switch (op) {
    case 'gt':
      return onValue(key, false, (value) => isNumber(value) && value > operand)
    case 'gte':
      return onValue(key, false, (value) => isNumber(value) && value >= operand)
    case 'lt':
      return onValue(key, false, (value) => isNumber(value) && value < operand)
    case 'lte':
      return onValue(key, false, (value) => isNumber(value) && value <= operand)
  }
}

function onValue(key: string, negated: boolean, test: (value: MetadataValue) => boolean): FilterTest {
  return (row) => {
    const value = row.metadata?.get(key)
    return (value !== undefined && test(value)) !== negated
  }
}

function isNumber(value: MetadataValue): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number'
}

function isScalar(value: MetadataValue): value is MetadataScalar {
  return typeof value !== 'object'
}
