/** Reads metadata from parsed JSON and checks it. The grammar is at the top of `metadata.ts`. */
import { shortestDouble } from './shortest-double.ts'
import { invalid, type SiltstoneError } from '../errors.ts'
import type { MetadataScalar, MetadataValue, SparseVector } from '../model/record.ts'

/** `add` refuses null. `patch` (update, upsert) keeps null and empty arrays, which both remove their key. */
export type MetadataMode = 'add' | 'patch'

/**
 * How the JSON was parsed. `exact`: integers are bigint and every number is a float. `plain` (JSON.parse): a number
 * without a fraction is an integer, unless it is too large for a double to hold exactly; then it stays a float.
 */
export type NumberStyle = 'exact' | 'plain'

const MIN_I64 = -(2n ** 63n)
const MAX_I64 = 2n ** 63n - 1n
const MAX_U32 = 2 ** 32 - 1
const KINDS = 'a boolean, an integer, a float, a string, an array of one of these, or a sparse vector'

/** The entries of a parsed JSON object (the exact parser makes a Map, JSON.parse a plain object), or null. */
export function entriesOf(json: unknown): Iterable<[string, unknown]> | null {
  if (json instanceof Map) return json as Map<string, unknown>
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return null
  const prototype: unknown = Object.getPrototypeOf(json)
  return prototype === null || prototype === Object.prototype ? Object.entries(json) : null
}

/** The exact parser makes Maps of objects, JSON.parse never does. */
export function numberStyleOf(json: unknown): NumberStyle {
  return json instanceof Map ? 'exact' : 'plain'
}

/**
 * @param json the object
 * @param path how errors name it: `metadatas[0]`
 * @throws SiltstoneError `invalid`: metadata-type, metadata-key, sparse-vector
 */
export function readMetadata(
  json: unknown,
  path: string,
  mode: MetadataMode,
  numbers: NumberStyle,
): Map<string, MetadataValue | null> {
  const entries = entriesOf(json)
  if (entries === null) throw wrongType(path, 'an object', json)
  const metadata = new Map<string, MetadataValue | null>()
  for (const [key, value] of entries) {
    if (value === undefined) continue
    if (key === '' || key.startsWith('#') || key.startsWith('$')) {
      const text = `${path}: metadata keys must not be empty or start with '#' or '$', got '${key}'`
      throw invalid('metadata-key', text, { field: path })
    }
    const field = `${path}.${key}`
    if (value === null) {
      if (mode === 'add') throw wrongType(field, KINDS, value)
      metadata.set(key, null)
      continue
    }
    const read = readValue(value, field, numbers)
    if (mode === 'patch' || !Array.isArray(read) || read.length > 0) metadata.set(key, read)
  }
  return metadata
}

function readValue(json: unknown, field: string, numbers: NumberStyle): MetadataValue {
  if (Array.isArray(json)) return readArray(json, field, numbers)
  const scalar = readScalar(json, field, numbers)
  if (scalar !== undefined) return scalar
  const entries = entriesOf(json)
  if (entries === null) throw wrongType(field, KINDS, json)
  return readSparse(new Map(entries), field, numbers)
}

/** undefined when `json` is not a scalar. */
export function readScalar(json: unknown, field: string, numbers: NumberStyle): MetadataScalar | undefined {
  if (typeof json === 'string' || typeof json === 'boolean') return json
  if (typeof json === 'bigint') return json < MIN_I64 || json > MAX_I64 ? finite(Number(json), field) : json
  if (typeof json !== 'number') return undefined
  return numbers === 'plain' && Number.isSafeInteger(json) ? BigInt(json) : finite(json, field)
}

function readArray(json: unknown[], field: string, numbers: NumberStyle): MetadataScalar[] {
  const scalars = json.map((element, i) => {
    const scalar = readScalar(element, `${field}[${i}]`, numbers)
    if (scalar === undefined) throw wrongType(`${field}[${i}]`, 'a boolean, a number or a string', element)
    return scalar
  })
  const kinds = new Set(scalars.map((scalar) => typeof scalar))
  if (kinds.size <= 1) return scalars
  // Integers among floats become floats; no other mixture is allowed.
  if (kinds.size === 2 && kinds.has('bigint') && kinds.has('number')) return scalars.map(Number)
  throw wrongType(field, 'an array whose elements are all of one type', json)
}

function readSparse(fields: Map<string, unknown>, field: string, numbers: NumberStyle): SparseVector {
  // JavaScript users give sparse vectors without the tag, as the type of the chromadb client has none.
  const tagged = fields.get('#type') === 'sparse_vector' || (numbers === 'plain' && !fields.has('#type'))
  const { indices, values, tokens = null } = Object.fromEntries(fields)
  if (!tagged || !Array.isArray(indices) || !Array.isArray(values)) throw wrongType(field, KINDS, fields)
  for (const name of fields.keys()) {
    if (!['#type', 'indices', 'values', 'tokens'].includes(name))
      throw badSparse(field, `has the unknown field '${name}'`)
  }
  if (indices.length !== values.length) {
    throw badSparse(field, `must have as many values as indices, got ${values.length} and ${indices.length}`)
  }
  let previous = -1
  const sparse: SparseVector = { indices: [], values: [] }
  for (const [i, element] of indices.entries()) {
    const index = typeof element === 'bigint' ? Number(element) : numbers === 'plain' ? element : Number.NaN
    if (!Number.isInteger(index) || index < 0 || index > MAX_U32) {
      throw badSparse(`${field}.indices[${i}]`, `must be an integer from 0 to ${MAX_U32}, got ${show(element)}`)
    }
    if (index <= previous) throw badSparse(`${field}.indices[${i}]`, `must be above the one before, got ${index}`)
    previous = index
    sparse.indices.push(index)
  }
  for (const [i, element] of values.entries()) {
    const value = typeof element === 'bigint' || typeof element === 'number' ? Number(element) : Number.NaN
    if (!Number.isFinite(Math.fround(value))) {
      throw badSparse(`${field}.values[${i}]`, `must be a finite 32-bit float, got ${show(element)}`)
    }
    sparse.values.push(shortestDouble(Math.fround(value)))
  }
  if (tokens === null || tokens === undefined) return sparse
  if (!Array.isArray(tokens) || !tokens.every((token) => typeof token === 'string')) {
    throw badSparse(`${field}.tokens`, 'must be an array of strings')
  }
  if (tokens.length !== indices.length) {
    throw badSparse(`${field}.tokens`, `must have as many elements as indices, got ${tokens.length}`)
  }
  sparse.tokens = tokens
  return sparse
}

function finite(value: number, field: string): number {
  if (Number.isFinite(value)) return value
  throw invalid('metadata-type', `${field}: numbers must be finite, got ${value}`, { field })
}

function wrongType(field: string, expected: string, got: unknown): SiltstoneError {
  const text = `${field}: data did not match any variant of untagged enum MetadataValue: expected ${expected}, got ${show(got)}`
  return invalid('metadata-type', text, { field })
}

function badSparse(field: string, what: string): SiltstoneError {
  return invalid('sparse-vector', `${field}: the sparse vector ${what}`, { field })
}

function show(value: unknown): string {
  if (value === null || typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  return Array.isArray(value) ? 'an array' : entriesOf(value) === null ? typeof value : 'an object'
}
