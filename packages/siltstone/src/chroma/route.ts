/**
 * One endpoint. The table of all endpoints determines what the app serves, what the OpenAPI document describes, and which
 * requests are allowed.
 */
import type { Fields } from './wire/fields.ts'
import type { ChromaLimits, ChromaOptions, Identity, Role } from './options.ts'

export type JsonSchema = Record<string, unknown>

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** `/api/v2/tenants/{tenant}`; the parameters `tenant` and `database` determine access. */
  path: string
  operation: string
  tag:
    | 'System'
    | 'Authentication'
    | 'Tenant'
    | 'Database'
    | 'Collection'
    | 'Record'
    | 'Function'
    | 'Embedding'
    | 'Siltstone'
  summary: string
  /** `open`: without a token. `store`: an admin of all tenants. */
  access: 'open' | Role | 'store'
  /** Changes nothing, although it needs a role above `read`: a read-only server allows it. */
  readOnly?: boolean
  /** What the route reads or writes belongs to no tenant: a token needs access to all tenants and databases. */
  allTenants?: boolean
  /** Query parameters, by name. */
  query?: Record<string, JsonSchema>
  /** Accepts the headers `x-siltstone-at-least` and `x-siltstone-at`. */
  isRead?: boolean
  body?: JsonSchema
  /** Without a body, every field has its default. */
  isBodyOptional?: boolean
  answer?: JsonSchema
  /** Status of a successful answer. Default 200. */
  status?: number
  handle: (call: Call) => Promise<Answer> | Answer
}

/** One request of a route. */
export interface Call {
  options: ChromaOptions
  limits: ChromaLimits
  /** undefined without authentication. */
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
  /** JSON text, whole or in pieces that are made while it is sent. */
  text: string | Iterable<string>
  /** Version of the state that was read or written: `x-siltstone-version`. */
  version?: number
  headers?: Record<string, string>
}

export function json(value: unknown, more: Omit<Answer, 'text'> = {}): Answer {
  return { text: JSON.stringify(value), ...more }
}
