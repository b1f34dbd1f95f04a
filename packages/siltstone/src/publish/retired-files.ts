/**
 * Files that no publication names any more, kept for pages that were opened before: they are removed by a publication that is
 * made when the time for which they are kept is over. Since when a file is not used stands in `data/retired.json`, which pages
 * do not read. Where it is lost or damaged, the time begins again.
 */
import { utf8Decode, utf8Encode } from '#codec'
import { DATA } from './part-writer.ts'
import type { PublishTarget } from './publish-target.ts'

export const RETIRED_FILE = `${DATA}retired.json`
const FORMAT = 'siltstone.retired'

export interface RetireOptions {
  nowMs: number
  /** 0: unused files are removed at once. */
  keepMs: number
}

/** @param unused names of files @returns how many were removed */
export async function retire(
  target: PublishTarget,
  unused: readonly string[],
  { nowMs, keepMs }: RetireOptions,
): Promise<number> {
  const before = await target.read(RETIRED_FILE)
  const known = before ? sinceOf(before) : {}
  const kept: Record<string, number> = {}
  let removed = 0
  for (const name of unused) {
    // A clock that was put back does not keep files longer.
    const sinceMs = Math.min(known[name] ?? nowMs, nowMs)
    if (nowMs - sinceMs < keepMs) kept[name] = sinceMs
    else {
      await target.remove(name)
      removed++
    }
  }
  if (Object.keys(kept).length === 0) {
    if (before) await target.remove(RETIRED_FILE)
  } else if (!before || !isSame(known, kept))
    await target.write(RETIRED_FILE, utf8Encode(JSON.stringify({ format: FORMAT, version: 1, sinceMs: kept })))
  return removed
}

function sinceOf(bytes: Uint8Array): Record<string, number> {
  let stored: { format?: unknown; sinceMs?: unknown } | null
  try {
    stored = JSON.parse(utf8Decode(bytes)) as typeof stored
  } catch {
    return {}
  }
  if (stored?.format !== FORMAT || typeof stored.sinceMs !== 'object') return {}
  const entries = Object.entries(stored.sinceMs ?? {})
  return Object.fromEntries(entries.filter((entry): entry is [string, number] => Number.isFinite(entry[1])))
}

function isSame(a: Record<string, number>, b: Record<string, number>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}
