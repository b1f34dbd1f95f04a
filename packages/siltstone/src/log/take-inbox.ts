/**
 * Sequencing takes: an entry holds the records of the deltas that it sequences, or names copies of those that are too
 * large, so the objects in the inbox are deleted as soon as the entry exists. The rules:
 *
 * - **I1** Only a process that knows of an entry that mentions a delta deletes its object: never before the put of the
 *   entry is settled as ours, and never after a put of unknown outcome.
 * - **I2** A mention is remembered, by the entries and then by the manifest's list, for an hour after its fold, and then
 *   until a deletion after that hour is confirmed. A copy of the object that arrives late is void and deleted again.
 * - **I3** A read lists the whole inbox before the entries, or both on one page.
 *
 * So no read misses an acknowledged delta that is not in its list of the inbox. It was deleted before that list was
 * made, so by I1 an entry that mentions it existed by then: it is listed after the inbox (I3), or folded into the
 * manifest. Of a delta that was listed and is gone when it is read, an entry after the last known one tells the records.
 *
 * Failure cases:
 * - The process ends before the deletion, or the deletion fails: the objects stay, every reader knows their mention, and
 *   the garbage collector deletes them.
 * - Two processes sequence the same delta at the same number: one of the entries is not created. Its copies, which have
 *   names of their own, are deleted with the folded entry of that number.
 * - The object was replaced after it was listed: the copy is read on the condition of the listed ETag, and its checksum
 *   is compared with that of the content that was judged.
 */
import { corrupt, isSiltstoneError } from '../errors.ts'
import { crcHex } from '../format/checksum.ts'
import type { TakenCopy } from '../format/entry.ts'
import { inboxKey, takenKey } from '../format/keys.ts'
import type { Environment } from '../ports/environment.ts'
import { putImmutable } from '../snapshot/manifest-store.ts'
import type { InboxObject } from './listing.ts'

const READ_ATTEMPTS = 4

/**
 * Copies a delta for entry `number`.
 * @param crc32 of the content that was judged
 * @returns undefined when the inbox no longer holds the listed version
 * @throws SiltstoneError `corrupt` (delta-unreadable)
 */
export async function copyDelta(
  env: Environment,
  path: string,
  number: number,
  { ulid, etag }: InboxObject,
  crc32: string,
): Promise<TakenCopy | undefined> {
  const from = inboxKey(path, ulid)
  for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
    // step: copy-of-the-listed-version
    const condition = { ifMatch: etag }
    const got = await env.store.get(from, condition)
    if (got.status !== 'ok') return undefined
    // step: copy-is-what-was-judged
    if (crcHex(got.body) !== crc32) continue
    const key = takenKey(path, number, env.ids.ulid())
    await putImmutable(env, key, got.body)
    return { key, crc32 }
  }
  throw corrupt('delta-unreadable', `${from} reads differently each time`, { key: from })
}

/**
 * Deletes deltas that an entry has taken, as far as it can: what fails is left to the garbage collector.
 * @param versions by key, where the store keeps versions: so that it keeps no marker either
 */
export async function clearInbox(
  env: Environment,
  keys: readonly string[],
  versions: ReadonlyMap<string, string>,
): Promise<void> {
  if (keys.length === 0) return
  try {
    const { failed } = await env.store.delete(keys, { versions })
    // Without the permission to delete versions a marker is left, which is better than the object.
    const refused = failed.filter(
      ({ key, error }) => versions.has(key) && isSiltstoneError(error) && error.code === 'access-denied',
    )
    const left = refused.length > 0 ? await env.store.delete(refused.map(({ key }) => key)) : { failed: [] }
    const kept = failed.length - refused.length + left.failed.length
    if (kept > 0) env.log.warn('inbox_not_cleared', { keys: kept })
  } catch (error) {
    if (!isSiltstoneError(error)) throw error
    env.log.warn('inbox_not_cleared', { keys: keys.length, error: error.message })
  }
}
