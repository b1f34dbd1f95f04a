/**
 * Chroma's filter language, from JSON to a tree.
 *
 * where          = { key: scalar } | { key: { op: operand } } | { $and|$or: [where…] }
 *   op           = $eq $ne $gt $gte $lt $lte $in $nin $contains $not_contains
 *   #document    takes the operators of where_document; #id takes $eq $ne $in $nin, and as an extension
 *                $gt $gte $lt $lte with a string
 * where_document = { $contains|$not_contains|$regex|$not_regex|$phrase|$not_phrase: text } | { $and|$or: [where_document…] }
 *                  ($phrase and $not_phrase are extensions)
 *
 * Every object has exactly one key. An empty $and is true, an empty $or false.
 */
import { DOCUMENT_KEY } from '../model/schema.ts'
import { invalid, isSiltstoneError, type SiltstoneError } from '../errors.ts'
import { entriesOf, type NumberStyle, numberStyleOf, readScalar } from '../records/metadata-value.ts'
import type { MetadataScalar } from '../model/record.ts'
import { LONGEST_PHRASE } from '../text/phrase.ts'
import { phraseOf } from './phrase.ts'
import { compileRegex } from './regex.ts'
import type { Filter } from '../model/filter.ts'

/** Deeper trees are refused, so that no recursion over a filter can exhaust the stack. */
export const MAX_FILTER_DEPTH = 64

type Fail = (detail: string) => SiltstoneError
const whereError: Fail = (detail) => invalid('where-clause', `Invalid where clause: ${detail}`, { field: 'where' })
const documentError: Fail = (detail) =>
  invalid('where-document-clause', `Invalid where document clause: ${detail}`, { field: 'where_document' })

/**
 * @param json from the exact parser or from JSON.parse
 * @param numbers which of the two; by default the exact parser is recognised by its Maps
 * @throws SiltstoneError `invalid`: where-clause, regex-syntax
 */
export function parseWhere(json: unknown, numbers: NumberStyle = numberStyleOf(json)): Filter {
  return parseTree(json, 1, whereError, (key, operand) => parsePredicate(key, operand, numbers))
}

/** @throws SiltstoneError `invalid`: where-document-clause, regex-syntax */
export function parseWhereDocument(json: unknown): Filter {
  return parseTree(json, 1, documentError, (op, operand) => parseDocumentPredicate(op, operand, documentError))
}

/** The conjunction of the given filters; undefined if there is none. */
export function andFilters(...filters: readonly (Filter | undefined)[]): Filter | undefined {
  const clauses = filters.filter((filter) => filter !== undefined)
  return clauses.length <= 1 ? clauses[0] : { kind: 'and', clauses }
}

function parseTree(json: unknown, depth: number, fail: Fail, leaf: (key: string, operand: unknown) => Filter): Filter {
  if (depth > MAX_FILTER_DEPTH) throw fail(`nested deeper than ${MAX_FILTER_DEPTH} levels`)
  const [key, operand] = onlyEntry(json, 'a filter', fail)
  if (key !== '$and' && key !== '$or') return leaf(key, operand)
  if (!Array.isArray(operand)) throw fail(`${key} takes a list of filters, got ${show(operand)}`)
  const clauses = operand.map((clause) => parseTree(clause, depth + 1, fail, leaf))
  return { kind: key === '$and' ? 'and' : 'or', clauses }
}

function onlyEntry(json: unknown, what: string, fail: Fail): [string, unknown] {
  const entries = entriesOf(json)
  if (entries === null) throw fail(`${what} must be an object, got ${show(json)}`)
  const [first, ...rest] = entries
  if (first === undefined || rest.length > 0) {
    const keys = first === undefined ? 'none' : [first, ...rest].slice(0, 5).map(([key]) => `'${key}'`)
    throw fail(`${what} must have exactly one key, got ${String(keys)}; combine several with $and or $or`)
  }
  return first
}

function parsePredicate(key: string, operand: unknown, numbers: NumberStyle): Filter {
  if (key.startsWith('$')) throw whereError(`'${key}' is not an operator that is allowed here; use $and or $or`)
  if (key === '') throw whereError('keys must not be empty')
  const scalar = scalarOf(operand, key, numbers)
  const [op, value] =
    scalar === undefined ? onlyEntry(operand, `the condition of '${key}'`, whereError) : ['$eq', scalar]
  if (key === DOCUMENT_KEY) return parseDocumentPredicate(op, value, whereError)
  if (key === '#id') return parseIdPredicate(op, value)
  if (key.startsWith('#')) throw whereError(`'${key}' cannot be filtered; of the reserved keys #document and #id can`)
  switch (op) {
    case '$eq':
    case '$ne':
      return { kind: 'compare', key, op: op === '$eq' ? 'eq' : 'ne', value: needScalar(value, key, op, numbers) }
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return parseOrder(key, op, needScalar(value, key, op, numbers))
    case '$in':
    case '$nin':
      return { kind: 'in', key, negated: op === '$nin', values: parseList(value, key, op, numbers) }
    case '$contains':
    case '$not_contains':
      return { kind: 'contains', key, negated: op === '$not_contains', value: needScalar(value, key, op, numbers) }
    default:
      throw whereError(`unknown operator '${op}' on '${key}'; the operators are ${OPERATORS}`)
  }
}

