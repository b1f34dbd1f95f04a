/**
 * Users, their passwords and permissions. A user is one object; all processes read and change it by compare-and-swap.
 *
 * There is no built-in user. The first admin comes from the configuration; without one, nobody can log in.
 */
import {
  type Authenticator,
  type Clock,
  conflict,
  forbidden,
  type Identity,
  invalid,
  isSiltstoneError,
  notFound,
  type ObjectStore,
  type Random,
  type SiltstoneError,
  SiltstoneError as PublicError,
  unauthorized,
} from 'siltstone/internal'
import type { Documents } from '../store/documents.ts'
import { userKey, USERS_PREFIX } from '../store/keys.ts'
import {
  NO_STORE,
  type Permission,
  PERMISSIONS,
  type Quota,
  type StoreAccess,
  type UserDocument,
  userKind,
} from './account-documents.ts'
import { LoginDelays, withFailures } from './login-delays.ts'
import { checkPassword, isOutdated, type PasswordCost } from './password.ts'
import { PasswordWork } from './password-work.ts'
import { checkStoreAccess, identityOfSession, sessionOfOperator, WHOLE_STORE } from './store-access.ts'
import type { Session } from './session.ts'
import { Tokens } from './tokens.ts'
import { checkUserName } from './user-name.ts'

export interface AccountsOptions {
  store: ObjectStore
  documents: Documents
  clock: Clock
  random: Random
  /** The first admin, who is made if absent. */
  admin?: { name: string; password: string } | undefined
  cost?: PasswordCost
  /** Calls of a login's token. Default 1,000. */
  callsPerToken?: number
  /** The tokens of the server. */
  operators?: Authenticator | undefined
}

export interface UserInfo {
  name: string
  permissions: readonly Permission[]
  createdAt: string
  store: StoreAccess
  /** Undefined: the standard one. */
  quota: Quota | undefined
}

const SESSION_MS = 10 * 3_600_000
const CALLS = 1_000
const MAX_KEY_DAYS = 366
const DAY_MS = 86_400_000

export class Accounts {
  readonly tokens: Tokens
  readonly #options: AccountsOptions
  readonly #delays = new LoginDelays()
  readonly #passwords: PasswordWork

  constructor(options: AccountsOptions) {
    this.#options = options
    this.#passwords = new PasswordWork(options)
    this.tokens = new Tokens(options)
  }

  /** Makes the configured admin, if there is one and no user has the name. */
  async ensureAdmin(): Promise<void> {
    const { admin } = this.#options
    if (admin === undefined) return
    const known = await this.#find(admin.name)
    if (known?.state === 'active') return
    try {
      await this.#create(admin.name, admin.password, [...PERMISSIONS], WHOLE_STORE)
    } catch (error) {
      // Another process was first.
      if (!isSiltstoneError(error, 'conflict')) throw error
    }
  }

  /**
   * Whose token it is: of the server, or of an account.
   * @param counts whether this is one of its calls
   * @throws SiltstoneError `unauthorized` (token-unknown, token-expired, token-used-up), `forbidden` (tenant-forbidden)
   */
  async session(token: string, counts: boolean): Promise<Session> {
    const operator = await this.#operator(token)
    return operator === undefined ? this.tokens.verify(token, counts) : sessionOfOperator(operator)
  }

  /**
   * What the token of an account may do in the store; it is one of its calls.
   * @throws SiltstoneError `unauthorized` as `session`, `forbidden` (role-too-low, tenant-forbidden)
   */
  async identify(token: string): Promise<Identity> {
    return identityOfSession(await this.tokens.verify(token, true))
  }

  /** Of a link to a download, which an account was given. @throws SiltstoneError `unauthorized` (token-unknown): the account has ended */
  async sessionOfLink(name: string): Promise<Session> {
    const user = await this.#find(name)
    if (user?.state !== 'active') throw unauthorized('token-unknown', 'the link was given to an account that has ended')
    const isAdmin = user.permissions.includes('admin')
    const permissions = user.permissions.filter((each) => each === 'download')
    return { user: name, isAdmin, permissions, kind: 'link', store: NO_STORE }
  }

