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
  /** Of the names. */
  whereDocument?: WhereDocument | undefined
  /** Up to this many records, one window is enough. Default 5,000. */
  oneWindowRecords?: number
}

const ONE_WINDOW_RECORDS = 5_000
const FIRST_WINDOW_MS = 60_000
const GROWTH = 8

export async function pageOf(
  names: StoreCollection,
  where: Where | undefined,
  { limit, after, isSelective, whereDocument, oneWindowRecords = ONE_WINDOW_RECORDS }: PageOptions,
): Promise<ArtifactPage> {
  const found = new Set<string>()
  let fromMs = after === undefined ? 0 : ulidTimeMs(after)
  let windowMs = FIRST_WINDOW_MS
  const isSmall = isSelective || (await names.count()) <= oneWindowRecords
  // Without a cursor the first window reaches from the beginning of time to a little after the first record.
  if (!isSmall && after === undefined) windowMs += await firstMs(names)
  for (;;) {
    const untilMs = isSmall || windowMs > MAX_WINDOW_MS ? undefined : fromMs + windowMs
    const time: Where[] = [{ created_ms: { $gte: fromMs } }]
    if (untilMs !== undefined) time.push({ created_ms: { $lt: untilMs } })
    const conditions = { $and: [...time, ...(where === undefined ? [] : [where])] }
    const { ids } = await names.get({ where: conditions, whereDocument, include: [] })
    for (const id of ids) if (after === undefined || id > after) found.add(id)
    if (untilMs === undefined || found.size > limit) break
    windowMs = fromMs === 0 ? FIRST_WINDOW_MS : windowMs * GROWTH
    fromMs = untilMs
  }
  const sorted = [...found].toSorted()
  const page = sorted.slice(0, limit)
  const rows = page.length === 0 ? [] : (await names.get({ ids: page, include: ['metadatas'] })).rows()
  const artifacts = rows.map(({ id, metadata }) => indexedArtifact(id, metadata))
  return {
    artifacts: artifacts.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    next: sorted.length > page.length ? (page.at(-1) ?? null) : null,
  }
}

/** A hundred years: the last window has no end. */
const MAX_WINDOW_MS = 100 * 365 * 86_400_000

async function firstMs(names: StoreCollection): Promise<number> {
  const { metadatas } = await names.get({ limit: 1, include: ['metadatas'] })
  const first = metadatas[0]?.['created_ms']
  return typeof first === 'number' ? first : 0
}
