import { type ExactJson, parseExact } from '../records/exact-json.ts'

const F32_MAX = 3.4028234663852886e38

/**
 * Tests a record's metadata: an object whose values are strings, booleans, integers, floats, arrays of one of these
 * (integers and floats may mix), or sparse vectors. Keys are not empty and do not begin with `#` or `$`.
 * `patch` (update, upsert) also allows null and the empty array, which remove a key.
 * @returns what is wrong, or undefined
 */
export function checkMetadataText(text: string, patch: boolean): string | undefined {
  let value: ExactJson
  try {
    value = parseExact(text)
  } catch (error) {
    return `metadata is not JSON: ${(error as SyntaxError).message}`
  }
  if (!(value instanceof Map)) return 'metadata is not a JSON object'
  for (const [key, item] of value) {
    const reason = checkKey(key) ?? checkValue(item, patch)
    if (reason !== undefined) return `metadata key ${JSON.stringify(key.slice(0, 100))}: ${reason}`
  }
  return undefined
}

function checkKey(key: string): string | undefined {
  if (key === '') return 'a key must not be empty'
  return key.startsWith('#') || key.startsWith('$') ? 'a key must not begin with # or $' : undefined
}

function checkValue(value: ExactJson, patch: boolean): string | undefined {
  if (value === null) return patch ? undefined : 'null is only allowed in update and upsert, where it removes the key'
  if (value instanceof Map) return checkSparse(value)
  if (!Array.isArray(value)) return undefined
  if (value.length === 0) return patch ? undefined : 'an empty array is only allowed in update and upsert'
  const kind = scalarKind(value[0])
  return kind !== undefined && value.every((item) => scalarKind(item) === kind)
    ? undefined
    : 'an array must hold strings, booleans or numbers, all of one kind'
}

function scalarKind(value: ExactJson | undefined): 'string' | 'boolean' | 'number' | undefined {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'boolean'
  return isNumber(value) ? 'number' : undefined
}

function isNumber(value: ExactJson | undefined): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number'
}

function checkSparse(value: Map<string, ExactJson>): string | undefined {
  if (value.get('#type') !== 'sparse_vector') return 'an object must be a sparse vector ("#type": "sparse_vector")'
  const known = new Set(['#type', 'indices', 'values', 'tokens'])
  for (const key of value.keys()) if (!known.has(key)) return `a sparse vector has no ${JSON.stringify(key)}`
  const indices = value.get('indices')
  const values = value.get('values')
  const tokens = value.get('tokens') ?? null
  if (!Array.isArray(indices) || !Array.isArray(values)) return 'a sparse vector needs indices and values'
  if (indices.length !== values.length) return 'a sparse vector needs as many values as indices'
  let last = -1n
  for (const index of indices) {
    if (typeof index !== 'bigint' || index <= last || index >= 2n ** 32n) {
      return 'the indices of a sparse vector must be 32-bit integers in ascending order'
    }
    last = index
  }
  if (!values.every((item) => isNumber(item) && Math.abs(Number(item)) <= F32_MAX)) {
    return 'the values of a sparse vector must be 32-bit floats'
  }
  if (tokens === null) return undefined
  return Array.isArray(tokens) && tokens.length === indices.length && tokens.every((item) => typeof item === 'string')
    ? undefined
    : 'a sparse vector needs as many tokens as indices'
}
