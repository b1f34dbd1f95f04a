/**
 * Metadata as it is stored: exact JSON text of an object, where `1` is a 64-bit integer and `1.0` a float.
 *
 * Values are bool, integer, float, string, an array of one of these, or a sparse vector
 * `{"#type":"sparse_vector","indices":[…],"values":[…],"tokens"?:[…]}`. An empty array means that the key is absent, an
 * empty object that there is no metadata. A *patch* (update, upsert) may also hold null, which removes the key.
 */
import { invalid } from '../errors.ts'
import { parseExact, stringifyExact } from './exact-json.ts'
import { entriesOf, type MetadataMode, readMetadata } from './metadata-value.ts'
import type { Metadata, MetadataValue, SparseVector } from '../model/record.ts'

export interface ParseMetadataOptions {
  /** How errors name the text: `metadatas[0]`. */
  path?: string
  /** Check types, keys and ranges. Stored text was checked when it was written, so readers leave this off. */
  validate?: boolean
}

type Patch = Map<string, MetadataValue | null>

/**
 * Parses stored metadata (no nulls; use `mergeMetadata` for patches).
 * @throws SiltstoneError `invalid` (metadata-json, metadata-type, metadata-key, sparse-vector) naming the path
 */
export function parseMetadata(text: string, options: ParseMetadataOptions = {}): Metadata {
  const { path = 'metadata', validate = false } = options
  const json = parseText(text, path)
  if (validate) return readMetadata(json, path, 'add', 'exact') as Metadata
  return trust(json, path) as Metadata
}

/** Exact JSON text; keys in the map's order. An empty map gives `{}`: see `normaliseAdd` for the stored form. */
export function stringifyMetadata(metadata: ReadonlyMap<string, MetadataValue | null>): string {
  const json = new Map<string, unknown>()
  for (const [key, value] of metadata) json.set(key, isSparseVector(value) ? sparseToJson(value) : value)
  return stringifyExact(json)
}

/**
 * Checks exact JSON text that came from outside (a delta) and returns its stored form, null when it is empty.
 * @throws SiltstoneError `invalid` as `parseMetadata`
 */
export function checkMetadataText(text: string, path: string, mode: MetadataMode): string | null {
  const metadata = readMetadata(parseText(text, path), path, mode, 'exact')
  return metadata.size === 0 ? null : stringifyMetadata(metadata)
}

/**
 * The metadata after `patch` was applied to `base` key by key. A null value or an empty array removes its key; an
 * empty result is null. Kept keys keep their place, new ones follow.
 */
export function mergeMetadata(base: string | null, patch: string | null): string | null {
  if (patch === null) return base
  if (base === null) return normaliseAdd(patch)
  const merged = trust(parseText(base, 'metadata'), 'metadata')
  let changed = false
  for (const [key, value] of trust(parseText(patch, 'metadata'), 'metadata')) {
    changed = true
    if (isAbsent(value)) merged.delete(key)
    else merged.set(key, value)
  }
  if (!changed) return base
  return merged.size === 0 ? null : stringifyMetadata(merged)
}

/**
 * One metadata patch that has the effect of two in a row. Values that remove their key (null, an empty array) are kept,
 * because the metadata below is not known here.
 */
export function composePatches(first: string, second: string): string {
  const composed = trust(parseText(first, 'metadata'), 'metadata')
  for (const [key, value] of trust(parseText(second, 'metadata'), 'metadata')) composed.set(key, value)
  return stringifyMetadata(composed)
}

/** The stored form of a new record's metadata: no nulls, no empty arrays, and null instead of `{}`. */
export function normaliseAdd(text: string | null): string | null {
  if (text === null) return null
  // These are the only spellings of null, an empty array and an empty object. Most texts contain none of them.
  if (!/null|\[\s*\]|^\s*\{\s*\}\s*$/.test(text)) return text
  const metadata = trust(parseText(text, 'metadata'), 'metadata')
  const before = metadata.size
  for (const [key, value] of metadata) if (isAbsent(value)) metadata.delete(key)
  if (metadata.size === 0) return null
  return metadata.size === before ? text : stringifyMetadata(metadata)
}

export function isSparseVector(value: MetadataValue | null | undefined): value is SparseVector {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isAbsent(value: MetadataValue | null): boolean {
  return value === null || (Array.isArray(value) && value.length === 0)
}

function parseText(text: string, path: string): unknown {
  try {
    return parseExact(text)
  } catch (cause) {
    throw invalid('metadata-json', `${path} is not JSON text of an object: ${String(cause)}`, { field: path, cause })
  }
}

/** Reads text without checking its values, because they were checked when it was written. */
function trust(json: unknown, path: string): Patch {
  const entries = entriesOf(json)
  if (entries === null) {
    throw invalid('metadata-json', `${path} must be JSON text of an object, got ${typeof json}`, { field: path })
  }
  const metadata: Patch = new Map()
  for (const [key, value] of entries) {
    const fields = Array.isArray(value) ? null : entriesOf(value)
    metadata.set(key, fields === null ? (value as MetadataValue | null) : sparseFromJson(new Map(fields)))
  }
  return metadata
}

function sparseFromJson(fields: ReadonlyMap<string, unknown>): SparseVector {
  const numbers = (name: string): number[] => ((fields.get(name) ?? []) as (number | bigint)[]).map(Number)
  const sparse: SparseVector = { indices: numbers('indices'), values: numbers('values') }
  const tokens = fields.get('tokens')
  if (Array.isArray(tokens)) sparse.tokens = tokens as string[]
  return sparse
}

function sparseToJson(sparse: SparseVector): Map<string, unknown> {
  const json = new Map<string, unknown>([
    ['#type', 'sparse_vector'],
    ['indices', sparse.indices.map(BigInt)],
    ['values', sparse.values],
  ])
  if (sparse.tokens !== undefined) json.set('tokens', sparse.tokens)
  return json
}
