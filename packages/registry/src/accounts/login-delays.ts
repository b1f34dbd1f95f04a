/**
 * Delays against guessing. Of one user from one address, five failures are free; after each further one there is no try for 2, 4, 8 …
 * seconds, up to 15 minutes. Another address is not delayed, so nobody can lock a user out. From the fifth failure on the count is
 * kept in the user's document, so that all processes share it; of names that do not exist, each process counts for itself.
 */
import { createHash } from 'node:crypto'
import type { FailedLogins, UserDocument } from './account-documents.ts'

const FREE = 5
const MAX_DELAY_MS = 15 * 60_000
/** Forgotten this long after the last failure. */
const FORGET_MS = 60 * 60_000
const MAX_KEPT_IN_MEMORY = 10_000
const MAX_KEPT_IN_DOCUMENT = 32

export const addressHash = (address: string): string => createHash('sha256').update(address).digest('hex').slice(0, 16)

export class LoginDelays {
  readonly #counts = new Map<string, FailedLogins>()

  /** Milliseconds until the next try is allowed; 0: now. */
  waitMs(name: string, address: string, user: UserDocument | undefined, nowMs: number): number {
    return Math.max(0, this.#of(name, address, user).untilMs - nowMs)
  }

  /** Counts a failure. @returns what the user's document has to keep; undefined: nothing yet */
  failed(name: string, address: string, user: UserDocument | undefined, nowMs: number): FailedLogins | undefined {
    const { count } = this.#of(name, address, user)
    const next = count + 1
    const delayMs = next < FREE ? 0 : Math.min(MAX_DELAY_MS, 1_000 * 2 ** (next - FREE + 1))
    const failures = { count: next, untilMs: nowMs + delayMs }
    const key = `${name} ${addressHash(address)}`
    this.#counts.delete(key)
    this.#counts.set(key, failures)
    for (const oldest of this.#counts.keys()) {
      if (this.#counts.size <= MAX_KEPT_IN_MEMORY) break
      this.#counts.delete(oldest)
    }
    return next < FREE ? undefined : failures
  }

  succeeded(name: string, address: string): void {
    this.#counts.delete(`${name} ${addressHash(address)}`)
  }

  #of(name: string, address: string, user: UserDocument | undefined): FailedLogins {
    const hash = addressHash(address)
    const known = [this.#counts.get(`${name} ${hash}`), user?.failures?.[hash]]
    return known.reduce<FailedLogins>((most, each) => (each !== undefined && each.count > most.count ? each : most), {
      count: 0,
      untilMs: 0,
    })
  }
}

/** The failures that a document keeps: the latest, and none that is forgotten. */
export function withFailures(
  before: UserDocument['failures'],
  address: string,
  failures: FailedLogins | undefined,
  nowMs: number,
): Readonly<Record<string, FailedLogins>> {
  const hash = addressHash(address)
  const kept = Object.entries(before ?? {}).filter(([key, { untilMs }]) => key !== hash && untilMs + FORGET_MS > nowMs)
  const next = failures === undefined ? kept : [...kept, [hash, failures] as const]
  return Object.fromEntries(next.toSorted(([, a], [, b]) => a.untilMs - b.untilMs).slice(-MAX_KEPT_IN_DOCUMENT))
}
