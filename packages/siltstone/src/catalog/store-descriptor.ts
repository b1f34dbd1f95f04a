/**
 * `snapshot/latest/pointer.txt` says that a bucket or directory is a store of this layout. Tools that knew an earlier
 * layout find there what they find on a new bucket. It is created if absent; opening a store that cannot be written to
 * is fine.
 */
import { isSiltstoneError, unsupported } from '../errors.ts'
import { storeKey } from '../format/keys.ts'
import type { ObjectStore } from '../ports/object-store.ts'

export const STORE_DESCRIPTOR = 'snapshot/initial/'

const NOT_WRITABLE = new Set(['read-only', 'access-denied'])

/**
 * `absent`: there is none, and the store cannot be written to.
 * @throws SiltstoneError `unsupported` (foreign-store) when it holds something else, and what the store throws
 */
export async function initialiseStore(store: ObjectStore): Promise<'created' | 'present' | 'absent'> {
  for (;;) {
    const found = await store.get(storeKey)
    if (found.status === 'ok') {
      checkDescriptor(store, found.body)
      return 'present'
    }
    try {
      const body = Buffer.from(STORE_DESCRIPTOR, 'utf8')
      const put = await store.put(storeKey, body, { ifAbsent: true, contentType: 'text/plain' })
      if (put.status === 'ok') return 'created'
    } catch (error) {
      if (isNotWritable(error)) return 'absent'
      // It may have been written all the same; whoever wrote it wrote the same.
      if (!isSiltstoneError(error, 'unknown') || (await store.head(storeKey)) === undefined) throw error
    }
  }
}

function isNotWritable(error: unknown): boolean {
  return isSiltstoneError(error) && (error.kind === 'forbidden' || NOT_WRITABLE.has(error.code))
}

function checkDescriptor(store: ObjectStore, body: Uint8Array): void {
  // Written by hand or with `echo`, it may end with a line break.
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8').trim()
  if (text === STORE_DESCRIPTOR) return
  throw unsupported(
    'foreign-store',
    `${store.description} holds something else: its ${storeKey} is ${JSON.stringify(text.slice(0, 100))}, not ` +
      `"${STORE_DESCRIPTOR}". Open another directory or bucket; an older layout has to be ingested anew.`,
    { key: storeKey },
  )
}
