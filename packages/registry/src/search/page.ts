/**
 * Pages of the index in the order of ids. An id begins with its time, so a page is found by windows of time that begin after the
 * last id of the page before, and grow until they hold enough. The work of a page follows the records of its windows, not those
 * before it, and a page never repeats or omits an artifact, whatever is registered or deleted between two pages.
 *
 * How long a window has to be is guessed: from the last page of the same collection in this process, and from how much the windows
 * before it held. One that holds far too much is made smaller; if it is a millisecond long, only its ids are read first.
 */
import type { StoreCollection, Where, WhereDocument } from 'siltstone'
import { ulidTimeMs } from '../store/keys.ts'
import { type ArtifactPage, indexedArtifact, type IndexedArtifact } from './entry.ts'

export interface PageOptions {
  limit: number
  after?: string | undefined
  /** Few records match: one window is enough. */
  isSelective: boolean
  /** Hardly more records match than a page shows, so they are read with the ids, not after them. Default: no. */
  isFew?: boolean
  /** Of the names. */
  whereDocument?: WhereDocument | undefined
  /** The collection was read since the request began. Default: no, so the first read is strong. */
  isFresh?: boolean
  /** Up to this many records, one window is enough. Default 5,000. */
  oneWindowRecords?: number
}

/**
 * A read of what this process has read a moment ago. All reads of a request after the first one are such: to look for later writes each time
 * takes two rounds to a distant bucket, and a page would show artifacts of several moments.
 */
export const AS_JUST_READ = { readLevel: 'index_and_bounded_wal' } as const

const ONE_WINDOW_RECORDS = 5_000
const FIRST_WINDOW_MS = 60_000
/** A window that may hold enough is made this much longer than it seems to need. */
const MARGIN = 1.5
const MOST_GROWTH = 64
/** A window with more artifacts than this many pages is too long. */
const MOST_PAGES = 4

/** What this process has learned of a collection. */
interface Learned {
  /** Time of the artifact that was inserted first. A guess: artifacts are deleted. */
  firstMs?: number
  /** Of a window for one artifact. */
  msEach?: number
}

const learnedOf = new WeakMap<StoreCollection, Learned>()

export async function pageOf(
  names: StoreCollection,
  where: Where | undefined,
  options: PageOptions,
): Promise<ArtifactPage> {
  const { limit, after, isSelective, isFew = false, whereDocument, isFresh = false } = options
  const { oneWindowRecords = ONE_WINDOW_RECORDS } = options
  let level = isFresh ? AS_JUST_READ : {}
  if (isFew) {
    const found = (await names.get({ ...whereOf(where), whereDocument, include: ['metadatas'], ...level })).rows()
    const artifacts = new Map(found.map(({ id, metadata }) => [id, indexedArtifact(id, metadata)]))
    const { ids, next } = cut([...artifacts.keys()], limit, after)
    return { artifacts: ids.flatMap((id) => artifacts.get(id) ?? []), next }
  }
  const isSmall = isSelective || (await names.count(level)) <= oneWindowRecords
  if (!isSelective) level = AS_JUST_READ
  const found = isSmall
    ? await inOneWindow(names, { where, whereDocument, after, level })
    : await inWindows(names, { where, whereDocument, after, level, limit })
  const { ids, next } = cut([...found.keys()], limit, after)
  const unread = ids.filter((id) => found.get(id) === undefined)
  if (unread.length > 0) {
    const { ids: read, metadatas } = await names.get({ ids: unread, include: ['metadatas'], ...AS_JUST_READ })
    for (const [k, id] of read.entries()) found.set(id, indexedArtifact(id, metadatas[k]))
  }
  return { artifacts: ids.flatMap((id) => found.get(id) ?? []), next }
}

interface Asked {
  where: Where | undefined
  whereDocument: WhereDocument | undefined
  after: string | undefined
  level: typeof AS_JUST_READ | object
}

/** By id; undefined: not read yet. */
type Found = Map<string, IndexedArtifact | undefined>

/** Everything behind the cursor. */
async function inOneWindow(names: StoreCollection, { where, whereDocument, after, level }: Asked): Promise<Found> {
  const fromMs = after === undefined ? 0 : ulidTimeMs(after)
  const { ids } = await names.get({ ...whereOf(within(where, fromMs)), whereDocument, include: [], ...level })
  return new Map(ids.map((id) => [id, undefined]))
}

async function inWindows(
  names: StoreCollection,
  { where, whereDocument, after, level, limit }: Asked & { limit: number },
): Promise<Found> {
  const found: Found = new Map()
  const learned = learnedOf.get(names) ?? {}
  learnedOf.set(names, learned)
  const most = MOST_PAGES * limit + 1
  let fromMs = after === undefined ? 0 : ulidTimeMs(after)
  let windowMs = learned.msEach === undefined ? FIRST_WINDOW_MS : Math.ceil(learned.msEach * limit * MARGIN)
  // Without a cursor the first window reaches from the beginning of time to a little after the first artifact.
  let skippedMs = after === undefined ? (learned.firstMs ??= await firstMs(names)) : 0
  for (;;) {
    const untilMs = windowMs > MAX_WINDOW_MS ? undefined : fromMs + skippedMs + windowMs
    const asked = { ...whereOf(within(where, fromMs, untilMs)), whereDocument, ...level }
    const { ids, metadatas } = await names.get({ ...asked, include: ['metadatas'], limit: most + 1 })
    if (ids.length > most && windowMs > 1) {
      windowMs = Math.max(1, Math.floor(windowMs / MOST_GROWTH))
      continue
    }
    // Of a millisecond with very many artifacts, those of the page are read when all its ids are known.
    const isWhole = ids.length <= most
    const held = isWhole ? ids : (await names.get({ ...asked, include: [] })).ids
    for (const [k, id] of held.entries())
      if (after === undefined || id > after) found.set(id, isWhole ? indexedArtifact(id, metadatas[k]) : undefined)
    if (held.length > 0) learned.msEach = windowMs / held.length
    if (untilMs === undefined || found.size > limit) return found
    const needed = (limit + 1 - found.size) / Math.max(1, held.length)
    windowMs = Math.ceil(windowMs * Math.min(MOST_GROWTH, Math.max(1, needed * MARGIN)))
    fromMs = untilMs
    skippedMs = 0
  }
}

function within(where: Where | undefined, fromMs: number, untilMs?: number): Where | undefined {
  const time: Where[] = fromMs > 0 ? [{ created_ms: { $gte: fromMs } }] : []
  if (untilMs !== undefined) time.push({ created_ms: { $lt: untilMs } })
  const all = [...time, ...(where === undefined ? [] : [where])]
  return all.length > 1 ? { $and: all } : all[0]
}

const whereOf = (where: Where | undefined) => (where === undefined ? {} : { where })

/** The first ids behind `after`. */
function cut(found: readonly string[], limit: number, after: string | undefined) {
  const sorted = found.filter((id) => after === undefined || id > after).toSorted()
  const ids = sorted.slice(0, limit)
  return { ids, next: sorted.length > ids.length ? (ids.at(-1) ?? null) : null }
}

/** A hundred years: the last window has no end. */
const MAX_WINDOW_MS = 100 * 365 * 86_400_000

async function firstMs(names: StoreCollection): Promise<number> {
  const { metadatas } = await names.get({ limit: 1, include: ['metadatas'], ...AS_JUST_READ })
  const first = metadatas[0]?.['created_ms']
  return typeof first === 'number' ? first : 0
}
