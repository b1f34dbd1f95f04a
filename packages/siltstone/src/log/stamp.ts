import type { Clock } from '../ports/clock.ts'

/** A moment, on both clocks of a process. */
export interface Stamp {
  wallMs: number
  monotonicMs: number
}

export function stampNow(clock: Clock): Stamp {
  return { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() }
}

/** How long ago a moment was: the larger of both clocks' differences, because either clock may stop or be set back. */
export function ageMs(clock: Clock, since: Stamp): number {
  return Math.max(clock.nowMs() - since.wallMs, clock.monotonicMs() - since.monotonicMs)
}
