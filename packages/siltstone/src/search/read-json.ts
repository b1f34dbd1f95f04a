/**
 * Reads parts of a search's JSON with their types. Two codes tell callers what is wrong: `search-shape`, a type or a word
 * that the grammar does not have (Chroma answers 422), and `search-value`, a value that it does not allow (400).
 */
import { invalid, type SiltstoneError } from '../errors.ts'
import { entriesOf } from '../records/metadata-value.ts'

export function badShape(path: string, detail: string): SiltstoneError {
  return invalid('search-shape', `${path}: ${detail}`, { field: path })
}

export function badValue(path: string, detail: string): SiltstoneError {
  return invalid('search-value', `Validation error: ${path}: ${detail}`, { field: path })
}

export type Fields = ReadonlyMap<string, unknown>

/** @param known the allowed names; undefined allows all */
export function readFields(json: unknown, path: string, known?: readonly string[]): Fields {
  const entries = entriesOf(json)
  if (entries === null) throw badShape(path, `invalid type: ${describe(json)}, expected a map`)
  const fields = new Map(entries)
  for (const name of fields.keys())
    if (known && !known.includes(name))
      throw badShape(`${path}.${short(name)}`, `unknown field \`${short(name)}\`, expected one of ${quoted(known)}`)
  return fields
}

/** A missing field counts as null. */
export function isAbsent(json: unknown): json is null | undefined {
  return json === null || json === undefined
}

export function readList(json: unknown, path: string): readonly unknown[] {
  // Typed arrays come from callers in process.
  if (json instanceof Float32Array || json instanceof Float64Array) return Array.from(json)
  if (!Array.isArray(json)) throw badShape(path, `invalid type: ${describe(json)}, expected a sequence`)
  return json as unknown[]
}

export function readStrings(json: unknown, path: string): string[] {
  return readList(json, path).map((item, i) => readString(item, `${path}[${i}]`))
}

export function readString(json: unknown, path: string): string {
  if (typeof json !== 'string') throw badShape(path, `invalid type: ${describe(json)}, expected a string`)
  return json
}

export function readBoolean(json: unknown, path: string): boolean {
  if (typeof json !== 'boolean') throw badShape(path, `invalid type: ${describe(json)}, expected a boolean`)
  return json
}

const MAX_U32 = 2 ** 32 - 1

export function readU32(json: unknown, path: string): number {
  const number = typeof json === 'bigint' ? Number(json) : json
  if (typeof number !== 'number' || !Number.isInteger(number))
    throw badShape(path, `invalid type: ${describe(json)}, expected u32`)
  if (number < 0 || number > MAX_U32) throw badShape(path, `invalid value: integer \`${number}\`, expected u32`)
  return number
}

/** A finite 32-bit float. */
export function readFloat(json: unknown, path: string): number {
  const number = typeof json === 'bigint' ? Number(json) : json
  if (typeof number !== 'number') throw badShape(path, `invalid type: ${describe(json)}, expected f32`)
  const float = Math.fround(number)
  if (!Number.isFinite(float)) throw badValue(path, `${number} is not a finite 32-bit float`)
  return float
}

/** Describes a JSON value in the words of serde. */
export function describe(json: unknown): string {
  if (isAbsent(json)) return 'null'
  if (typeof json === 'boolean') return `boolean \`${json}\``
  if (typeof json === 'bigint') return `integer \`${json}\``
  if (typeof json === 'number') return `${Number.isInteger(json) ? 'integer' : 'floating point'} \`${json}\``
  if (typeof json === 'string') return `string ${JSON.stringify(short(json))}`
  return Array.isArray(json) ? 'sequence' : 'map'
}

export function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

export function quoted(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ')
}
