/** The listings that the log's protocols use. */
import { corrupt } from '../errors.ts'
import { inboxPrefix, logEntryKey, logPrefix, parseKey } from '../format/keys.ts'
import type { ObjectInfo, ObjectStore } from '../ports/object-store.ts'
import { Vanished } from './vanished.ts'

export interface InboxObject {
  ulid: string
  etag: string
  sizeBytes: number
}

export interface ListedEntry {
  number: number
  sizeBytes: number
}

export interface TailListing {
  /** Ascending, all above the watermark. */
  entries: ListedEntry[]
  /** In ULID order. Empty when it was not asked for. */
  inbox: InboxObject[]
}

/**
 * Lists the entries after the watermark, and the inbox. If one page of a listing shows one point in time and everything
 * fits on one page, a single LIST tells both. Otherwise the inbox is listed first. A delta that is dropped between the
 * two listings is then not seen at all, instead of being seen without an entry that was acknowledged before it, and one
 * that is sequenced and deleted between them is in the entries.
 */
export async function listTail(
  store: ObjectStore,
  path: string,
  watermark: number,
  wantInbox: boolean,
): Promise<TailListing> {
  const after = watermark > 0 ? { startAfter: logEntryKey(path, watermark) } : {}
  if (wantInbox && store.capabilities.atomicListPages) {
    const page = await store.list(logPrefix(path), { ...after, etags: true })
    if (page.continuation === undefined) return sort(page.objects)
  }
  // step: inbox-before-entries
  const inbox = wantInbox ? await listInbox(store, path) : []
  const entries: ObjectInfo[] = []
  for await (const page of pages(store, logPrefix(path), { ...after, delimiter: '/' })) entries.push(...page)
  // step: listing-of-both
  return { entries: sort(entries).entries, inbox }
}

/**
 * Cuts a listing off at its first gap. A listing that does not show one point in time can miss an entry that was
 * created after the listing began and still show a later one. Then all entries from the gap on were created after the
 * listing began, and no read has to show them. (Listing again might never end while others write.)
 * @throws Vanished when the missing entry does not exist
 */
export async function cutAtGap(
  store: ObjectStore,
  path: string,
  watermark: number,
  listing: TailListing,
): Promise<void> {
  const gap = listing.entries.findIndex(({ number }, i) => number !== watermark + 1 + i)
  if (gap < 0) return
  const key = logEntryKey(path, watermark + 1 + gap)
  if (!(await store.head(key))) throw new Vanished(key)
  listing.entries.length = gap
}

export async function listInbox(store: ObjectStore, path: string): Promise<InboxObject[]> {
  const objects: ObjectInfo[] = []
  for await (const page of pages(store, inboxPrefix(path), { etags: true })) objects.push(...page)
  return sort(objects).inbox
}

export async function* pages(
  store: ObjectStore,
  prefix: string,
  options: { startAfter?: string; delimiter?: '/'; etags?: boolean } = {},
): AsyncGenerator<ObjectInfo[]> {
  let continuation: string | undefined
  do {
    const page = await store.list(prefix, { ...options, ...(continuation === undefined ? {} : { continuation }) })
    yield page.objects
    continuation = page.continuation
  } while (continuation !== undefined)
}

function sort(objects: readonly ObjectInfo[]): TailListing {
  const listing: TailListing = { entries: [], inbox: [] }
  for (const object of objects) {
    const key = parseKey(object.key)
    if (key?.kind === 'log-entry') listing.entries.push({ number: key.number, sizeBytes: object.sizeBytes })
    else if (key?.kind === 'inbox') {
      if (object.etag === undefined)
        throw corrupt('listing-incomplete', `the listing of ${object.key} has no ETag`, { key: object.key })
      listing.inbox.push({ ulid: key.ulid, etag: object.etag, sizeBytes: object.sizeBytes })
    }
  }
  return listing
}
