/**
 * How many processors work at the same time. Memory and processors of the machine bound that; what comes before and after,
 * states and records, waits for the disk or the bucket, so that more objects than these may be under way.
 */
import type { Clock } from 'siltstone/internal'

/** While work waits for its turn, it says so this often. */
const ALIVE_EACH_MS = 5_000

export class JobSlots {
  readonly #clock: Clock
  readonly #waiting: PromiseWithResolvers<void>[] = []
  #free: number

  /** @param count at least 1 */
  constructor(count: number, clock: Clock) {
    this.#free = count
    this.#clock = clock
  }

  /**
   * Works in turn.
   * @param alive called while the work waits. @throws what it throws, without having worked
   */
  async run<T>(work: () => Promise<T>, alive: () => Promise<void>): Promise<T> {
    await this.#take(alive)
    try {
      return await work()
    } finally {
      this.#give()
    }
  }

  async #take(alive: () => Promise<void>): Promise<void> {
    if (this.#free > 0) {
      this.#free--
      return
    }
    const turn = Promise.withResolvers<void>()
    this.#waiting.push(turn)
    try {
      while (!(await this.#isIn(turn.promise))) await alive()
    } catch (error) {
      const at = this.#waiting.indexOf(turn)
      if (at === -1) this.#give()
      else this.#waiting.splice(at, 1)
      throw error
    }
  }

  /** @returns false when it took too long */
  #isIn(turn: Promise<void>): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const cancel = this.#clock.timer(ALIVE_EACH_MS, () => resolve(false))
    void turn.then(() => {
      cancel()
      resolve(true)
    })
    return promise
  }

  #give(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next.resolve()
  }
}
