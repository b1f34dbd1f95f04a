/**
 * Chroma's rank expressions, from JSON to a tree. Every object has exactly one key:
 *
 * rank = {"$val": n} | {"$knn": knn}
 *      | {"$sum"|"$mul"|"$max"|"$min": [rank…]} | {"$sub"|"$div": {"left": rank, "right": rank}}
 *      | {"$abs"|"$exp"|"$log": rank}
 *      | {"$attr": {"key": name, "default"?: n}}                      (an extension)
 *      | {"$hybrid": {"query": text, "vector"?: [n…], "fields"?: {name: weight, …}, "limit"?: n}}
 *                                          (an extension, short for the expression of `hybrid.ts`)
 * knn  = {"query": [n…] | sparse | text | examples, "key"?: name, "limit"?: n, "default"?: n, "return_rank"?: bool,
 *         "idf"?: bool, "fields"?: {name: weight, …}}                   ("idf" and "fields" are extensions)
 * sparse = {"#type"?: "sparse_vector", "indices": [n…], "values": [n…], "tokens"?: [text…]}
 *
 * examples = {"positive": [id…], "negative"?: [id…]}                     (an extension)
 *
 * A text as query is an extension: the caller embeds it, unless its words are looked for. `fields`, instead of `key`, looks for them
 * in several texts of each record, with the weight of each (BM25F).
 */
import type { Knn, KnnQuery, Rank, WeightedField } from '../model/search.ts'
import { EMBEDDING_KEY } from '../model/schema.ts'
import { hybridExpression } from './hybrid.ts'
import { MAX_RANK_DEPTH, type CheckLimit } from './limits.ts'
import {
  badShape,
  badValue,
  describe,
  type Fields,
  isAbsent,
  quoted,
  readBoolean,
  readFields,
  readFloat,
  readList,
  readString,
  readStrings,
  readU32,
  short,
} from './read-json.ts'

const DEFAULT_LIMIT = 16

const NARY = { $sum: 'sum', $mul: 'mul', $max: 'max', $min: 'min' } as const
const BINARY = { $sub: 'sub', $div: 'div' } as const
const UNARY = { $abs: 'abs', $exp: 'exp', $log: 'log' } as const
const OPERATORS = [
  '$val',
  '$knn',
  ...Object.keys(NARY),
  ...Object.keys(BINARY),
  ...Object.keys(UNARY),
  '$attr',
  '$hybrid',
]

/**
 * @param path how errors name it: `searches[0].rank`
 * @param answers how many of the best decide the answer
 * @throws SiltstoneError `invalid`: search-shape, search-value, over-limit
 */
export function parseRank(json: unknown, path: string, check: CheckLimit, answers: number): Rank {
  return new Parser(check, answers).rank(json, path, 1)
}

class Parser {
  readonly #check: CheckLimit
  readonly #answers: number
  #nodes = 0
  #knns = 0

  constructor(check: CheckLimit, answers: number) {
    this.#check = check
    this.#answers = answers
  }

