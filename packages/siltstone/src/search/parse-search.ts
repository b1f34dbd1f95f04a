/**
 * One search of a request, from JSON. Each field may be absent or null.
 *
 * search   = {"filter"?: where, "rank"?: rank, "group_by"?: grouping, "limit"?: {"offset"?: n, "limit"?: n},
 *             "select"?: {"keys": [key…]},
 *             "max_score"?: n, "facets"?: {"keys": [field…], "limit"?: n}, "highlight"?: highlight,
 *             "order_by"?: [{"key": field | "#score", "order"?: "asc" | "desc"}…],
 *             "mmr"?: {"lambda"?: n, "candidates"?: n}, "did_you_mean"?: {"text"?: text},
 *             "suggest"?: {"text": text, "limit"?: n}}                                           (extensions)
 * highlight = {"texts"?: [text…], "fragments"?: n, "length"?: n}
 * grouping = {} | {"keys": [field…], "aggregate": {"$min_k"|"$max_k": {"keys": [field|"#score"…], "k": n}}}
 * key      = "#document" | "#embedding" | "#metadata" | "#score" | field
 */
import { isSiltstoneError } from '../errors.ts'
import { parseWhere } from '../filter/parse.ts'
import type { Filter } from '../model/filter.ts'
import { DOCUMENT_KEY, EMBEDDING_KEY } from '../model/schema.ts'
import type {
  Diversity,
  Facets,
  GroupBy,
  HighlightRequest,
  OrderKey,
  Rank,
  Search,
  SearchSelect,
} from '../model/search.ts'
import { compareKeys } from '../ports/object-key.ts'
import { entriesOf, type NumberStyle, numberStyleOf } from '../records/metadata-value.ts'
import { knnsOf } from './evaluate.ts'
import { parseRank } from './parse-rank.ts'
import {
  badShape,
  badValue,
  isAbsent,
  readFields,
  readFloat,
  readList,
  readString,
  readStrings,
  readU32,
} from './read-json.ts'
import type { CheckLimit } from './limits.ts'

export const METADATA = '#metadata'
export const SCORE = '#score'
const RESERVED = [DOCUMENT_KEY, EMBEDDING_KEY, METADATA, SCORE]

const FIELDS = [
  'filter',
  'rank',
  'group_by',
  'limit',
  'select',
  'max_score',
  'facets',
  'highlight',
  'order_by',
  'mmr',
  'did_you_mean',
  'suggest',
]

export interface ParsedSearch {
  search: Search
  /** The selected keys, sorted as answers repeat them: those that begin with # first, each once. */
  select: readonly string[]
}

/**
 * @param path how errors name it: `searches[0]`
 * @param numbers how the JSON was parsed
 * @throws SiltstoneError `invalid`: search-shape, search-value, over-limit
 */
export function parseSearch(
  json: unknown,
  path: string,
  check: CheckLimit,
  numbers: NumberStyle = numberStyleOf(json),
): ParsedSearch {
  const fields = readFields(json, path, FIELDS)
  const part = <T>(name: string, read: (json: unknown, path: string) => T): T | undefined => {
    const value = fields.get(name)
    return isAbsent(value) ? undefined : read(value, `${path}.${name}`)
  }
  const filter = part('filter', (value, at) => filterOf(value, at, numbers))
  const groupBy = part('group_by', (value, at) => groupByOf(value, at, check))
  const { offset = 0, limit } = part('limit', limitOf) ?? {}
  const isCutLater = groupBy || ['order_by', 'mmr'].some((name) => !isAbsent(fields.get(name)))
  const answers = isCutLater || limit === undefined ? Number.POSITIVE_INFINITY : offset + limit
  const rank = part('rank', (value, at) => parseRank(value, at, check, answers))
  const select = part('select', (value, at) => selectOf(value, at, check)) ?? []
  const maxScore = part('max_score', readFloat)
  const facets = part('facets', (value, at) => facetsOf(value, at, check))
  const highlight = part('highlight', (value, at) => highlightOf(value, at, check, rank, filter))
  const orderBy = part('order_by', (value, at) => orderOf(value, at, check, rank))
  const diversity = part('mmr', (value, at) => diversityOf(value, at, check))
  const didYouMean = part('did_you_mean', (value, at) => didYouMeanOf(value, at, rank))
  const suggest = part('suggest', (value, at) => suggestOf(value, at, check))
  if (diversity && !rank) throw badValue(path, 'mmr requires rank expression to be specified')
  if (diversity && orderBy) throw badValue(path, 'mmr and order_by both give an order; leave one out')
  if (groupBy && !rank) throw badValue(path, 'group_by requires rank expression to be specified')
  if (maxScore !== undefined && !rank) throw badValue(path, 'max_score requires rank expression to be specified')
  return {
    search: {
      ...(filter && { filter }),
      ...(rank && { rank }),
      ...(groupBy && { groupBy }),
      ...(maxScore !== undefined && { maxScore }),
      ...(facets && { facets }),
      ...(highlight && { highlight }),
      ...(orderBy && { orderBy }),
      ...(diversity && { diversity }),
      ...(didYouMean && { didYouMean }),
      ...(suggest && { suggest }),
      offset,
      ...(limit !== undefined && { limit }),
      select: columnsOf(select),
    },
    select,
  }
}

