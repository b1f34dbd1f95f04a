/**
 * One endpoint: the single table of these is what the app serves, what the OpenAPI document describes, and what access
 * is decided by.
 */
import type { Fields } from './wire/fields.ts'
import type { ChromaLimits, ChromaOptions, Identity, Role } from './options.ts'

export type JsonSchema = Record<string, unknown>

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** `/api/v2/tenants/{tenant}`; the parameter `tenant` is what tenants are kept apart by. */
  path: string
  operation: string
  tag: 'System' | 'Authentication' | 'Tenant' | 'Database' | 'Collection' | 'Record' | 'Function'
  summary: string
  /** open: without a token. `store` is an admin who may see every tenant. */
  access: 'open' | Role | 'store'
  /** Query parameters, by name. */
  query?: Record<string, JsonSchema>
  /** Read headers `x-siltstone-at-least` and `x-siltstone-at` apply. */
  isRead?: boolean
  body?: JsonSchema
  answer?: JsonSchema
  /** Of a good answer. Default 200. */
  status?: number
  handle: (call: Call) => Promise<Answer> | Answer
}

/** One request of a route. */
export interface Call {
  options: ChromaOptions
  limits: ChromaLimits
  /** undefined when there is no authentication. */
  identity: Identity | undefined
  /** A path parameter, decoded. */
  param(name: string): string
  query(name: string): string | undefined
  header(name: string): string | undefined
  /** @throws ApiProblem 413, 415, 422, SiltstoneError `invalid` (bad-json) */
  body(): Promise<Fields>
}

export interface Answer {
  status?: number
  /** JSON text. */
  text: string
  /** Of the state that was read or written: `x-siltstone-version`. */
  version?: number
  headers?: Record<string, string>
}

export function json(value: unknown, more: Omit<Answer, 'text'> = {}): Answer {
  return { text: JSON.stringify(value), ...more }
}
