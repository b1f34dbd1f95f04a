/** Places of processes: one that is killed is started again, and its clients wait for it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Actor } from './actors.ts'

const STARTS = 8

export class Slot<A extends Actor = Actor> {
  readonly name: string
  /** Starts that failed. Over a faulty network a process may not get to its store, and says so. */
  failedStarts = 0
  readonly #open: () => Promise<A>
  #actor: Promise<A>
  #isHarmed = false
  #isClosed = false

  constructor(name: string, open: () => Promise<A>) {
    this.name = name
    this.#open = open
    this.#actor = this.#start()
  }

  /** The process that runs, or the next one when it has started. @throws Error if it cannot be started */
  actor(): Promise<A> {
    return this.#actor
  }

  /** Kills the process (−9), and starts another. @returns false if somebody else harms it at this time */
  kill(): Promise<boolean> {
    return this.#harm(async (actor) => {
      await actor.kill()
      if (this.#isClosed) return
      this.#actor = this.#start()
      await this.#actor
    })
  }

  /** Stops the process for a while (SIGSTOP). @returns false if somebody else harms it at this time */
  pause(ms: number): Promise<boolean> {
    return this.#harm(async ({ pid }) => {
      process.kill(pid, 'SIGSTOP')
      try {
        await sleep(ms)
      } finally {
        process.kill(pid, 'SIGCONT')
      }
    })
  }

  async #harm(work: (actor: A) => Promise<void>): Promise<boolean> {
    if (this.#isHarmed) return false
    this.#isHarmed = true
    try {
      await work(await this.#actor)
      return true
    } finally {
      this.#isHarmed = false
    }
  }

  /** Ends it normally. @throws Error if its exit code is not 0 */
  async stop(): Promise<void> {
    await (await this.#actor).stop()
  }

  /** Ends it in any case. */
  async end(): Promise<void> {
    this.#isClosed = true
    await this.#actor.then(
      (actor) => actor.kill(),
      () => undefined,
    )
  }

  async #start(): Promise<A> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#open()
      } catch (error) {
        this.failedStarts++
        if (attempt === STARTS) throw error
        await sleep(200)
      }
    }
  }
}
