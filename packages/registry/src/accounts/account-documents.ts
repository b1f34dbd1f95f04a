/** The stored forms of users and tokens. */
import type { DocumentKind, Envelope } from '../store/documents.ts'

export const PERMISSIONS = ['upload', 'search', 'download', 'admin'] as const
export type Permission = (typeof PERMISSIONS)[number]

/** What an account may open in the store. */
export interface StoreAccess {
  /** `*`: all, for tokens with the permission `admin`. Empty: none. */
  tenants: readonly string[]
  /** Of these tenants; `*`: all. */
  databases: readonly string[]
}

export const NO_STORE: StoreAccess = { tenants: [], databases: ['*'] }

/** What an account may have; null: any number. */
export interface Quota {
  artifacts: number | null
  bytes: number | null
}

/** `users/<hash of the name>.json` */
export interface UserDocument extends Envelope {
  name: string
  /** PHC string. */
  password: string
  permissions: readonly Permission[]
  /** Raised by changes of password and permissions, and by a reset: tokens of an earlier one are void. */
  epoch: number
  state: 'active' | 'deleted'
  created_at: string
  /** What its tokens open in the store; without it, nothing. */
  store?: StoreAccess
  /** Without it, the standard quota. */
  quota?: Quota
  /** Failed logins by hash of the address, from the fifth on. */
  failures?: Readonly<Record<string, FailedLogins>>
}

export interface FailedLogins {
  count: number
  /** No further try before this time, milliseconds since 1970. */
  untilMs: number
}

export const userKind: DocumentKind<UserDocument> = {
  format: 'registry-user',
  v: 1,
  wrongField: ({ name, password, permissions, epoch, store }) => {
    if (typeof name !== 'string') return 'name'
    if (typeof password !== 'string') return 'password'
    if (store !== undefined && !(Array.isArray(store?.tenants) && Array.isArray(store.databases))) return 'store'
    return Array.isArray(permissions) && Number.isSafeInteger(epoch) ? undefined : 'permissions'
  },
}

/** `tokens/<SHA-256 of the token>.json` */
export interface TokenDocument extends Envelope {
  user: string
  /** `session`: from a login, for a number of calls. `key`: for programs, such as clients of the Hub API. */
  kind: 'session' | 'key'
  permissions: readonly Permission[]
  epoch: number
  created_at: string
  expiresAtMs: number
  /** Calls; null: any number. */
  limit: number | null
  /** Calls that processes have reserved. */
  granted: number
}

export const tokenKind: DocumentKind<TokenDocument> = {
  format: 'registry-token',
  v: 1,
  wrongField: ({ user, expiresAtMs, granted }) => {
    if (typeof user !== 'string') return 'user'
    return Number.isSafeInteger(expiresAtMs) && Number.isSafeInteger(granted) ? undefined : 'expiresAtMs'
  },
}
