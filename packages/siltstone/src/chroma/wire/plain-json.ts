/** Parsed JSON of either parser as plain values, for what is stored and echoed: configurations and schemas. */
import { badShape } from './problem.ts'

/** As deep as Chroma's parser goes. It also keeps every recursion over stored configurations bounded. */
const MAX_DEPTH = 128

export function toPlainJson(json: unknown, path: string, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw badShape(path, `recursion limit exceeded: at most ${MAX_DEPTH} levels`)
  if (typeof json === 'bigint') return Number(json)
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map((item, i) => toPlainJson(item, `${path}[${i}]`, depth + 1))
  const entries = json instanceof Map ? [...(json as Map<string, unknown>)] : Object.entries(json)
  // fromEntries defines properties, so a key named __proto__ is a key like any other.
  return Object.fromEntries(entries.map(([key, value]) => [key, toPlainJson(value, path, depth + 1)]))
}