  async #operator(token: string): Promise<Identity | undefined> {
    try {
      return await this.#options.operators?.identify((name) => (name === 'x-chroma-token' ? token : undefined))
    } catch (error) {
      // Then it may be that of an account.
      if (!isSiltstoneError(error, 'unauthorized')) throw error
      return undefined
    }
  }

  #operators(): readonly Identity[] {
    return this.#options.operators?.identities() ?? []
  }

  async hasAdmin(): Promise<boolean> {
    if (this.#operators().some(isAdminOfRegistry)) return true
    for await (const { permissions } of this.#all()) if (permissions.includes('admin')) return true
    return false
  }

  /**
   * @param claimsAdmin `is_admin` of the request: true needs an admin, and grants nothing
   * @returns a token
   * @throws SiltstoneError `unauthorized` (bad-credentials, with `retryAfterMs` when tries are delayed), `unavailable` (too-many-logins)
   */
  async logIn(request: { name: string; password: string; claimsAdmin: boolean; address: string }): Promise<string> {
    const { name, password, claimsAdmin, address } = request
    const { clock, documents, cost, callsPerToken = CALLS } = this.#options
    const found = await this.#find(name)
    const user = found?.state === 'active' ? found : undefined
    const waitMs = this.#delays.waitMs(name, address, user, clock.nowMs())
    if (waitMs > 0) throw badCredentials(waitMs)
    const isRight = await this.#passwords.verify(password, user?.password)
    if (user === undefined || !isRight || (claimsAdmin && !user.permissions.includes('admin'))) {
      const nowMs = clock.nowMs()
      const failures = this.#delays.failed(name, address, user, nowMs)
      if (failures !== undefined && user !== undefined) {
        await documents.change(userKey(name), userKind, (current) =>
          current === undefined
            ? undefined
            : { ...current, failures: withFailures(current.failures, address, failures, nowMs) },
        )
      }
      throw badCredentials(failures === undefined ? undefined : failures.untilMs - nowMs)
    }
    this.#delays.succeeded(name, address)
    const outdated = isOutdated(user.password, cost)
    if (outdated || user.failures !== undefined) {
      const rehashed = outdated ? await this.#passwords.hash(password) : undefined
      await documents.change(userKey(name), userKind, (current) => {
        if (current === undefined || current.password !== user.password) return undefined
        const { failures, ...rest } = current
        const kept = withFailures(failures, address, undefined, clock.nowMs())
        return { ...rest, ...(rehashed !== undefined && { password: rehashed }), failures: kept }
      })
    }
    const { permissions } = user
    return this.tokens.issue({ user, kind: 'session', permissions, lifetimeMs: SESSION_MS, limit: callsPerToken })
  }

  /** A token for programs, without a limit of calls. @throws SiltstoneError `invalid` (key-days), `forbidden` (permission-missing) */
  async createKey(
    session: Session,
    name: string,
    { permissions, days = 90 }: { permissions?: readonly Permission[] | undefined; days?: number | undefined },
  ): Promise<{ token: string; expiresAt: string }> {
    if (!Number.isSafeInteger(days) || days < 1 || days > MAX_KEY_DAYS) {
      throw invalid('key-days', `${days} is no number of days from 1 to ${MAX_KEY_DAYS}`, { field: 'days' })
    }
    if (session.kind === 'key') throw forbidden('permission-missing', 'a key cannot make keys: log in')
    const user = await this.#existing(name)
    const wanted = permissions ?? user.permissions
    const missing = wanted.find((each) => !user.permissions.includes(each))
    if (missing !== undefined) {
      throw forbidden('permission-missing', `${name} has no permission ${missing}, so a key cannot have it`)
    }
    const lifetimeMs = days * DAY_MS
    const token = await this.tokens.issue({ user, kind: 'key', permissions: wanted, lifetimeMs, limit: null })
    return { token, expiresAt: new Date(this.#options.clock.nowMs() + lifetimeMs).toISOString() }
  }

  /** @throws SiltstoneError `invalid` (user-name, weak-password, store-access), `conflict` (user-exists) */
  async create(
    name: string,
    password: string,
    permissions: readonly Permission[],
    store: StoreAccess = NO_STORE,
  ): Promise<UserInfo> {
    return infoOf(await this.#create(name, password, permissions, store))
  }

  /** Ends all tokens of the user. @throws SiltstoneError `not-found` (user-not-found) */
  async delete(name: string): Promise<void> {
    await this.#change(name, (user) => ({ ...user, state: 'deleted', epoch: user.epoch + 1 }))
  }

  /**
   * Ends all tokens of the user.
   * @param store what is not given stays
   * @throws SiltstoneError `invalid` (store-access), `not-found` (user-not-found)
   */
  async setPermissions(
    name: string,
    permissions: readonly Permission[],
    store: { [K in keyof StoreAccess]?: StoreAccess[K] | undefined } = {},
  ): Promise<UserInfo> {
    return infoOf(
      await this.#change(name, (user) => {
        const { tenants, databases } = user.store ?? NO_STORE
        const next = { tenants: store.tenants ?? tenants, databases: store.databases ?? databases }
        checkStoreAccess(next, permissions)
        return { ...user, permissions, store: next, epoch: user.epoch + 1 }
      }),
    )
  }

  /** Ends all tokens of the user. @throws SiltstoneError `invalid` (weak-password), `not-found` (user-not-found) */
  async setPassword(name: string, password: string): Promise<void> {
    checkPassword(password)
    const hash = await this.#passwords.hash(password)
    await this.#change(name, (user) => ({ ...user, password: hash, epoch: user.epoch + 1 }))
  }

  /** @param quota undefined: the standard one @throws SiltstoneError `not-found` (user-not-found) */
  async setQuota(name: string, quota: Quota | undefined): Promise<UserInfo> {
    return infoOf(
      await this.#change(name, (user) => {
        const { quota: _, ...rest } = user
        return { ...rest, ...(quota !== undefined && { quota }) }
      }),
    )
  }

  async isAdmin(name: string): Promise<boolean> {
    if (this.#operators().some((each) => each.userId === name && isAdminOfRegistry(each))) return true
    const user = await this.#find(name)
    return user?.state === 'active' && user.permissions.includes('admin')
  }

  /** @throws SiltstoneError `not-found` (user-not-found) */
  async get(name: string): Promise<UserInfo> {
    return infoOf(await this.#existing(name))
  }

  async list(): Promise<UserInfo[]> {
    const users: UserInfo[] = []
    for await (const user of this.#all()) users.push(infoOf(user))
    return users.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Deletes all users but the configured admin, whose tokens end, too. */
  async reset(): Promise<void> {
    const { admin } = this.#options
    for await (const { name } of this.#all()) {
      await this.#change(name, (user) => ({
        ...user,
        state: name === admin?.name ? 'active' : 'deleted',
        ...(name === admin?.name && { permissions: [...PERMISSIONS], store: WHOLE_STORE }),
        epoch: user.epoch + 1,
      }))
    }
    await this.ensureAdmin()
  }

  async #create(
    name: string,
    password: string,
    permissions: readonly Permission[],
    store: StoreAccess,
  ): Promise<UserDocument> {
    checkUserName(name)
    checkPassword(password)
    checkStoreAccess(store, permissions)
    const hash = await this.#passwords.hash(password)
    const at = new Date(this.#options.clock.nowMs()).toISOString()
    const version = await this.#options.documents.change(userKey(name), userKind, (current) => {
      if (current?.state === 'active') throw conflict('user-exists', `there is a user ${name}`)
      // The epoch of a deleted one goes on: its tokens stay void.
      const epoch = (current?.epoch ?? 0) + 1
      const made: UserDocument = {
        name,
        password: hash,
        permissions,
        store,
        epoch,
        state: 'active',
        created_at: at,
        siltstone: current?.siltstone ?? { format: userKind.format, v: userKind.v, writes: [] },
      }
      return made
    })
    this.tokens.forgetUsers()
    return (version as NonNullable<typeof version>).document
  }

  async #change(name: string, decide: (user: UserDocument) => UserDocument): Promise<UserDocument> {
    const version = await this.#options.documents.change(userKey(name), userKind, (current) => {
      if (current?.state !== 'active') throw noUser(name)
      return decide(current)
    })
    this.tokens.forgetUsers()
    if (version === undefined) throw noUser(name)
    return version.document
  }

  async #existing(name: string): Promise<UserDocument> {
    const user = await this.#find(name)
    if (user?.state !== 'active') throw noUser(name)
    return user
  }

  async #find(name: string): Promise<UserDocument | undefined> {
    return (await this.#options.documents.read(userKey(name), userKind))?.document
  }

  async *#all(): AsyncGenerator<UserDocument> {
    const { store, documents } = this.#options
    for (let continuation: string | undefined, isFirst = true; isFirst || continuation !== undefined; isFirst = false) {
      const page = await store.list(USERS_PREFIX, continuation === undefined ? {} : { continuation })
      continuation = page.continuation
      for (const { key } of page.objects) {
        const user = (await documents.read(key, userKind))?.document
        if (user?.state === 'active') yield user
      }
    }
  }
}

const isAdminOfRegistry = (identity: Identity): boolean => {
  try {
    return sessionOfOperator(identity).isAdmin
  } catch (error) {
    if (!isSiltstoneError(error, 'forbidden')) throw error
    return false
  }
}
const infoOf = ({ name, permissions, created_at: createdAt, store = NO_STORE, quota }: UserDocument): UserInfo => ({
  name,
  permissions,
  createdAt,
  store,
  quota,
})
const noUser = (name: string) => notFound('user-not-found', `there is no user ${name.slice(0, 100)}`)

function badCredentials(retryAfterMs?: number): SiltstoneError {
  const later =
    retryAfterMs === undefined || retryAfterMs <= 0 ? '' : `; the next try is in ${Math.ceil(retryAfterMs / 1_000)} s`
  return new PublicError('unauthorized', 'bad-credentials', `user name or password is wrong${later}`, {
    ...(later !== '' && retryAfterMs !== undefined && { retryAfterMs }),
  })
}
