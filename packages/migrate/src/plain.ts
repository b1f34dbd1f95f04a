import { type ExactJson, stringifyExact } from 'siltstone/internal'

/** Exact JSON as plain values, integers as numbers: for configurations, never for metadata, which would lose digits. */
export function toPlain(json: ExactJson): unknown {
  if (typeof json === 'bigint') return Number(json)
  if (Array.isArray(json)) return json.map(toPlain)
  return json instanceof Map ? Object.fromEntries([...json].map(([key, value]) => [key, toPlain(value)])) : json
}

/** The member at a path; undefined when it or an object on the way is missing. */
export function member(json: ExactJson | undefined, ...path: string[]): ExactJson | undefined {
  let value = json
  for (const name of path) value = value instanceof Map ? value.get(name) : undefined
  return value
}

/** Exact JSON text of metadata, null without any. Nulls and empty lists mean that the key is absent. */
export function metadataText(json: ExactJson | undefined): string | null {
  if (!(json instanceof Map)) return null
  const present = [...json].filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))
  return present.length === 0 ? null : stringifyExact(new Map(present))
}
