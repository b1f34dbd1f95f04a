import { utf8Length } from '#codec'
import { firstWhere } from '../binary-search.ts'
import { invalid } from '../errors.ts'

/** S3's own limit. */
export const MAX_KEY_BYTES = 1024
/** The longest name that common file systems accept. */
export const MAX_KEY_COMPONENT_BYTES = 255
/** First components that the directory driver uses itself. All drivers reserve them, so a store can be moved between drivers. */
export const RESERVED_COMPONENTS: readonly string[] = ['.tmp', '.siltstone']

// oxlint-disable-next-line no-control-regex -- the pattern is meant to find control characters
const FORBIDDEN = /[\u0000-\u001f\u007f\\]/
/** Printable ASCII without the backslash, as in all keys of this program: one byte per character. */
const PLAIN = /^[ -[\]-~]+$/

/**
 * Checks an object key. The rules allow each key to be used unchanged as a path below a directory: nothing has to be
 * escaped, and no key leads out of the directory.
 * @throws SiltstoneError `invalid` (bad-key)
 */
export function checkKey(key: string): void {
  const problem = key === '' ? 'it is empty' : (problemOfText(key) ?? problemOfComponents(key.split('/')))
  if (problem !== undefined) throw badKey('key', key, problem)
}

/**
 * Checks a prefix for `list`: a key cut at any character, or the empty string.
 * @throws SiltstoneError `invalid` (bad-prefix)
 */
export function checkPrefix(prefix: string): void {
  const whole = prefix.split('/').slice(0, -1)
  const problem = problemOfText(prefix) ?? problemOfComponents(whole)
  if (problem !== undefined) throw badKey('prefix', prefix, problem)
}

function badKey(what: 'key' | 'prefix', value: string, problem: string) {
  const shown = JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value)
  return invalid(
    `bad-${what}`,
    `The object ${what} ${shown} cannot be used: ${problem}. Use components of at most ${MAX_KEY_COMPONENT_BYTES} bytes, ` +
      `joined by single slashes, ${MAX_KEY_BYTES} bytes in all.`,
    { field: what },
  )
}

function problemOfText(text: string): string | undefined {
  if (PLAIN.test(text) || text === '') {
    return text.length > MAX_KEY_BYTES ? `it has ${text.length} bytes` : undefined
  }
  if (FORBIDDEN.test(text)) return 'it holds a control character or a backslash'
  if (!text.isWellFormed()) return 'it is not well-formed Unicode'
  const bytes = utf8Length(text)
  return bytes > MAX_KEY_BYTES ? `it has ${bytes} bytes` : undefined
}

function problemOfComponents(components: readonly string[]): string | undefined {
  for (const component of components) {
    if (component === '') return 'it has an empty component (a leading, trailing or doubled slash)'
    if (component === '.' || component === '..') return `it has the component '${component}'`
    if (component.length > MAX_KEY_COMPONENT_BYTES / 3 && utf8Length(component) > MAX_KEY_COMPONENT_BYTES) {
      return `its component '${component.slice(0, 20)}…' has more than ${MAX_KEY_COMPONENT_BYTES} bytes`
    }
  }
  const [first] = components
  if (first !== undefined && RESERVED_COMPONENTS.includes(first)) return `'${first}/' is reserved`
  return undefined
}

/**
 * Byte order of the UTF-8 form. JavaScript compares UTF-16 units, which sorts U+E000 to U+FFFF after the surrogates of
 * higher code points; UTF-8 sorts them before.
 */
export function compareKeys(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let at = 0; at < shared; at++) {
    const x = a.charCodeAt(at)
    const y = b.charCodeAt(at)
    if (x !== y) return codePointRank(x) - codePointRank(y)
  }
  return a.length - b.length
}

/** Index of the first of these keys, which are in byte order, that does not sort before `key`. */
export function firstNotBefore(keys: readonly string[], key: string): number {
  return firstWhere(keys.length, (place) => compareKeys(keys[place] as string, key) >= 0)
}

function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

/** Whether a name found in a directory could be a component of a key. */
export function isUsableName(name: string): boolean {
  return problemOfText(name) === undefined
}

/** Whether `checkKey` would accept it. */
export function isUsableKey(key: string): boolean {
  return key !== '' && (problemOfText(key) ?? problemOfComponents(key.split('/'))) === undefined
}
