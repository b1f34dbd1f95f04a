/**
 * Tokens: 256 random bits as `st_` and base64url. The bucket has only their SHA-256. Keys have `hf_` before that, because some
 * clients of the Hub refuse to send anything else; it may be left out or added.
 *
 * ## Calls shared by processes
 * A session token is good for a number of calls, wherever they are made. A process reserves a block of at most 25 of them by
 * compare-and-swap of the token's document, counts it down in memory, and gives the rest back when it closes. So the calls of all
 * processes together are never more than the limit. A process that is killed loses the rest of its block: up to 24 calls fewer.
 *
 * ## Ends
 * A token ends by time, by its calls, by `revoke`, and when its user's epoch is raised. A process looks at the user again after a
 * second, so a change of another process takes effect within it.
 */
import { createHash } from 'node:crypto'
import { type Clock, type ObjectStore, type Random, unauthorized } from 'siltstone/internal'
import type { Documents } from '../store/documents.ts'
import { tokenKey, TOKENS_PREFIX, userKey } from '../store/keys.ts'
import {
  NO_STORE,
  type Permission,
  type TokenDocument,
  tokenKind,
  type UserDocument,
  userKind,
} from './account-documents.ts'
import { secretText } from './secret.ts'
import type { Session } from './session.ts'

export interface IssueRequest {
  user: UserDocument
  kind: TokenDocument['kind']
  permissions: readonly Permission[]
  lifetimeMs: number
  /** Null: any number of calls. */
  limit: number | null
}

const CLIENTS_PREFIX = 'hf_'
const TOKEN = /^(?:hf_)?st_[\w-]{43}$/
const BLOCK = 25
const USER_AGE_MS = 1_000
const MAX_KEPT = 10_000
/** Expired tokens are kept as long, for clocks that disagree. */
const KEPT_AFTER_EXPIRY_MS = 86_400_000

interface Known {
  document: TokenDocument
  /** Reserved calls that are left. */
  left: number
  isExhausted: boolean
  user: UserDocument | undefined
  userReadAtMs: number
  /** Reservations happen one after the other. */
  turn: Promise<void>
}

export class Tokens {
  readonly #documents: Documents
  readonly #store: ObjectStore
  readonly #clock: Clock
  readonly #random: Random
  readonly #known = new Map<string, Known>()

  constructor(options: { documents: Documents; store: ObjectStore; clock: Clock; random: Random }) {
    this.#documents = options.documents
    this.#store = options.store
    this.#clock = options.clock
    this.#random = options.random
  }

  async issue({ user, kind, permissions, lifetimeMs, limit }: IssueRequest): Promise<string> {
    const token = `${kind === 'key' ? CLIENTS_PREFIX : ''}st_${secretText(this.#random)}`
    const nowMs = this.#clock.nowMs()
    const document: TokenDocument = {
      user: user.name,
      kind,
      permissions,
      epoch: user.epoch,
      created_at: new Date(nowMs).toISOString(),
      expiresAtMs: nowMs + lifetimeMs,
      limit,
      granted: 0,
      siltstone: { format: tokenKind.format, v: tokenKind.v, writes: [] },
    }
    await this.#documents.write(tokenKey(digestOf(token)), tokenKind, document, null)
    return token
  }