function filterOf(json: unknown, path: string, numbers: NumberStyle): Filter | undefined {
  const entries = entriesOf(json)
  if (entries !== null && [...entries].length === 0) return undefined
  try {
    return parseWhere(json, numbers)
  } catch (error) {
    // Chroma parses filters with the body, so a malformed one is a shape here, and a value in `get` and `query`.
    throw isSiltstoneError(error, 'invalid') ? badShape(path, error.message) : error
  }
}

function limitOf(json: unknown, path: string): { offset?: number; limit?: number } {
  const fields = readFields(json, path, ['offset', 'limit'])
  const number = (name: string) => {
    const value = fields.get(name)
    return isAbsent(value) ? undefined : readU32(value, `${path}.${name}`)
  }
  const offset = number('offset')
  const limit = number('limit')
  return { ...(offset !== undefined && { offset }), ...(limit !== undefined && { limit }) }
}

function selectOf(json: unknown, path: string, check: CheckLimit): string[] {
  const fields = readFields(json, path, ['keys'])
  const given = fields.get('keys')
  const keys = isAbsent(given) ? [] : readStrings(given, `${path}.keys`)
  check('maxOperands', `${path}.keys`, keys.length, 'keys')
  const unique = new Set(keys)
  const reserved = RESERVED.filter((key) => unique.delete(key))
  return [...reserved, ...[...unique].sort(compareKeys)]
}

function columnsOf(keys: readonly string[]): SearchSelect {
  const fields = keys.filter((key) => !RESERVED.includes(key))
  return {
    documents: keys.includes(DOCUMENT_KEY),
    embeddings: keys.includes(EMBEDDING_KEY),
    metadatas: keys.includes(METADATA) || (fields.length > 0 && fields),
    scores: keys.includes(SCORE),
  }
}

const DEFAULT_FACET_VALUES = 10

function facetsOf(json: unknown, path: string, check: CheckLimit): Facets | undefined {
  const fields = readFields(json, path, ['keys', 'limit'])
  const given = fields.get('keys')
  const keys = isAbsent(given) ? [] : readStrings(given, `${path}.keys`)
  if (keys.length === 0) return undefined
  check('maxOperands', `${path}.keys`, keys.length, 'keys')
  if (keys.some((key) => key.startsWith('#'))) throw badValue(`${path}.keys`, 'facets are counted of metadata keys')
  const limit = fields.get('limit')
  return { keys, limit: isAbsent(limit) ? DEFAULT_FACET_VALUES : readU32(limit, `${path}.limit`) }
}

/** @returns undefined for an empty list */
function orderOf(json: unknown, path: string, check: CheckLimit, rank: Rank | undefined): OrderKey[] | undefined {
  const keys = readList(json, path).map((one, i): OrderKey => {
    const at = `${path}[${i}]`
    const fields = readFields(one, at, ['key', 'order'])
    if (isAbsent(fields.get('key'))) throw badShape(at, 'missing field `key`')
    const key = readString(fields.get('key'), `${at}.key`)
    if (key.startsWith('#') && !(key === SCORE && rank))
      throw badValue(`${at}.key`, 'records are ordered by metadata keys, and by #score if there is a rank expression')
    const order = isAbsent(fields.get('order')) ? 'asc' : readString(fields.get('order'), `${at}.order`)
    if (order !== 'asc' && order !== 'desc')
      throw badShape(`${at}.order`, `unknown variant \`${order.slice(0, 60)}\`, expected \`asc\` or \`desc\``)
    return { key, order: order === 'asc' ? 'ascending' : 'descending' }
  })
  check('maxOperands', path, keys.length, 'keys')
  return keys.length === 0 ? undefined : keys
}

const DEFAULT_LAMBDA = 0.5
const DEFAULT_CANDIDATES = 100
/** Each choice compares all that are left. */
const MOST_CANDIDATES = 1_000

function diversityOf(json: unknown, path: string, check: CheckLimit): Diversity {
  const fields = readFields(json, path, ['lambda', 'candidates'])
  const [givenLambda, givenCandidates] = [fields.get('lambda'), fields.get('candidates')]
  const lambda = isAbsent(givenLambda) ? DEFAULT_LAMBDA : readFloat(givenLambda, `${path}.lambda`)
  if (lambda < 0 || lambda > 1) throw badValue(`${path}.lambda`, `${lambda} is not between 0 and 1`)
  const candidates = isAbsent(givenCandidates) ? DEFAULT_CANDIDATES : readU32(givenCandidates, `${path}.candidates`)
  if (candidates === 0 || candidates > MOST_CANDIDATES)
    throw badValue(`${path}.candidates`, `${candidates} is not between 1 and ${MOST_CANDIDATES}`)
  check('maxKnnLimit', `${path}.candidates`, candidates, 'records')
  return { lambda, candidates }
}

const DEFAULT_FRAGMENTS = 3
const DEFAULT_FRAGMENT_LENGTH = 200

