/** When an object that has failed is tried again. */
import type { Random } from 'siltstone/internal'

const FIRST_MS = 5_000
const LAST_MS = 15 * 60_000

/** Four times as long after each attempt, and a quarter more or less, so that those which failed together do not return together. */
export function retryMs(attempt: number, random: Random): number {
  const ms = Math.min(LAST_MS, FIRST_MS * 4 ** Math.min(attempt - 1, 6))
  return Math.round(ms * (0.75 + random.next() / 2))
}
