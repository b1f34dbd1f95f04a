import { parseExact, stringifyExact } from './exact-json.ts'

/**
 * One metadata patch that does what two in a row do. Values that remove their key (null, an empty array) are kept,
 * because the record below is not known here.
 */
export function composePatches(first: string, second: string): string {
  const a = parseExact(first)
  const b = parseExact(second)
  if (!(a instanceof Map) || !(b instanceof Map)) throw new TypeError('a metadata patch is an object')
  return stringifyExact(new Map([...a, ...b]))
}
