/**
 * `registry/gc.json`: the objects with contents of files that the garbage collector is about to delete, and those that it deletes now. A commit
 * takes those that it needs off the list, or is refused when the deletion has begun. `gc/collector.ts` explains why that is enough.
 */
import { unavailable } from 'siltstone/internal'
import type { DocumentKind, Documents, Envelope } from './documents.ts'
import { GC_KEY } from './keys.ts'

export interface CondemnedDocument extends Envelope {
  /** ULID of the run that wrote the list. */
  round: string
  state: 'idle' | 'condemned' | 'deleting'
  /** Of objects. */
  keys: readonly string[]
}

export const condemnedKind: DocumentKind<CondemnedDocument> = {
  format: 'registry-gc',
  v: 2,
  wrongField: ({ round, state, keys }) => {
    if (typeof round !== 'string') return 'round'
    if (!['idle', 'condemned', 'deleting'].includes(state)) return 'state'
    return Array.isArray(keys) ? undefined : 'keys'
  },
}

/**
 * To be called after the refs were read that the commit is going to replace, and before the contents are looked for.
 * @throws SiltstoneError `unavailable` (blob-being-deleted)
 */
export async function keepObjects(documents: Documents, wanted: ReadonlySet<string>): Promise<void> {
  if (wanted.size === 0) return
  await documents.change(GC_KEY, condemnedKind, (current) => {
    const named = current?.keys.find((each) => wanted.has(each))
    if (current === undefined || named === undefined) return undefined
    if (current.state === 'deleting') {
      const text = `${named} is being deleted, because no version needed it: send the file again in a moment`
      throw unavailable('blob-being-deleted', text, { retryAfterMs: 1_000 })
    }
    return { ...current, keys: current.keys.filter((each) => !wanted.has(each)) }
  })
}
