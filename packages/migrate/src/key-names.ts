/**
 * Metadata keys that Siltstone does not allow: the empty key, and keys that begin with `#` or `$` (old versions of Chroma
 * accepted them). `--rename-keys` replaces each `#` and `$` at the beginning with `_`, and the empty key with `_`. If the
 * metadata has the new name already, `_` is appended until the name is free.
 */
import { type ExactJson, parseExact, stringifyExact } from 'siltstone/internal'

export function isAllowedKey(key: string): boolean {
  return key !== '' && !key.startsWith('#') && !key.startsWith('$')
}

/** @param text exact JSON text of an object */
export function withAllowedKeys(text: string): string {
  const metadata = parseExact(text)
  if (!(metadata instanceof Map) || [...metadata.keys()].every(isAllowedKey)) return text
  const taken = new Set([...metadata.keys()].filter(isAllowedKey))
  const renamed = new Map<string, ExactJson>()
  for (const [key, value] of metadata) {
    let name = key
    if (!isAllowedKey(key)) {
      name = key.replace(/^[#$]+/, (signs) => '_'.repeat(signs.length)) || '_'
      while (taken.has(name)) name += '_'
      taken.add(name)
    }
    renamed.set(name, value)
  }
  return stringifyExact(renamed)
}

/** The first key that is not allowed; undefined when all are. */
export function badKeyOf(text: string): string | undefined {
  const metadata = parseExact(text)
  return metadata instanceof Map ? [...metadata.keys()].find((key) => !isAllowedKey(key)) : undefined
}

/** The metadata without the keys that are not allowed, null when none is left. */
export function splitKeys(text: string): { allowed: string | null; refused: string[] } {
  const entries = [...(parseExact(text) as Map<string, ExactJson>)]
  const allowed = entries.filter(([key]) => isAllowedKey(key))
  return {
    allowed: allowed.length === 0 ? null : stringifyExact(new Map(allowed)),
    refused: entries.map(([key]) => key).filter((key) => !isAllowedKey(key)),
  }
}
