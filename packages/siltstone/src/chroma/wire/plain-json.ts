/** Converts JSON of either parser to plain values, for configurations and schemas, which are stored and returned. */
import { badShape } from './problem.ts'

/** The limit of Chroma's parser. It also bounds every recursion over stored configurations. */
const MAX_DEPTH = 128

export function toPlainJson(json: unknown, path: string, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw badShape(path, `recursion limit exceeded: at most ${MAX_DEPTH} levels`)
  if (typeof json === 'bigint') return Number(json)
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map((item, i) => toPlainJson(item, `${path}[${i}]`, depth + 1))
  const entries = json instanceof Map ? [...(json as Map<string, unknown>)] : Object.entries(json)
  // fromEntries defines properties, so the key __proto__ needs no special treatment.
  return Object.fromEntries(entries.map(([key, value]) => [key, toPlainJson(value, path, depth + 1)]))
}
