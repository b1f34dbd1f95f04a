/**
 * Pages of the index in the order of ids. An id begins with its time, so a page is found by windows of time that begin after the
 * last id of the page before, and grow until they hold enough. The work of a page follows the records of its windows, not those
 * before it, and a page never repeats or omits an artifact, whatever is registered or deleted between two pages.
 */
import type { StoreCollection, Where, WhereDocument } from 'siltstone'
import { ulidTimeMs } from '../store/keys.ts'
import { type ArtifactPage, indexedArtifact } from './entry.ts'

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
const GROWTH = 8

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
  const found = new Set<string>()
  let fromMs = after === undefined ? 0 : ulidTimeMs(after)
  let windowMs = FIRST_WINDOW_MS
  const isSmall = isSelective || (await names.count(level)) <= oneWindowRecords
  if (!isSelective) level = AS_JUST_READ
  // Without a cursor the first window reaches from the beginning of time to a little after the first record.
  if (!isSmall && after === undefined) windowMs += await firstMs(names)
  for (;;) {
    const untilMs = isSmall || windowMs > MAX_WINDOW_MS ? undefined : fromMs + windowMs
    const time: Where[] = fromMs > 0 ? [{ created_ms: { $gte: fromMs } }] : []
    if (untilMs !== undefined) time.push({ created_ms: { $lt: untilMs } })
    const conditions = [...time, ...(where === undefined ? [] : [where])]
    const all = conditions.length > 1 ? { $and: conditions } : conditions[0]
    const { ids } = await names.get({ ...whereOf(all), whereDocument, include: [], ...level })
    level = AS_JUST_READ
    for (const id of ids) if (after === undefined || id > after) found.add(id)
    if (untilMs === undefined || found.size > limit) break
    windowMs = fromMs === 0 ? FIRST_WINDOW_MS : windowMs * GROWTH
    fromMs = untilMs
  }
  const { ids, next } = cut([...found], limit, after)
  const rows = ids.length === 0 ? [] : (await names.get({ ids, include: ['metadatas'], ...level })).rows()
  const artifacts = rows.map(({ id, metadata }) => indexedArtifact(id, metadata))
  return { artifacts: artifacts.toSorted((a, b) => (a.id < b.id ? -1 : 1)), next }
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
