import { parseMetadata, stringifyMetadata } from '../records/metadata.ts'

/** Keys that Chroma's own server keeps in metadata. */
const INTERNAL_PREFIX = 'chroma:'

/**
 * @param texts exact JSON text of objects
 * @param select true: all keys but internal ones
 * @returns null for a record with none of the keys
 */
export function selectedMetadata(
  texts: readonly (string | null)[],
  select: boolean | readonly string[],
): (string | null)[] {
  return texts.map((text) => {
    if (text === null) return null
    if (select === true && !text.includes(`"${INTERNAL_PREFIX}`)) return text
    const metadata = parseMetadata(text)
    const wanted = Array.isArray(select)
      ? (key: string) => select.includes(key)
      : (key: string) => !key.startsWith(INTERNAL_PREFIX)
    for (const key of [...metadata.keys()]) if (!wanted(key)) metadata.delete(key)
    return metadata.size === 0 ? null : stringifyMetadata(metadata)
  })
}
