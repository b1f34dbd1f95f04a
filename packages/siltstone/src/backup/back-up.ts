/**
 * Copies a store in use to an empty store. The copy shows each collection as it was at one moment after the backup began.
 *
 * Of each collection, in this order:
 * 1. The pointer is read, and kept in memory.
 * 2. The objects under `snapshot/<path>/` are copied. They never change, and what the pointer names exists.
 * 3. The inbox is copied. Deltas that are sequenced from now on are missing in it or void.
 * 4. The entries are copied. A writer that sequences a delta puts the entry before the delta leaves the inbox, so each delta
 *    that was acknowledged before step 3 and is missing in the copied inbox stands in an entry.
 * 5. The copies that entries made of large deltas (`taken/`) are copied: they exist before their entries.
 * 6. The pointer is written. Entries above its watermark are kept for minutes (a bucket: a day) after they were folded.
 *
 * Objects of the S3 face come after the collections (`copy-blobs.ts`), and their states of processing before.
 *
 * Failure cases:
 * - A listing that is not atomic may show a delta and miss one that was acknowledged before it. The inbox is listed until
 *   a listing shows nothing new.
 * - The collector deletes objects during a copy that takes longer than they are kept. The copy is verified (existence,
 *   sizes, the log), and the collections with problems are copied again with a newer pointer.
 * - A fork reads segments of its source that were written after the source was copied: the same.
 * - The source is damaged: its problems stay after the last attempt. They are reported, and the rest is copied.
 * - The process dies. `backup/state.json` says that the copy is not complete, and the store's descriptor, which is
 *   written last, is missing. No store opens there (`initialiseStore`). The same command again continues: what does not
 *   change and is there is not copied again.
 */
import { readBackupState, writeBackupState } from '../catalog/backup-state.ts'
import { dataPaths, prefixesUnder } from '../check/catalog-scan.ts'
import { type Problem, verifyCollection } from '../check/verify-collection.ts'
import {
  catalogRoot,
  inboxPrefix,
  logPrefix,
  logRoot,
  parseKey,
  pointerKey,
  snapshotPrefix,
  snapshotRoot,
  storeKey,
} from '../format/keys.ts'
import { pages } from '../log/listing.ts'
import { invalid } from '../errors.ts'
import type { Environment } from '../ports/environment.ts'
import type { ObjectInfo, ObjectStore } from '../ports/object-store.ts'
import { hasBlobs } from '../drivers/directory/blobs/index-copy.ts'
import { copyBlobs } from './copy-blobs.ts'
import { type Copied, copyObjects, copyPrefix, sizesUnder } from './copy-objects.ts'

const ATTEMPTS = 6
const INBOX_LISTINGS = 10
/** Objects of the S3 face. */
const BLOBS = 'blobs/'
const DELETED_AT_ONCE = 1_000

export interface BackUpOptions {
  signal?: AbortSignal
  /** Of a store on a directory whose objects may be in use. Otherwise they are copied as they lie there: a backup in a bucket. */
  directory?: string
  /** Called before each collection is copied. */
  onCollection?: (done: number, total: number) => Promise<void>
}

export interface BackUpReport extends Copied {
  collections: number
  /** Collections that were copied more than once, because the copy was not whole. */
  repeated: number
  /** What is wrong with the copy: the source is damaged in the same way. Empty: the copy is whole. */
  problems: Problem[]
}

/**
 * @throws SiltstoneError `invalid` (backup-target-in-use), and what the stores throw
 */
export async function backUp(from: Environment, to: Environment, options: BackUpOptions = {}): Promise<BackUpReport> {
  const { signal } = options
  const copied: Copied = { objects: 0, sizeBytes: 0 }
  const startedAtMs = from.clock.nowMs()
  await requireEmptyOrUnfinished(to.store)
  await writeBackupState(to.store, { startedAtMs, completedAtMs: null })
  const mutable = { copied, ...(signal && { signal }) }
  // The catalog comes first, so that each collection that it names is copied after it.
  await copyPrefix(from.store, to.store, catalogRoot, mutable)
  const { directory } = options
  const inUse = directory !== undefined && (await hasBlobs(directory)) ? directory : undefined
  // The states of processing are among these. Being older than the records and the objects, they make a worker look again at
  // what has changed since, and never claim more than is there.
  for (const prefix of await otherPrefixes(from.store))
    if (prefix !== BLOBS || inUse === undefined) await copyPrefix(from.store, to.store, prefix, mutable)
  let paths = [...(await dataPaths(from.store))].sort()
  const collections = paths.length
  let problems: Problem[] = []
  let repeated = 0
  for (let attempt = 1; paths.length > 0 && attempt <= ATTEMPTS; attempt++) {
    if (attempt > 1) repeated += paths.length
    problems = []
    const damaged: string[] = []
    for (const [done, path] of paths.entries()) {
      await options.onCollection?.(done, paths.length)
      await copyCollection(from, to.store, path, copied, signal)
    }
    for (const path of paths) {
      signal?.throwIfAborted()
      const report = await verifyCollection(to, path, { deep: false })
      const errors = report.problems.filter(({ severity }) => severity === 'error')
      if (errors.length > 0) damaged.push(path)
      for (const one of errors) problems.push(one)
    }
    paths = damaged
  }
  if (inUse !== undefined) problems.push(...(await copyBlobs(inUse, from.store, to.store, mutable)))
  await copyObjects(from.store, to.store, await existing(from.store, storeKey), mutable)
  await writeBackupState(to.store, { startedAtMs, completedAtMs: from.clock.nowMs() })
  return { ...copied, collections, repeated, problems }
}

