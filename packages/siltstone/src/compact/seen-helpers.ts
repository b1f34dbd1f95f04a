/**
 * Which collections other processes merge too, as far as this process has noticed: it met a claim of theirs, or they asked
 * for the lease of folds while this process held it, or held it themselves. A hint for dividing work (`merge-share.ts`).
 */
import type { Clock } from '../ports/clock.ts'

/** A process that has not been noticed for this long has probably ended. */
const REMEMBERED_MS = 10 * 60_000

export class SeenHelpers {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #seenMs = new Map<string, number>()
  readonly #folding = new Set<string>()

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  noticed(path: string): void {
    this.#seenMs.set(path, this.#clock.monotonicMs())
  }

  /** Whether the lease of folds was found busy, at the last attempt to get it. */
  foldLeaseWas(path: string, isBusy: boolean): void {
    if (!isBusy) {
      this.#folding.delete(path)
      return
    }
    this.#folding.add(path)
    this.noticed(path)
  }

  /** Whether there is another process that does not fold now; it may merge. */
  isThere(path: string): boolean {
    const seenMs = this.#seenMs.get(path)
    if (seenMs === undefined) return false
    if (this.#clock.monotonicMs() - seenMs <= REMEMBERED_MS) return !this.#folding.has(path)
    this.#seenMs.delete(path)
    this.#folding.delete(path)
    return false
  }
}
