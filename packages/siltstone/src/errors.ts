/**
 * The public kinds of error. The kind says what the caller should do; the code is stable and can be switched on;
 * the text is for people and may change.
 *
 * | kind         | what to do                                                         |
 * |--------------|--------------------------------------------------------------------|
 * | invalid      | fix the request; repeating it cannot help                          |
 * | not-found    | the thing is not there (or is gone)                                |
 * | conflict     | the state moved or the name is taken: read again, decide again     |
 * | unauthorized | say who you are                                                    |
 * | forbidden    | ask somebody for the right                                         |
 * | unavailable  | retry later, after `retryAfterMs` if it is given                   |
 * | unknown      | the write may or may not have happened: read before writing again  |
 * | corrupt      | stored bytes are damaged or missing: `siltstone verify`, `repair`  |
 * | unsupported  | this version of the program cannot do it                           |
 */
export type ErrorKind =
  | 'invalid'
  | 'not-found'
  | 'conflict'
  | 'unauthorized'
  | 'forbidden'
  | 'unavailable'
  | 'unknown'
  | 'corrupt'
  | 'unsupported'

export interface ErrorDetails {
  /** The field of the request at fault, as the caller wrote it: `embeddings[3]`. */
  field?: string
  /** The object in the bucket at fault. */
  key?: string
  retryAfterMs?: number
  cause?: unknown
}

export class SiltstoneError extends Error {
  readonly kind: ErrorKind
  /** Stable, lower-case with dashes: `dimension-mismatch`. */
  readonly code: string
  readonly field: string | undefined
  readonly key: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(kind: ErrorKind, code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'SiltstoneError'
    this.kind = kind
    this.code = code
    this.field = details.field
    this.key = details.key
    this.retryAfterMs = details.retryAfterMs
  }
}

type Make = (code: string, message: string, details?: ErrorDetails) => SiltstoneError
const maker =
  (kind: ErrorKind): Make =>
  (code, message, details) =>
    new SiltstoneError(kind, code, message, details)

export const invalid = maker('invalid')
export const notFound = maker('not-found')
export const conflict = maker('conflict')
export const unauthorized = maker('unauthorized')
export const forbidden = maker('forbidden')
export const unavailable = maker('unavailable')
export const outcomeUnknown = maker('unknown')
export const corrupt = maker('corrupt')
export const unsupported = maker('unsupported')

export function isSiltstoneError(error: unknown, kind?: ErrorKind): error is SiltstoneError {
  return error instanceof SiltstoneError && (kind === undefined || error.kind === kind)
}

const NEEDS_A_PERSON = new Set(['disk-full', 'read-only', 'access-denied', 'back-pressure'])

/** Whether there is no room for what was to be written. */
export function isFull(error: unknown): error is SiltstoneError {
  return isSiltstoneError(error, 'unavailable') && error.code === 'disk-full'
}

/** A failure of the store that may pass by itself within seconds; a full disk or a missing right does not. */
export function isPassing(error: unknown): error is SiltstoneError {
  return (
    isSiltstoneError(error, 'unknown') || (isSiltstoneError(error, 'unavailable') && !NEEDS_A_PERSON.has(error.code))
  )
}
