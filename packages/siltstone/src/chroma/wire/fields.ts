/**
 * Reads the fields of a JSON object with their types. A wrong type is answered with 422 and the path, in the words of
 * Chroma's parser. A null counts as absent.
 */
import { entriesOf } from '../../records/metadata-value.ts'
import { badShape } from './problem.ts'

const MAX_U32 = 2 ** 32 - 1

export class Fields {
  readonly #values: ReadonlyMap<string, unknown>
  readonly #known: ReadonlySet<string> | undefined
  /** Path of the object, '' for the body. */
  readonly path: string

  /** @param known names that may be asked for: the others may have been left out. Default: every name */
  constructor(values: ReadonlyMap<string, unknown>, path: string, known?: ReadonlySet<string>) {
    this.#values = values
    this.#known = known
    this.path = path
  }

  /** @param json a plain object or a Map */
  static of(json: unknown, path: string): Fields {
    const entries = entriesOf(json)
    if (entries === null) throw badShape(path, `invalid type: ${describe(json)}, expected a map`)
    return new Fields(new Map(entries), path)
  }

  get keys(): Iterable<string> {
    return this.#values.keys()
  }

  pathOf(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`
  }

  /** Whether it may be asked for. */
  knows(name: string): boolean {
    return this.#known?.has(name) ?? true
  }

  /** The value; undefined when it is absent or null. */
  raw(name: string): unknown {
    if (!this.knows(name)) throw new Error(`the schema of the body has no field ${name}`)
    return this.#values.get(name) ?? undefined
  }

  has(name: string): boolean {
    return this.raw(name) !== undefined
  }

  missing(name: string): Error {
    return badShape(this.path, `missing field \`${name}\``)
  }

  optional<T>(name: string, read: (json: unknown, path: string) => T): T | undefined {
    const value = this.raw(name)
    return value === undefined ? undefined : read(value, this.pathOf(name))
  }

  required<T>(name: string, read: (json: unknown, path: string) => T): T {
    const value = this.raw(name)
    if (value === undefined) throw this.missing(name)
    return read(value, this.pathOf(name))
  }

  /** @throws ApiProblem 422 naming a field that is not in `known` */
  denyUnknown(known: readonly string[]): void {
    for (const key of this.keys) {
      if (known.includes(key)) continue
      throw badShape(this.pathOf(key), `unknown field \`${key}\`, expected one of ${quoted(known)}`)
    }
  }
}

export function readString(json: unknown, path: string): string {
  if (typeof json !== 'string') throw badShape(path, `invalid type: ${describe(json)}, expected a string`)
  return json
}

export function readBoolean(json: unknown, path: string): boolean {
  if (typeof json !== 'boolean') throw badShape(path, `invalid type: ${describe(json)}, expected a boolean`)
  return json
}

export function readList(json: unknown, path: string): unknown[] {
  if (!Array.isArray(json)) throw badShape(path, `invalid type: ${describe(json)}, expected a sequence`)
  return json as unknown[]
}

export function readStrings(json: unknown, path: string): string[] {
  const list = readList(json, path)
  for (const [i, item] of list.entries()) if (typeof item !== 'string') readString(item, `${path}[${i}]`)
  return list as string[]
}

export function readNullableStrings(json: unknown, path: string): (string | null)[] {
  const list = readList(json, path)
  for (const [i, item] of list.entries()) {
    if (item !== null && typeof item !== 'string') readString(item, `${path}[${i}]`)
  }
  return list as (string | null)[]
}

/** An integer from 0 to `max`. */
export function readUint(json: unknown, path: string, max = MAX_U32): number {
  const number = typeof json === 'bigint' ? Number(json) : json
  if (typeof number !== 'number' || !Number.isInteger(number)) {
    throw badShape(path, `invalid type: ${describe(json)}, expected ${uintName(max)}`)
  }
  if (number < 0 || number > max) {
    throw badShape(path, `invalid value: integer \`${String(json)}\`, expected ${uintName(max)}`)
  }
  return number
}

/** A non-negative integer that a double holds exactly. */
export function readBigUint(json: unknown, path: string): number {
  return readUint(json, path, Number.MAX_SAFE_INTEGER)
}

export function readNumber(json: unknown, path: string): number {
  const number = typeof json === 'bigint' ? Number(json) : json
  if (typeof number !== 'number') throw badShape(path, `invalid type: ${describe(json)}, expected a number`)
  return number
}

/** One of a list of words. */
export function readWord<T extends string>(words: readonly T[]): (json: unknown, path: string) => T {
  return (json, path) => {
    const word = readString(json, path)
    if ((words as readonly string[]).includes(word)) return word as T
    throw badShape(path, `unknown variant \`${cutShort(word)}\`, expected one of ${quoted(words)}`)
  }
}

/** Describes a JSON value in the words of serde. */
export function describe(json: unknown): string {
  if (json === null || json === undefined) return 'null'
  if (typeof json === 'boolean') return `boolean \`${json}\``
  if (typeof json === 'bigint') return `integer \`${json}\``
  if (typeof json === 'number') return `${Number.isInteger(json) ? 'integer' : 'floating point'} \`${json}\``
  if (typeof json === 'string') return `string ${JSON.stringify(cutShort(json))}`
  return Array.isArray(json) ? 'sequence' : 'map'
}

function uintName(max: number): string {
  return max === MAX_U32 ? 'u32' : 'an unsigned integer'
}

function cutShort(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ')
}
