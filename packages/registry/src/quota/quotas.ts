/**
 * Quotas: how many artifacts an account may have, and how many bytes the versions of their files may name.
 *
 * ## Protocol
 * What an account uses is one document, changed by compare-and-swap. A change first *reserves* what it adds, as a pending entry, and is
 * refused if settled and pending together would be more than the limit; so changes at the same time, also of several processes, never
 * exceed it. Once the change is made, its entry is settled: taken out, and added to the sum. If it fails, the entry is taken out.
 *
 * A deletion marks the sum as stale. A change that would be refused counts a stale sum again, and is then refused or not: the sum is
 * replaced by what index and commits say, if the document has not changed since before they were read. Pending entries stay. What was
 * settled before the document was read is in the index, because it was acknowledged; what was not is pending. So the new sum with the
 * pending entries is never less than what is used. An entry that was pending then may be in the sum, too: its settlement makes the sum
 * stale.
 *
 * ## Failure cases
 * - A process that ends between change and settlement leaves its entry. It counts until it is an hour old and the sum is counted
 *   again. So the use is overestimated for a time, never underestimated.
 * - A change that takes longer than an hour after its reservation may exceed the limit once.
 * - Accounts without a limit have no document, and their changes cost nothing. The first change after a limit is set counts.
 *
 * Uploads are not counted before a version names them; an upload by Git LFS that could not be committed is refused when it begins.
 */
import { type Clock, forbidden, type Ids, type SiltstoneError, unavailable } from 'siltstone/internal'
import { type Quota, userKind } from '../accounts/account-documents.ts'
import type { Documents, Version } from '../store/documents.ts'
import { usageKey, userKey } from '../store/keys.ts'
import { plus, type Usage, type UsageDocument, usageKind } from './usage.ts'

export interface QuotasOptions {
  documents: Documents
  clock: Clock
  ids: Ids
  /** Of accounts without a quota of their own that are no admins. Default: none. */
  standard?: Quota | undefined
  /** What the account uses, from index and commits. */
  count: (user: string) => Promise<Usage>
}

const LEFT_BEHIND_MS = 3_600_000
const TRIES = 10

export class Quotas {
  readonly #options: QuotasOptions
  /** Changes of one account happen one after the other in this process, so that they do not contend for its document. */
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(options: QuotasOptions) {
    this.#options = options
  }

  /**
   * Makes a change that adds to what an account uses.
   * @throws SiltstoneError `forbidden` (quota-artifacts, quota-bytes), and as `work`
   */
  async adding<T>(user: string, added: Usage, work: () => Promise<T>): Promise<T> {
    const quota = await this.quotaOf(user)
    if (quota === undefined) return work()
    const ulid = this.#options.ids.ulid()
    await this.#inTurn(user, () => this.#reserve(user, ulid, added, quota))
    let isMade = false
    try {
      const made = await work()
      isMade = true
      return made
    } finally {
      await this.#inTurn(user, () => this.#settle(user, ulid, isMade))
    }
  }

  /** @throws SiltstoneError `forbidden` (quota-artifacts, quota-bytes) if this cannot be added now */
  async check(user: string, added: Usage): Promise<void> {
    await this.adding(user, added, () => Promise.reject(new Checked())).catch((error: unknown) => {
      if (!(error instanceof Checked)) throw error
    })
  }

