/** When an object that has failed is tried again. */
import { isDiskFull, type Random } from 'siltstone/internal'

const FIRST_MS = 5_000
const LAST_MS = 15 * 60_000

/** Four times as long after each attempt, and a quarter more or less, so that those which failed together do not return together. */
export function retryMs(attempt: number, random: Random): number {
  const ms = Math.min(LAST_MS, FIRST_MS * 4 ** Math.min(attempt - 1, 6))
  return Math.round(ms * (0.75 + random.next() / 2))
}

/** About 80 s. */
const FULL_DISK_ATTEMPT = 3

/**
 * After a failure. A full disk is not the object's fault: the next attempt has the number of this one, so an object is tried until
 * there is room, and is not given up.
 */
export function nextAttempt(attempt: number, cause: unknown, nowMs: number, random: Random) {
  if (!isDiskFull(cause)) return { retryAtMs: nowMs + retryMs(attempt, random) }
  return { attempt: attempt - 1, retryAtMs: nowMs + retryMs(FULL_DISK_ATTEMPT, random) }
}
