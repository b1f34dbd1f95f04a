/**
 * The schedule of garbage collections: an empty object `gc-due/<hour>/<collection>` says that a collection has garbage
 * from that hour on. The garbage collector lists the hours that have come, so an idle collection costs nothing and
 * still shrinks to what it must keep.
 */
import { gcDueKey, gcDuePrefix, gcDueRoot, parseKey } from '../format/keys.ts'
import { isFull, isPassing } from '../errors.ts'
import { pages } from '../log/listing.ts'
import type { LogLimits } from '../log/log-limits.ts'
import type { Environment } from '../ports/environment.ts'

const HOUR_MS = 3_600_000
const SLACK_MS = 60_000
const EMPTY = new Uint8Array(0)

/** Called after a fold: its entries can be deleted once their retention is over. */
export function scheduleGcAfterFold(
  env: Environment,
  path: string,
  log: Pick<LogLimits, 'entryRetentionMs'>,
): Promise<void> {
  return scheduleGc(env, path, env.clock.nowMs() + log.entryRetentionMs + SLACK_MS)
}

/** @param dueMs rounded up to the hour */
export async function scheduleGc(env: Environment, path: string, dueMs: number): Promise<void> {
  try {
    await env.store.put(gcDueKey(Math.ceil(dueMs / HOUR_MS) * HOUR_MS, path), EMPTY, { ifAbsent: true })
  } catch (error) {
    // The next fold schedules again, and `siltstone gc` looks at every collection.
    if (!isPassing(error) && !isFull(error)) throw error
    env.log.warn('gc_scheduling_failed', { collection: path, error: String(error) })
  }
}

export interface DueGc {
  key: string
  path: string
}

/** The garbage collections whose hour has come. */
export async function dueGcs(env: Environment): Promise<DueGc[]> {
  const nowMs = env.clock.nowMs()
  const due: DueGc[] = []
  const last = gcDuePrefix(nowMs)
  for await (const page of pages(env.store, gcDueRoot)) {
    for (const { key } of page) {
      // Hours sort as text, so the first one in the future ends the search.
      if (key.slice(0, last.length) > last) return due
      const parsed = parseKey(key)
      if (parsed?.kind === 'gc-due') due.push({ key, path: parsed.path })
    }
  }
  return due
}
