/**
 * How fast steps are in this process, measured by the steps themselves. It is kept in memory only: another machine, or the
 * same one beside other work, has another pace.
 *
 * A step counts by its work, and half as much as the one after it, so the pace follows the machine up and down within a
 * few steps. Until a step was measured, the pace is the assumed one.
 */
import type { Pace } from './compact-limits.ts'

/** A step of less work, in milliseconds at the assumed pace, says more about single requests than about bytes. */
export const MEASURABLE_MS = 500
const OLDER_SHARE = 0.5
/** What any step takes is at most this many times the shortest one. */
const FIXED_FACTOR = 2

export class StepPace {
  readonly #assumed: Pace
  #workMs = 0
  #tookMs = 0
  #shortestMs = Infinity
  #cuts = 0

  /** @param assumed until something is measured */
  constructor(assumed: Pace) {
    this.#assumed = assumed
  }

  get isMeasured(): boolean {
    return this.#workMs > 0
  }

  get current(): Pace {
    const { fixedMs, bytesPerSecond, rowsPerSecond, multiplicationsPerSecond } = this.#assumed
    const factor = (this.isMeasured ? this.#tookMs / this.#workMs : 1) * 2 ** this.#cuts
    return {
      fixedMs: Math.min(fixedMs, FIXED_FACTOR * this.#shortestMs),
      bytesPerSecond: bytesPerSecond / factor,
      rowsPerSecond: rowsPerSecond / factor,
      multiplicationsPerSecond: multiplicationsPerSecond / factor,
    }
  }

  /**
   * A step ended.
   * @param assumedMs its estimate at the assumed pace
   */
  ended(assumedMs: number, tookMs: number): void {
    // The clock of a test may stand still.
    const ms = Math.max(1, tookMs)
    this.#shortestMs = Math.min(this.#shortestMs, ms)
    this.#cuts = 0
    const workMs = assumedMs - this.#assumed.fixedMs
    if (workMs < MEASURABLE_MS) return
    this.#workMs = OLDER_SHARE * this.#workMs + workMs
    this.#tookMs = OLDER_SHARE * this.#tookMs + ms
  }

  /** A step did not end in time: the next one like it is expected to take twice as long. */
  cut(): void {
    this.#cuts++
  }
}