async function copyCollection(
  env: Environment,
  to: ObjectStore,
  path: string,
  copied: Copied,
  signal: AbortSignal | undefined,
): Promise<void> {
  const from = env.store
  const pointer = await from.get(pointerKey(path))
  const copy = async (prefix: string, accept?: (key: string) => boolean) =>
    copyPrefix(from, to, prefix, {
      copied,
      present: await sizesUnder(to, prefix),
      ...(accept && { accept }),
      ...(signal && { signal }),
    })
  await copy(snapshotPrefix(path), (key) => key !== pointerKey(path))
  const inbox = await listInboxAtOneMoment(env, path)
  const present = await sizesUnder(to, inboxPrefix(path))
  await dropOthers(to, present.keys(), new Set(inbox.map(({ key }) => key)))
  await copyObjects(from, to, inbox, { copied, present, ...(signal && { signal }) })
  await copy(logPrefix(path), (key) => parseKey(key)?.kind === 'log-entry')
  await copy(`${snapshotPrefix(path)}taken/`)
  if (pointer.status !== 'ok') return
  await to.put(pointerKey(path), pointer.body)
  copied.objects++
  copied.sizeBytes += pointer.body.length
}

/** All deltas that were acknowledged before some moment and are not in an entry by then, and no others. */
async function listInboxAtOneMoment({ store, clock }: Environment, path: string): Promise<ObjectInfo[]> {
  let known: ReadonlySet<string> | undefined
  for (let listing = 1; ; listing++) {
    const startedMs = clock.nowMs()
    const inbox: ObjectInfo[] = []
    let pageCount = 0
    for await (const page of pages(store, inboxPrefix(path))) {
      inbox.push(...page)
      pageCount++
    }
    if (pageCount <= 1 && store.capabilities.atomicListPages) return inbox
    // Nothing was added since: what was acknowledged before any of these was there when this listing began.
    const before = known
    if (before && inbox.every(({ key }) => before.has(key))) return inbox
    // The inbox is too busy. What was put after this listing began is left out, by the time of the objects.
    if (listing >= INBOX_LISTINGS) return inbox.filter(({ lastModifiedMs }) => lastModifiedMs < startedMs)
    known = new Set(inbox.map(({ key }) => key))
  }
}

/** Removes deltas of an earlier attempt that have left the inbox since: the log may have forgotten them. */
async function dropOthers(to: ObjectStore, present: Iterable<string>, keys: ReadonlySet<string>): Promise<void> {
  const gone = [...present].filter((key) => !keys.has(key))
  for (let i = 0; i < gone.length; i += DELETED_AT_ONCE) {
    const { failed } = await to.delete(gone.slice(i, i + DELETED_AT_ONCE))
    if (failed[0]) throw failed[0].error
  }
}

/** Everything but the catalog and the collections: embeddings, work that is due, and what other services keep here. */
async function otherPrefixes(store: ObjectStore): Promise<string[]> {
  const own = new Set([catalogRoot, logRoot, snapshotRoot, 'backup/'])
  return (await prefixesUnder(store, '')).filter((prefix) => !own.has(prefix))
}

/** @throws SiltstoneError `invalid` (backup-target-in-use) */
async function requireEmptyOrUnfinished(to: ObjectStore): Promise<void> {
  const state = await readBackupState(to)
  if (state && state.completedAtMs === null) return
  const { objects, prefixes } = await to.list('', { limit: 1 })
  if (objects.length === 0 && prefixes.length === 0) return
  const what = state ? 'holds a complete backup' : 'is not empty'
  throw invalid('backup-target-in-use', `${to.description} ${what}; give a place that is empty`, { field: 'to' })
}

async function existing(store: ObjectStore, key: string): Promise<ObjectInfo[]> {
  const found = await store.head(key)
  return found ? [found] : []
}