/** Without texts of its own, it shows the words of the texts that the search looks for, and of its phrases. */
function highlightOf(
  json: unknown,
  path: string,
  check: CheckLimit,
  rank: Rank | undefined,
  filter: Filter | undefined,
): HighlightRequest {
  const fields = readFields(json, path, ['texts', 'fragments', 'length'])
  const given = fields.get('texts')
  const texts = isAbsent(given) ? [...textsOf(rank), ...phrasesOf(filter)] : readStrings(given, `${path}.texts`)
  check('maxOperands', `${path}.texts`, texts.length, 'texts')
  if (texts.length === 0) throw badValue(path, 'the search has no text whose words could be shown; give texts')
  const number = (name: string, byDefault: number) => {
    const value = fields.get(name)
    const read = isAbsent(value) ? byDefault : readU32(value, `${path}.${name}`)
    if (read === 0) throw badValue(`${path}.${name}`, `${name} must be greater than 0`)
    return read
  }
  return { texts, fragments: number('fragments', DEFAULT_FRAGMENTS), length: number('length', DEFAULT_FRAGMENT_LENGTH) }
}

function textsOf(rank: Rank | undefined): string[] {
  return (rank ? knnsOf(rank) : []).flatMap(({ query }) => (query.kind === 'text' ? [query.text] : []))
}

function phrasesOf(filter: Filter | undefined): string[] {
  if (filter && 'clauses' in filter) return filter.clauses.flatMap(phrasesOf)
  return filter?.kind === 'document-phrase' && !filter.negated ? [filter.text] : []
}

/** Without a text of its own, it is that of the search. */
function didYouMeanOf(json: unknown, path: string, rank: Rank | undefined): { text: string } {
  const given = readFields(json, path, ['text']).get('text')
  if (!isAbsent(given)) return { text: readString(given, `${path}.text`) }
  const [text, ...others] = new Set(textsOf(rank))
  if (text === undefined) throw badValue(path, 'the search has no text whose words could be looked up; give text')
  if (others.length > 0) throw badValue(path, 'the search has different texts; give the text to look up')
  return { text }
}

const DEFAULT_SUGGESTIONS = 10

function suggestOf(json: unknown, path: string, check: CheckLimit): { text: string; limit: number } {
  const fields = readFields(json, path, ['text', 'limit'])
  if (isAbsent(fields.get('text'))) throw badShape(path, 'missing field `text`')
  const limit = fields.get('limit')
  const count = isAbsent(limit) ? DEFAULT_SUGGESTIONS : readU32(limit, `${path}.limit`)
  check('maxKnnLimit', `${path}.limit`, count, 'words')
  return { text: readString(fields.get('text'), `${path}.text`), limit: count }
}

function groupByOf(json: unknown, path: string, check: CheckLimit): GroupBy | undefined {
  const fields = readFields(json, path, ['keys', 'aggregate'])
  const keys = isAbsent(fields.get('keys')) ? [] : readStrings(fields.get('keys'), `${path}.keys`)
  const aggregate = fields.get('aggregate')
  if (keys.length === 0 && isAbsent(aggregate)) return undefined
  if (keys.length === 0 || isAbsent(aggregate))
    throw badValue(path, 'group_by keys and aggregate must both be specified or both be omitted')
  check('maxOperands', `${path}.keys`, keys.length, 'keys')
  if (keys.some((key) => key.startsWith('#')))
    throw badValue(
      `${path}.keys`,
      'group_by keys must be metadata fields (cannot use #score, #document, #embedding, or #metadata)',
    )
  return { keys, ...aggregateOf(aggregate, `${path}.aggregate`, check) }
}

function aggregateOf(json: unknown, path: string, check: CheckLimit): Omit<GroupBy, 'keys'> {
  const [entry, ...others] = readFields(json, path)
  if (!entry || others.length > 0) throw badShape(path, 'an aggregate has exactly one operator')
  const [operator, operand] = entry
  if (operator !== '$min_k' && operator !== '$max_k')
    throw badShape(path, `unknown variant \`${operator.slice(0, 60)}\`, expected \`$min_k\` or \`$max_k\``)
  const fields = readFields(operand, `${path}.${operator}`, ['keys', 'k'])
  for (const name of ['keys', 'k'])
    if (isAbsent(fields.get(name))) throw badShape(`${path}.${operator}`, `missing field \`${name}\``)
  const by = readStrings(fields.get('keys'), `${path}.${operator}.keys`)
  const k = readU32(fields.get('k'), `${path}.${operator}.k`)
  check('maxOperands', `${path}.${operator}.keys`, by.length, 'keys')
  if (by.length === 0) throw badValue(path, 'aggregate keys must not be empty')
  if (k === 0) throw badValue(path, 'aggregate k must be greater than 0')
  if (by.some((key) => key.startsWith('#') && key !== SCORE))
    throw badValue(
      path,
      'aggregate keys must be metadata fields or #score (cannot use #document, #embedding, or #metadata)',
    )
  return { order: operator === '$min_k' ? 'ascending' : 'descending', by, k }
}