const OPERATORS = '$eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $contains, $not_contains'

const ORDERS = { $gt: 'gt', $gte: 'gte', $lt: 'lt', $lte: 'lte' } as const

function parseOrder(key: string, op: keyof typeof ORDERS, value: MetadataScalar): Filter {
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw whereError(`${op} on '${key}' takes a number, got ${show(value)}`)
  }
  return { kind: 'compare', key, op: ORDERS[op], value }
}

/** A list that is not empty, of one type. Integers and floats have the same type. */
function parseList(json: unknown, key: string, op: string, numbers: NumberStyle): MetadataScalar[] {
  if (!Array.isArray(json) || json.length === 0) {
    throw whereError(`${op} on '${key}' takes a list that is not empty, got ${show(json)}`)
  }
  const values = json.map((element) => needScalar(element, key, op, numbers))
  const kind = (value: MetadataScalar | undefined) => (typeof value === 'bigint' ? 'number' : typeof value)
  const odd = values.find((value) => kind(value) !== kind(values[0]))
  if (odd !== undefined) {
    throw whereError(`the list of ${op} on '${key}' mixes ${kind(values[0])} and ${kind(odd)}`)
  }
  return values
}

function parseIdPredicate(op: string, value: unknown): Filter {
  if (Object.hasOwn(ORDERS, op)) {
    if (typeof value !== 'string') throw whereError(`${op} on #id takes a string, got ${show(value)}`)
    return { kind: 'id-order', op: ORDERS[op as keyof typeof ORDERS], value }
  }
  const values = op === '$eq' || op === '$ne' ? [value] : value
  if (!['$eq', '$ne', '$in', '$nin'].includes(op)) throw whereError(`'${op}' cannot be used on #id`)
  if (!Array.isArray(values) || values.length === 0 || !values.every((id) => typeof id === 'string')) {
    throw whereError(`${op} on #id takes ${value === values ? 'a list of strings' : 'a string'}, got ${show(value)}`)
  }
  return { kind: 'id', negated: op === '$ne' || op === '$nin', values }
}

const DOCUMENT_OPERATORS: Record<string, 'document-contains' | 'document-regex' | 'document-phrase'> = {
  $contains: 'document-contains',
  $not_contains: 'document-contains',
  $regex: 'document-regex',
  $not_regex: 'document-regex',
  $phrase: 'document-phrase',
  $not_phrase: 'document-phrase',
}

function parseDocumentPredicate(op: string, operand: unknown, fail: Fail): Filter {
  const kind = Object.hasOwn(DOCUMENT_OPERATORS, op) ? DOCUMENT_OPERATORS[op] : undefined
  if (kind === undefined) throw fail(`'${op}' cannot be used on documents`)
  if (typeof operand !== 'string') throw fail(`${op} on documents takes a string, got ${show(operand)}`)
  const negated = op.startsWith('$not_')
  if (kind === 'document-contains') return { kind, negated, text: operand }
  if (kind === 'document-phrase') {
    checkPhrase(operand, op, fail)
    return { kind, negated, text: operand }
  }
  compileRegex(operand)
  return { kind, negated, pattern: operand }
}

function checkPhrase(text: string, op: string, fail: Fail): void {
  try {
    phraseOf(text)
  } catch (error) {
    if (!isSiltstoneError(error, 'invalid')) throw error
    throw error.code === 'phrase-too-long'
      ? fail(`${op} takes at most ${LONGEST_PHRASE} words, got ${show(text)}`)
      : fail(`${op} takes a text with a word, got ${show(text)}`)
  }
}

function scalarOf(json: unknown, key: string, numbers: NumberStyle): MetadataScalar | undefined {
  if (typeof json === 'number' && !Number.isFinite(json)) throw whereError(`the number for '${key}' must be finite`)
  return readScalar(json, key, numbers)
}

function needScalar(json: unknown, key: string, op: string, numbers: NumberStyle): MetadataScalar {
  const scalar = scalarOf(json, key, numbers)
  if (scalar === undefined) throw whereError(`${op} on '${key}' takes a string, number or boolean, got ${show(json)}`)
  return scalar
}

function show(json: unknown): string {
  if (json === null || ['number', 'bigint', 'boolean', 'undefined'].includes(typeof json)) return String(json)
  if (typeof json === 'string') return JSON.stringify(json.length > 40 ? `${json.slice(0, 40)}…` : json)
  if (Array.isArray(json)) return json.length === 0 ? 'an empty list' : 'a list'
  return 'an object'
}
