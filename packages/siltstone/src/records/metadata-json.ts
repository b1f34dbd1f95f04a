/** Converts metadata between parsed JSON, its stored text and plain JavaScript values. */
import { type MetadataMode, type NumberStyle, numberStyleOf, readMetadata } from './metadata-value.ts'
import { isSparseVector, parseMetadata, stringifyMetadata } from './metadata.ts'
import type { MetadataScalar, MetadataValue } from '../model/record.ts'

/**
 * Checks one record's metadata as a client sent it and returns its exact text, or null when there is none.
 *
 * @param json null, undefined or an object, from the exact parser or from JSON.parse
 * @param path how errors name it: `metadatas[0]`
 * @param mode `add`: null values are refused, empty arrays dropped. `patch` (update, upsert): both are kept, to be
 *   applied by `mergeMetadata`
 * @param numbers how `json` was parsed; by default derived from its class (only the exact parser makes Maps)
 * @throws SiltstoneError `invalid`: metadata-type (Chroma answers 422), metadata-key and sparse-vector (400)
 */
export function metadataFromJson(
  json: unknown,
  path: string,
  mode: MetadataMode,
  numbers: NumberStyle = numberStyleOf(json),
): string | null {
  if (json === null || json === undefined) return null
  const metadata = readMetadata(json, path, mode, numbers)
  return metadata.size === 0 ? null : stringifyMetadata(metadata)
}

/**
 * Stored metadata as JavaScript users want it: numbers (bigint only where a number could not hold the integer
 * exactly), strings, booleans, arrays of these, sparse vectors as `{ indices, values, tokens? }`.
 */
export function metadataToPlain(text: string | null): Record<string, unknown> | null {
  if (text === null) return null
  const plain: [string, unknown][] = []
  for (const [key, value] of parseMetadata(text)) plain.push([key, valueToPlain(value)])
  // fromEntries defines properties, so a key named __proto__ is a key like any other.
  return Object.fromEntries(plain)
}

function valueToPlain(value: MetadataValue): unknown {
  if (Array.isArray(value)) return value.map(scalarToPlain)
  return isSparseVector(value) ? value : scalarToPlain(value)
}

function scalarToPlain(value: MetadataScalar): MetadataScalar {
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
