/** What an entry says of the deltas that it sequences. */
import type { SequencedDelta } from '../format/entry.ts'
import { parseKey } from '../format/keys.ts'
import type { DeltaContent, DeltaCache } from './delta-cache.ts'
import type { KeptEntry } from './entry-vectors.ts'

/**
 * The content of a sequenced delta: from the entry, from the copy that it names, or, for an entry of version 1, from
 * the inbox. Throws as `DeltaCache` does.
 */
export async function contentOf(mention: SequencedDelta, ulid: string, deltas: DeltaCache): Promise<DeltaContent> {
  const { etag, sizeBytes, records, refused, taken } = mention
  if (refused !== undefined) return { status: 'refused', reason: refused, sizeBytes }
  if (records !== undefined) return { status: 'ok', records, sizeBytes }
  return taken ? deltas.getCopy(ulid, etag, taken, sizeBytes) : deltas.get(ulid, etag, sizeBytes)
}

/** The object that a mention needs; undefined when the entry holds everything. */
export function objectOf({ key, records, refused, taken }: SequencedDelta): string | undefined {
  return records === undefined && refused === undefined ? (taken?.key ?? key) : undefined
}

/** An entry's mention of a delta. */
export function mentionOf(entry: KeptEntry, ulid: string): SequencedDelta | undefined {
  return entry.sequenced.find(({ key }) => {
    const parsed = parseKey(key)
    return parsed?.kind === 'inbox' && parsed.ulid === ulid
  })
}
