/** What a process and its query threads tell each other. */
import { type ErrorKind, isSiltstoneError, SiltstoneError } from '../errors.ts'
import type { QueryRequest, QueryResponse } from '../model/read.ts'
import type { SearchRequest, SearchResponse } from '../model/search.ts'

export interface QueryThreadData {
  /** A directory, or `s3://bucket/prefix`. */
  place: string
  allowNetworkFilesystem: boolean
  blockCacheBytes: number
}

export interface CollectionPlace {
  tenant: string
  database: string
  id: string
}

/** What a thread is asked, under the name of the collection's method, and what it answers. */
export interface Asked {
  query: { request: QueryRequest; response: QueryResponse }
  search: { request: SearchRequest; response: SearchResponse }
}
export type Method = keyof Asked

export type Question = { [M in Method]: { kind: M; request: Asked[M]['request'] } }[Method]

export type ToQueryThread = (Question & { number: number; place: CollectionPlace }) | { kind: 'stop' }

export interface SentError {
  kind: ErrorKind | undefined
  code: string
  message: string
  stack: string | undefined
  field: string | undefined
  key: string | undefined
  retryAfterMs: number | undefined
}

export type FromQueryThread =
  | { kind: 'ready' }
  | { kind: 'answer'; number: number; response: Asked[Method]['response'] }
  | { kind: 'failure'; number: number; error: SentError }

/** Errors lose their class on the way between threads. */
export function sendable(error: unknown): SentError {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  if (!isSiltstoneError(error))
    return { kind: undefined, code: '', message, stack, field: undefined, key: undefined, retryAfterMs: undefined }
  const { kind, code, field, key, retryAfterMs } = error
  return { kind, code, message, stack, field, key, retryAfterMs }
}

export function received({ kind, code, message, stack, field, key, retryAfterMs }: SentError): Error {
  const cause = new Error(message)
  if (stack !== undefined) cause.stack = stack
  if (kind === undefined) return cause
  return new SiltstoneError(kind, code, message, {
    cause,
    ...(field !== undefined && { field }),
    ...(key !== undefined && { key }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })
}
