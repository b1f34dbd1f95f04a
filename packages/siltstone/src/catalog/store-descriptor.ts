/**
 * `snapshot/latest/pointer.txt` marks a bucket or directory as a store of this layout. To tools of an earlier layout it
 * looks like a new bucket. It is created if absent; a store that is not writable can be opened without it.
 */
import { isSiltstoneError, unsupported } from '../errors.ts'
import { backupStateKey, storeKey } from '../format/keys.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { readBackupState } from './backup-state.ts'

export const STORE_DESCRIPTOR = 'snapshot/initial/'

const NOT_WRITABLE = new Set(['read-only', 'access-denied'])

/**
 * @returns `absent`: there is none, and the store is not writable
 * @throws SiltstoneError `unsupported` (foreign-store) when its content is different, `unsupported` (unfinished-backup),
 *   and the store's errors
 */
export async function initialiseStore(store: ObjectStore): Promise<'created' | 'present' | 'absent'> {
  for (;;) {
    const found = await store.get(storeKey)
    if (found.status === 'ok') {
      checkDescriptor(store, found.body)
      return 'present'
    }
    const backup = await readBackupState(store)
    if (backup && backup.completedAtMs === null)
      throw unsupported(
        'unfinished-backup',
        `${store.description} is a backup that was not completed; run "siltstone backup" to it again, or delete it`,
        { key: backupStateKey },
      )
    try {
      const body = Buffer.from(STORE_DESCRIPTOR, 'utf8')
      const put = await store.put(storeKey, body, { ifAbsent: true, contentType: 'text/plain' })
      if (put.status === 'ok') return 'created'
    } catch (error) {
      if (isNotWritable(error)) return 'absent'
      // The put may have succeeded; every process writes the same content.
      if (!isSiltstoneError(error, 'unknown') || (await store.head(storeKey)) === undefined) throw error
    }
  }
}

function isNotWritable(error: unknown): boolean {
  return isSiltstoneError(error) && (error.kind === 'forbidden' || NOT_WRITABLE.has(error.code))
}

function checkDescriptor(store: ObjectStore, body: Uint8Array): void {
  // A file written with `echo` ends with a line break.
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8').trim()
  if (text === STORE_DESCRIPTOR) return
  throw unsupported(
    'foreign-store',
    `${store.description} is not a Siltstone store: its ${storeKey} is ${JSON.stringify(text.slice(0, 100))}, not ` +
      `"${STORE_DESCRIPTOR}". Open another directory or bucket; data of an older layout have to be ingested again.`,
    { key: storeKey },
  )
}