  rank(json: unknown, path: string, depth: number): Rank {
    if (depth > MAX_RANK_DEPTH) throw badValue(path, `expressions may be ${MAX_RANK_DEPTH} levels deep`)
    this.#check('maxOperands', path, ++this.#nodes, 'expressions')
    const [operator, operand] = onlyEntry(json, path)
    const below = `${path}.${short(operator)}`
    const inner = (part: unknown, place: string) => this.rank(part, place, depth + 1)
    if (operator === '$val') return { kind: 'value', value: readFloat(operand, below) }
    if (operator === '$knn') {
      this.#check('maxKnns', path, ++this.#knns, '$knn')
      return { kind: 'knn', knn: this.#knn(operand, below) }
    }
    if (operator === '$attr') return attributeOf(operand, below)
    if (operator === '$hybrid') return inner(hybridFrom(operand, below, this.#answers), below)
    if (isOf(NARY, operator))
      return {
        kind: NARY[operator],
        operands: readList(operand, below).map((part, i) => inner(part, `${below}[${i}]`)),
      }
    if (isOf(BINARY, operator)) {
      const fields = readFields(operand, below, ['left', 'right'])
      for (const side of ['left', 'right']) if (!fields.has(side)) throw missing(below, side)
      return {
        kind: BINARY[operator],
        left: inner(fields.get('left'), `${below}.left`),
        right: inner(fields.get('right'), `${below}.right`),
      }
    }
    if (isOf(UNARY, operator)) return { kind: UNARY[operator], operand: inner(operand, below) }
    throw badShape(path, `unknown variant \`${short(operator)}\`, expected one of ${quoted(OPERATORS)}`)
  }

  #knn(json: unknown, path: string): Knn {
    const fields = readFields(json, path, ['query', 'key', 'limit', 'default', 'return_rank', 'idf', 'fields'])
    if (isAbsent(fields.get('query'))) throw missing(path, 'query')
    const idf = optional(fields, 'idf', path, readBoolean)
    const weighted = optional(fields, 'fields', path, (json, below) => this.#weightedFields(json, below))
    const asked = this.#query(fields.get('query'), `${path}.query`, idf)
    const query = weighted ? withFields(asked, weighted, path) : asked
    if (weighted && !isAbsent(fields.get('key'))) throw badValue(path, 'it has a key and fields; leave one of them out')
    const limit = optional(fields, 'limit', path, readU32) ?? DEFAULT_LIMIT
    this.#check('maxKnnLimit', `${path}.limit`, limit, 'records')
    const knn: Knn = {
      query,
      key: optional(fields, 'key', path, readString) ?? weighted?.[0]?.key ?? EMBEDDING_KEY,
      limit,
      default: optional(fields, 'default', path, readFloat) ?? null,
      returnRank: optional(fields, 'return_rank', path, readBoolean) ?? false,
    }
    if ((query.kind === 'dense' || query.kind === 'examples') && knn.key !== EMBEDDING_KEY)
      throw badValue(
        path,
        `the query is ${query.kind === 'dense' ? 'a dense vector' : 'records with dense vectors'}, which only the key ${EMBEDDING_KEY} has, and the key is '${short(knn.key)}'; give a sparse vector, or leave the key out`,
      )
    if (query.kind === 'sparse' && knn.key.startsWith('#'))
      throw badValue(
        path,
        `the query is a sparse vector, and the key is '${short(knn.key)}'; give the metadata key that holds sparse vectors`,
      )
    return knn
  }

  #query(json: unknown, path: string, idf: boolean | undefined): KnnQuery {
    if (typeof json === 'string') return { kind: 'text', text: json }
    if (Array.isArray(json) || json instanceof Float32Array || json instanceof Float64Array) return dense(json, path)
    if (typeof json !== 'object' || json === null)
      throw badShape(path, `data did not match any variant of untagged enum QueryVector (${describe(json)})`)
    if (readFields(json, path).has('positive')) return this.#examples(json, path)
    const query = sparse(readFields(json, path, ['#type', 'indices', 'values', 'tokens']), path, idf)
    this.#check('maxSparseDimensions', path, query.indices.length, 'dimensions')
    return query
  }

  /** In ascending order of keys, so that the order of the JSON changes nothing. */
  #weightedFields(json: unknown, path: string): WeightedField[] {
    const fields = readFields(json, path)
    this.#check('maxOperands', path, fields.size, 'fields')
    if (fields.size === 0)
      throw badValue(path, 'it is empty; give at least one key with its weight, such as {"title": 2}')
    return Array.from(fields, ([key, value]): WeightedField => {
      const below = `${path}.${short(key)}`
      const weight = readFloat(value, below)
      if (!(weight > 0)) throw badValue(below, `the weight is ${weight}; give a number above 0, or leave the field out`)
      return { key, weight }
    }).sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  #examples(json: unknown, path: string): KnnQuery {
    const fields = readFields(json, path, ['positive', 'negative'])
    const [positive = [], negative = []] = ['positive', 'negative'].map((name) =>
      optional(fields, name, path, readStrings),
    )
    this.#check('maxOperands', path, positive.length + negative.length, 'ids')
    if (positive.length === 0) throw badValue(`${path}.positive`, 'it has no id; give at least one record to be like')
    return { kind: 'examples', positive, negative }
  }
}

function withFields(query: KnnQuery, fields: readonly WeightedField[], path: string): KnnQuery {
  if (query.kind === 'text') return { ...query, fields }
  throw badValue(path, 'it has fields, in which the words of a text are looked for, and its query is no text')
}

function dense(json: unknown, path: string): KnnQuery {
  const numbers = readList(json, path)
  if (numbers.length === 0) throw badValue(path, 'a query vector has at least 1 dimension')
  const vector = new Float32Array(numbers.length)
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i]
    vector[i] = typeof number === 'number' ? number : Number.NaN
    // The place is named where something is wrong: hundreds of names would cost more than the numbers.
    if (!Number.isFinite(vector[i])) vector[i] = readFloat(number, `${path}[${i}]`)
  }
  return { kind: 'dense', vector }
}