  /** To be called after something was deleted. */
  async freed(user: string): Promise<void> {
    await this.#options.documents.change(usageKey(user), usageKind, (current) =>
      current === undefined || current.isStale ? undefined : { ...current, isStale: true },
    )
  }

  async #reserve(user: string, ulid: string, added: Usage, quota: Quota): Promise<void> {
    const { documents, clock } = this.#options
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const version = await documents.change(usageKey(user), usageKind, (current) => {
        if (current === undefined || refusalOf(user, quota, used(current), added) !== undefined) return undefined
        return { ...current, pending: { ...current.pending, [ulid]: { ...added, atMs: clock.nowMs() } } }
      })
      if (version !== undefined && Object.hasOwn(version.document.pending, ulid)) return
      if (version !== undefined && !this.#isWorthCounting(version.document)) {
        const refused = refusalOf(user, quota, used(version.document), added)
        if (refused !== undefined) throw refused
      }
      await this.#recount(user, version)
    }
    throw unavailable('registry-contended', `too many changes of what ${user} has: try again`, { retryAfterMs: 1_000 })
  }

  #isWorthCounting({ isStale, pending }: UsageDocument): boolean {
    return isStale || Object.values(pending).some((entry) => this.#isLeftBehind(entry))
  }

  #isLeftBehind({ atMs }: { atMs: number }): boolean {
    return this.#options.clock.nowMs() - atMs > LEFT_BEHIND_MS
  }

  /** Replaces the version that was read, if it is still there. */
  async #recount(user: string, read: Version<UsageDocument> | undefined): Promise<void> {
    const { documents, count } = this.#options
    const settled = await count(user)
    const entries = Object.entries(read?.document.pending ?? {})
    const kept = entries.filter(([, entry]) => !this.#isLeftBehind(entry))
    const pending = Object.fromEntries(kept.map(([id, entry]) => [id, { ...entry, mayBeCounted: true as const }]))
    const siltstone = read?.document.siltstone ?? { format: usageKind.format, v: usageKind.v, writes: [] }
    const next: UsageDocument = { user, settled, pending, isStale: false, siltstone }
    await documents.write(usageKey(user), usageKind, next, read ?? null)
  }

  async #settle(user: string, ulid: string, isMade: boolean): Promise<void> {
    await this.#options.documents.change(usageKey(user), usageKind, (current) => {
      const entry = current?.pending[ulid]
      // Another process has counted it, because this one took very long.
      if (current === undefined || entry === undefined) return undefined
      const { [ulid]: _, ...pending } = current.pending
      // If the sum has it already, it has it twice now.
      const isStale = current.isStale || (isMade && entry.mayBeCounted === true)
      return { ...current, pending, isStale, settled: isMade ? plus(current.settled, entry) : current.settled }
    })
  }

  /** Undefined: there is no limit. */
  async quotaOf(user: string): Promise<Quota | undefined> {
    const { documents, standard } = this.#options
    const account = (await documents.read(userKey(user), userKind))?.document
    const own = account?.state === 'active' ? account.quota : undefined
    if (own !== undefined) return own
    const isAdmin = account?.state === 'active' && account.permissions.includes('admin')
    return isAdmin ? undefined : standard
  }

  async #inTurn<T>(user: string, work: () => Promise<T>): Promise<T> {
    const mine = (this.#turns.get(user) ?? Promise.resolve()).then(work, work)
    this.#turns.set(user, mine)
    try {
      return await mine
    } finally {
      if (this.#turns.get(user) === mine) this.#turns.delete(user)
    }
  }
}

/** Ends a change that is only asked about. */
class Checked extends Error {}

const used = ({ settled, pending }: UsageDocument): Usage => Object.values(pending).reduce<Usage>(plus, settled)

function refusalOf(user: string, quota: Quota, has: Usage, added: Usage): SiltstoneError | undefined {
  const { artifacts, bytes } = plus(has, added)
  if (added.artifacts > 0 && quota.artifacts !== null && artifacts > quota.artifacts) {
    const text = `${user} may have ${quota.artifacts} artifacts and has ${has.artifacts}: delete some, or ask an admin for more`
    return forbidden('quota-artifacts', text)
  }
  if (added.bytes > 0 && quota.bytes !== null && bytes > quota.bytes) {
    const text = `${user} may keep ${quota.bytes} bytes and keeps ${has.bytes}, and this adds ${added.bytes}: delete some, or ask an admin for more`
    return forbidden('quota-bytes', text)
  }
  return undefined
}
