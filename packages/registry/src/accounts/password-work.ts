/** Hashes and checks passwords, two at a time: each takes time of a core, and memory that many logins at once must not add up. */
import { type Random, unavailable } from 'siltstone/internal'
import { hashPassword, type PasswordCost, verifyPassword } from './password.ts'

const AT_ONCE = 2
const MAX_WAITING = 32

export class PasswordWork {
  readonly #random: Random
  readonly #cost: PasswordCost | undefined
  readonly #waiting: (() => void)[] = []
  #running = 0
  #dummy: Promise<string> | undefined

  constructor({ random, cost }: { random: Random; cost?: PasswordCost }) {
    this.#random = random
    this.#cost = cost
  }

  /** @throws SiltstoneError `unavailable` (too-many-logins) */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => hashPassword(password, this.#random, this.#cost))
  }

  /**
   * @param stored undefined: there is no such user, which takes as long
   * @throws SiltstoneError `unavailable` (too-many-logins), and as `verifyPassword`
   */
  async verify(password: string, stored: string | undefined): Promise<boolean> {
    const hash = stored ?? (await this.#dummyHash())
    return this.#inTurn(() => verifyPassword(password, hash))
  }

  #dummyHash(): Promise<string> {
    this.#dummy ??= this.hash('no user has this password').catch((error: unknown) => {
      this.#dummy = undefined
      throw error
    })
    return this.#dummy
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < AT_ONCE) this.#running++
    else {
      if (this.#waiting.length >= MAX_WAITING) {
        throw unavailable('too-many-logins', 'too many log in at the same time: try again', { retryAfterMs: 1_000 })
      }
      // The one that ends leaves its place to this one.
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