const INVALID_SPARSE = 'Invalid sparse vector in KNN query: Sparse vector'

function sparse(fields: Fields, path: string, idf: boolean | undefined) {
  const type = fields.get('#type')
  if (!isAbsent(type) && type !== 'sparse_vector')
    throw badShape(`${path}.#type`, `unexpected ${describe(type)}, expected \`sparse_vector\``)
  for (const name of ['indices', 'values']) if (isAbsent(fields.get(name))) throw missing(path, name)
  const indices = readList(fields.get('indices'), `${path}.indices`).map((one, i) =>
    readU32(one, `${path}.indices[${i}]`),
  )
  const values = readList(fields.get('values'), `${path}.values`).map((one, i) =>
    readFloat(one, `${path}.values[${i}]`),
  )
  const tokens = optional(fields, 'tokens', path, readStrings)
  if (values.length !== indices.length || (tokens && tokens.length !== indices.length))
    throw badValue(path, `${INVALID_SPARSE} indices, values, and tokens (when present) must have the same length`)
  if (indices.some((index, i) => i > 0 && index <= (indices[i - 1] as number)))
    throw badValue(path, `${INVALID_SPARSE} indices must be sorted in strictly ascending order (no duplicates)`)
  return { kind: 'sparse' as const, indices, values, ...(idf !== undefined && { idf }) }
}

function hybridFrom(json: unknown, path: string, answers: number) {
  const fields = readFields(json, path, ['query', 'vector', 'fields', 'limit'])
  const query = optional(fields, 'query', path, readString)
  if (query === undefined) throw missing(path, 'query')
  const limit = optional(fields, 'limit', path, readU32)
  if (limit === 0) throw badValue(`${path}.limit`, 'it is 0; give a number above 0')
  const vector = optional(fields, 'vector', path, (list, below) => readList(list, below) as readonly number[])
  return hybridExpression({ query, vector, fields: fields.get('fields') ?? undefined, limit, answers })
}

function attributeOf(json: unknown, path: string): Rank {
  const fields = readFields(json, path, ['key', 'default'])
  const key = optional(fields, 'key', path, readString)
  if (key === undefined) throw missing(path, 'key')
  if (key.startsWith('#')) throw badValue(`${path}.key`, `'${short(key)}' is not a metadata key`)
  return { kind: 'attribute', key, default: optional(fields, 'default', path, readFloat) ?? null }
}

function onlyEntry(json: unknown, path: string): [string, unknown] {
  const entries = [...readFields(json, path)]
  if (entries.length !== 1 || !entries[0])
    throw badShape(path, `an expression has exactly one operator, got ${entries.length}`)
  return entries[0]
}

function optional<T>(
  fields: Fields,
  name: string,
  path: string,
  read: (json: unknown, path: string) => T,
): T | undefined {
  const json = fields.get(name)
  return isAbsent(json) ? undefined : read(json, `${path}.${name}`)
}

function missing(path: string, name: string) {
  return badShape(path, `missing field \`${name}\``)
}

function isOf<T extends object>(operators: T, name: string): name is keyof T & string {
  return Object.hasOwn(operators, name)
}
