/** Parsers of option values for Commander, which turns a bad value into a usage error that names the option. */
import { InvalidArgumentError } from 'commander'
import { isLanguage, type Language, LANGUAGES } from '../model/text-fields.ts'
import { parseExact, type ExactJson } from '../records/exact-json.ts'
import { defaultRecordLimits, type RecordLimits } from '../records/record-limits.ts'
import { parseKey } from '../format/keys.ts'

export function wholeNumber(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < minimum)
      throw new InvalidArgumentError(`Give an integer of ${minimum} or more.`)
    return value
  }
}

export const RECORD_LIMITS = Object.keys(defaultRecordLimits) as (keyof RecordLimits)[]

/** `name=number`, several times. */
export function limits<T extends string>(
  known: readonly T[],
): (text: string, before?: Partial<Record<T, number>>) => Partial<Record<T, number>> {
  return (text, before = {}) => {
    const [name, value = ''] = text.split('=', 2)
    const limit = known.find((one) => one === name)
    if (limit === undefined) throw new InvalidArgumentError(`Give name=number with one of ${known.join(', ')}.`)
    return { ...before, [limit]: wholeNumber(1)(value) }
  }
}

/** A number from 0 to 1. */
export function fraction(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('Give a number from 0 to 1.')
  return value
}

/** The recall that a search aims at. */
export function recall(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value > 0 && value <= 1))
    throw new InvalidArgumentError('Give a number above 0, at most 1, such as 0.95.')
  return value
}

export function port(text: string): number {
  const value = wholeNumber(0)(text)
  if (value > 65_535) throw new InvalidArgumentError('Give a port from 0 to 65535.')
  return value
}

/** JSON in which integers and floats stay distinct. */
export function exactJson(text: string): ExactJson {
  try {
    return parseExact(text)
  } catch (error) {
    throw new InvalidArgumentError(`This is not JSON (${(error as Error).message}). Put it in single quotes.`)
  }
}

/** `[0.1, 0.2]` or `0.1,0.2`. */
export function vector(text: string): Float32Array {
  const values = text
    .trim()
    .replace(/^\[|\]$/g, '')
    .split(',')
    .map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  const result = Float32Array.from(values)
  if (!result.every(Number.isFinite)) throw new InvalidArgumentError('Give numbers: 0.1,0.2 or [0.1, 0.2].')
  return result
}

/** `key=language`, comma-separated. */
export function textLanguages(text: string): Record<string, Language> {
  return pairs(text, 'key=language, such as title=english', (value) => {
    if (!isLanguage(value)) throw new InvalidArgumentError(`Choose the language from ${LANGUAGES.join(', ')}.`)
    return value
  })
}

/** `key=weight`, comma-separated. */
export function fieldWeights(text: string): Record<string, number> {
  return pairs(text, 'key=weight, such as title=3', (value) => {
    const weight = Number(value)
    if (!(weight > 0)) throw new InvalidArgumentError(`The weight '${value}' is no number above 0.`)
    return weight
  })
}

function pairs<T>(text: string, form: string, read: (value: string) => T): Record<string, T> {
  const entries = text.split(',').map((part): [string, T] => {
    const at = part.lastIndexOf('=')
    if (at <= 0) throw new InvalidArgumentError(`Give ${form}; separate several with commas.`)
    return [part.slice(0, at).trim(), read(part.slice(at + 1).trim())]
  })
  return Object.fromEntries(entries)
}

export function commaSeparated<T extends string>(known: readonly T[]): (text: string) => T[] {
  return (text) =>
    text
      .split(',')
      .filter((word) => word !== '')
      .map((word) => {
        const found = known.find((name) => name === word.trim())
        if (found === undefined)
          throw new InvalidArgumentError(`Choose from ${known.join(', ')}; separate them with commas.`)
        return found
      })
}

/** A version number, or the name of a snapshot, which contains its version. */
export function version(text: string): number {
  if (/^\d+$/.test(text)) return wholeNumber(0)(text)
  const [number = '', ulid = ''] = text.split('-')
  const key = `snapshot/${'0'.repeat(12)}-${'0'.repeat(12)}-00000000-0000-0000-0000-000000000000/manifest/${number.padStart(20, '0')}-${ulid}.json`
  const parsed = parseKey(key)
  if (parsed?.kind !== 'manifest')
    throw new InvalidArgumentError(
      'Give the number of a version, or the name of a snapshot from "siltstone snapshots list".',
    )
  return parsed.watermark
}

export const INCLUDES = ['documents', 'embeddings', 'metadatas', 'uris', 'distances'] as const
