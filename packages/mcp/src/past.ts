/** Earlier states: `at` is a version, the name of a snapshot, or a time. */
import { type Collection, invalid, notFound } from 'siltstone/internal'

export interface Past {
  at?: number
  /** What was chosen, where the caller gave a time. */
  note?: string
}

const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/

/**
 * A time means the newest snapshot that is not later: states between snapshots have no time.
 * @throws SiltstoneError `invalid` (bad-at), `not-found` (gone)
 */
export async function pastOf(collection: Collection, at: string | number | undefined): Promise<Past> {
  if (at === undefined) return {}
  if (typeof at === 'number') return { at }
  if (/^\d{1,15}$/.test(at)) return { at: Number(at) }
  const snapshots = await collection.snapshots()
  const named = snapshots.find(({ name }) => name === at)
  if (named !== undefined) return { at: named.watermark }
  const timeMs = TIME.test(at) ? Date.parse(at) : Number.NaN
  if (Number.isNaN(timeMs))
    throw invalid(
      'bad-at',
      `at is ${JSON.stringify(at)}: give a version number, the name of a snapshot, or a time such as 2026-11-27T18:00:00Z.`,
    )
  const found = snapshots.find(({ createdAtMs }) => createdAtMs <= timeMs)
  if (found === undefined) {
    if (timeMs < collection.info.createdAtMs)
      throw notFound('gone', `The collection was created at ${iso(collection.info.createdAtMs)}, after ${at}.`)
    const oldest = snapshots.at(-1)
    const first = oldest === undefined ? 'there is none yet' : `the oldest is of ${iso(oldest.createdAtMs)}`
    throw notFound('gone', `No snapshot of ${at} or before is kept: ${first}.`)
  }
  const note = `state of version ${found.watermark}: the newest snapshot at ${at} or before, of ${iso(found.createdAtMs)}`
  return { at: found.watermark, note }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
