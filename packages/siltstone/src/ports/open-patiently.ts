/** Opens a store that may be out of reach for a while: a server should wait for its bucket, and not end. */
import { isSiltstoneError, type SiltstoneError } from '../errors.ts'
import type { Clock } from './clock.ts'
import type { Random } from './random.ts'
import { retry } from './retry.ts'
import type { Logger } from './telemetry.ts'

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000

/** Failures of the network or of the service. Others, such as missing credentials, need an operator. */
const PASSING = new Set(['aws-unreachable', 'throttled', 'probe-unclear'])

/**
 * Calls `open` until the store is reached, with growing pauses, each of which is logged.
 * @param place of the store, for the log
 * @throws what `open` throws, unless it says that the store cannot be reached now
 */
export function openPatiently<T>(
  place: string,
  open: () => Promise<T>,
  { clock, random, log }: { clock: Clock; random: Random; log: Logger },
): Promise<T> {
  return retry(open, {
    attempts: Number.POSITIVE_INFINITY,
    baseMs: FIRST_PAUSE_MS,
    maxMs: LONGEST_PAUSE_MS,
    clock,
    random,
    // step: start-waits-for-the-store
    when: isPassing,
    onWait: (error, waitMs, attempt) => {
      const { code, message } = error as SiltstoneError
      const retryInMs = Math.round(waitMs)
      log.warn('store_unreachable', { message: `${place} cannot be reached: ${message}`, code, attempt, retryInMs })
    },
  })
}

function isPassing(error: unknown): boolean {
  // Opening repeats its writes without harm, so an unknown outcome is one more reason to try again.
  return isSiltstoneError(error, 'unknown') || (isSiltstoneError(error, 'unavailable') && PASSING.has(error.code))
}
