/**
 * Work that is due later is enlisted under `gc-due/<hour>/<collection>`: the collector lists the hours that have come,
 * so an idle collection costs nothing and still shrinks to what it must keep.
 */
import { gcDueKey, gcDuePrefix, gcDueRoot, parseKey } from '../format/keys.ts'
import { isPassing } from '../errors.ts'
import { pages } from '../log/listing.ts'
import type { LogLimits } from '../log/log-limits.ts'
import type { Environment } from '../ports/environment.ts'

const HOUR_MS = 3_600_000
const SLACK_MS = 60_000
const NOTHING = new Uint8Array(0)

/** After a fold: its entries can go once their retention is over. */
export function enlistForCollection(
  env: Environment,
  path: string,
  log: Pick<LogLimits, 'entryRetentionMs'>,
): Promise<void> {
  return enlist(env, path, env.clock.nowMs() + log.entryRetentionMs + SLACK_MS)
}

/** @param dueMs rounded up to the hour */
export async function enlist(env: Environment, path: string, dueMs: number): Promise<void> {
  try {
    await env.store.put(gcDueKey(Math.ceil(dueMs / HOUR_MS) * HOUR_MS, path), NOTHING, { ifAbsent: true })
  } catch (error) {
    // The next fold enlists again, and `siltstone gc` looks at every collection.
    if (!isPassing(error)) throw error
    env.log.warn('gc_enlisting_failed', { collection: path, error: String(error) })
  }
}

export interface DueWork {
  key: string
  path: string
}

export async function dueNow(env: Environment): Promise<DueWork[]> {
  const nowMs = env.clock.nowMs()
  const due: DueWork[] = []
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
