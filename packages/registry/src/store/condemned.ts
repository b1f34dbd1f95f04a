/**
 * `registry/gc.json`: the contents of files that the garbage collector is about to delete, and those that it deletes now. A commit takes
 * what it names off the list, or is refused when the deletion has begun. `gc/collector.ts` explains why that is enough.
 */
import { unavailable } from 'siltstone/internal'
import type { DocumentKind, Documents, Envelope } from './documents.ts'
import { GC_KEY } from './keys.ts'

export interface CondemnedDocument extends Envelope {
  /** ULID of the run that wrote the list. */
  round: string
  state: 'idle' | 'condemned' | 'deleting'
  /** SHA-256 of contents. */
  blobs: readonly string[]
}

export const condemnedKind: DocumentKind<CondemnedDocument> = {
  format: 'registry-gc',
  v: 1,
  wrongField: ({ round, state, blobs }) => {
    if (typeof round !== 'string') return 'round'
    if (!['idle', 'condemned', 'deleting'].includes(state)) return 'state'
    return Array.isArray(blobs) ? undefined : 'blobs'
  },
}

/**
 * To be called after the refs were read that the commit is going to replace, and before the contents are looked for.
 * @throws SiltstoneError `unavailable` (blob-being-deleted)
 */
export async function keepBlobs(documents: Documents, wanted: ReadonlySet<string>): Promise<void> {
  if (wanted.size === 0) return
  await documents.change(GC_KEY, condemnedKind, (current) => {
    const named = current?.blobs.find((each) => wanted.has(each))
    if (current === undefined || named === undefined) return undefined
    if (current.state === 'deleting') {
      const text = `the contents ${named} are being deleted, because nothing named them: send them again in a moment`
      throw unavailable('blob-being-deleted', text, { retryAfterMs: 1_000 })
    }
    return { ...current, blobs: current.blobs.filter((each) => !wanted.has(each)) }
  })
}