  /**
   * Whose token it is.
   * @param counts whether this is one of its calls
   * @throws SiltstoneError `unauthorized` (token-unknown, token-expired, token-used-up)
   */
  async verify(token: string, counts: boolean): Promise<Session> {
    // The bucket is not asked about anything else.
    if (!TOKEN.test(token)) throw unknownToken()
    const digest = digestOf(token)
    const known = this.#known.get(digest) ?? (await this.#load(digest))
    if (known.document.expiresAtMs <= this.#clock.nowMs()) throw unauthorized('token-expired', 'the token has expired')
    const user = await this.#userOf(known)
    if (user?.state !== 'active' || user.epoch !== known.document.epoch) throw unknownToken()
    if (counts && known.document.limit !== null) await this.#spend(digest, known, known.document.limit)
    const granted = new Set(user.permissions)
    return {
      user: user.name,
      isAdmin: granted.has('admin') && known.document.permissions.includes('admin'),
      permissions: known.document.permissions.filter((each) => granted.has(each)),
      kind: known.document.kind,
      store: user.store ?? NO_STORE,
    }
  }

  async revoke(token: string): Promise<void> {
    const digest = digestOf(token)
    this.#known.delete(digest)
    await this.#store.delete([tokenKey(digest)])
  }

  /** Looks at users again at their next call. */
  forgetUsers(): void {
    for (const known of this.#known.values()) known.userReadAtMs = Number.NEGATIVE_INFINITY
  }

  /** Deletes tokens that expired long ago. @returns how many */
  async sweep(): Promise<number> {
    const expired: string[] = []
    for (let continuation: string | undefined, isFirst = true; isFirst || continuation !== undefined; isFirst = false) {
      const page = await this.#store.list(TOKENS_PREFIX, continuation === undefined ? {} : { continuation })
      continuation = page.continuation
      for (const { key } of page.objects) {
        const document = (await this.#documents.read(key, tokenKind))?.document
        if (document !== undefined && document.expiresAtMs + KEPT_AFTER_EXPIRY_MS < this.#clock.nowMs())
          expired.push(key)
      }
    }
    if (expired.length > 0) await this.#store.delete(expired)
    return expired.length
  }

  /** Gives back the calls that this process has reserved and not used. */
  async close(): Promise<void> {
    for (const [digest, known] of this.#known) {
      const { left } = known
      known.left = 0
      if (left === 0) continue
      await this.#documents.change(tokenKey(digest), tokenKind, (current) =>
        current === undefined ? undefined : { ...current, granted: current.granted - left },
      )
    }
    this.#known.clear()
  }

  async #load(digest: string): Promise<Known> {
    const version = await this.#documents.read(tokenKey(digest), tokenKind)
    const already = this.#known.get(digest)
    if (already !== undefined) return already
    if (version === undefined) throw unknownToken()
    const known: Known = {
      document: version.document,
      left: 0,
      isExhausted: false,
      user: undefined,
      userReadAtMs: Number.NEGATIVE_INFINITY,
      turn: Promise.resolve(),
    }
    this.#known.set(digest, known)
    this.#evict()
    return known
  }

  /** Tokens with reserved calls stay, so that their rest is given back. */
  #evict(): void {
    for (const [digest, { left }] of this.#known) {
      if (this.#known.size <= MAX_KEPT) break
      if (left === 0) this.#known.delete(digest)
    }
  }

  async #userOf(known: Known): Promise<UserDocument | undefined> {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - known.userReadAtMs > USER_AGE_MS) {
      known.user = (await this.#documents.read(userKey(known.document.user), userKind))?.document
      known.userReadAtMs = nowMs
    }
    return known.user
  }

  async #spend(digest: string, known: Known, limit: number): Promise<void> {
    const before = known.turn
    let done = () => {}
    known.turn = new Promise((resolve) => (done = resolve))
    await before
    try {
      if (known.left === 0 && !known.isExhausted) await this.#reserve(digest, known, limit)
      if (known.left === 0) throw unauthorized('token-used-up', `the token was good for ${limit} calls: log in again`)
      known.left--
    } finally {
      done()
    }
  }

  async #reserve(digest: string, known: Known, limit: number): Promise<void> {
    let block = 0
    const version = await this.#documents.change(tokenKey(digest), tokenKind, (current) => {
      block = Math.min(BLOCK, limit - (current?.granted ?? limit))
      return current === undefined || block <= 0 ? undefined : { ...current, granted: current.granted + block }
    })
    if (version === undefined) {
      this.#known.delete(digest)
      throw unknownToken()
    }
    known.left = Math.max(0, block)
    known.isExhausted = block <= 0
  }
}

const digestOf = (token: string) => {
  const own = token.startsWith(CLIENTS_PREFIX) ? token.slice(CLIENTS_PREFIX.length) : token
  return createHash('sha256').update(own).digest('hex')
}
const unknownToken = () => unauthorized('token-unknown', 'the token is not known: log in again')
