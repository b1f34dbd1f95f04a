/**
 * Publishes again and again: first at once, then whenever what is published changed. What changed is found by asking, because no
 * file system and no bucket tells everything to everybody, and is published when it has been the same for two looks, so that a build
 * that is under way is not published in the middle.
 */
import { isSiltstoneError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'

export interface Watched {
  clock: Pick<Clock, 'sleep'>
  /** Ends the watching. */
  signal: AbortSignal
  everyMs: number
  /** Different when there is something to publish. */
  look(): Promise<string>
  publish(): Promise<void>
  /** Called with what failed; it is tried again. The same failure is told once. */
  onError(error: Error): Promise<void>
}

/** Returns when the signal is aborted. @throws what the first publication throws */
export async function watch(watched: Watched): Promise<void> {
  const { clock, signal, everyMs } = watched
  let published = await watched.look()
  await untilAborted(signal, () => watched.publish())
  let before = published
  let told = ''
  while (!signal.aborted) {
    await untilAborted(signal, () => clock.sleep(everyMs, signal))
    if (signal.aborted) return
    try {
      const seen = await watched.look()
      if (seen !== published && seen === before) {
        await untilAborted(signal, () => watched.publish())
        published = seen
        told = ''
      }
      before = seen
    } catch (error) {
      // Anything else is a fault of the program.
      if (!isSiltstoneError(error)) throw error
      if (error.message !== told) await watched.onError(error)
      told = error.message
    }
  }
}

/** What fails because it was told to end does not fail. */
async function untilAborted(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
