/**
 * Errors in Chroma's wire format: `{"error": NAME, "message": TEXT}` and the header `chroma-trace-id`.
 *
 * | kind                 | status | name                                                               |
 * |----------------------|--------|--------------------------------------------------------------------|
 * | invalid              | 400    | InvalidArgumentError                                               |
 * | not-found            | 404    | NotFoundError                                                      |
 * | conflict             | 409    | ChromaError, ConditionalWriteConflictError; 412 StaleReadError     |
 * | unauthorized         | 401    | AuthorizationError (the Python client's name for it)               |
 * | forbidden            | 403    | AuthorizationError                                                 |
 * | unavailable          | 503    | ChromaError; 429 where the server asks to wait. `Retry-After` known |
 * |                      | 507    | ChromaError, code disk-full: only room helps, so clients should not repeat it at once |
 * | unknown, corrupt     | 500    | InternalError                                                      |
 * | unsupported          | 501    | ChromaError                                                        |
 * | anything else thrown | 500    | InternalError; the log has its message, with the trace id          |
 *
 * The header `x-siltstone-error` has the stable code; for unknown and corrupt, the body has it, too.
 */
import { invalid, isSiltstoneError, type SiltstoneError } from '../../errors.ts'

export type ErrorName =
  | 'InvalidArgumentError'
  | 'NotFoundError'
  | 'InternalError'
  | 'ChromaError'
  | 'AuthorizationError'
  | 'ConditionalWriteConflictError'
  | 'StaleReadError'
  | 'Unimplemented'

/** An error that the HTTP layer itself detects, with its own status. */
export class ApiProblem extends Error {
  readonly status: number
  readonly errorName: ErrorName
  readonly code: string

  constructor(status: number, errorName: ErrorName, code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ApiProblem'
    this.status = status
    this.errorName = errorName
    this.code = code
  }
}

/** 422: the JSON is well-formed but does not have the shape that the endpoint expects. */
export function badShape(path: string, detail: string): ApiProblem {
  const text = path === '' ? detail : `${path}: ${detail}`
  return new ApiProblem(
    422,
    'ChromaError',
    'bad-shape',
    `Failed to deserialize the JSON body into the target type: ${text}`,
  )
}

/** 400 in the words of Chroma's validator. */
export function badValue(field: string, detail: string): SiltstoneError {
  // Details of a value may name the field already.
  const named = detail.startsWith(`${field}: `) ? detail : `${field}: ${detail}`
  return invalid('validation', `Validation error: ${named}`, { field })
}

/** 400: configuration and schema contradict each other or themselves. */
export function schemaProblem(detail: string): SiltstoneError {
  return invalid('schema', `Failed to reconcile schema: ${detail}`, { field: 'schema' })
}

export interface ErrorAnswer {
  status: number
  name: ErrorName
  message: string
  code: string
  retryAfterMs?: number
}

export function errorAnswer(error: unknown): ErrorAnswer {
  if (error instanceof ApiProblem) {
    return { status: error.status, name: error.errorName, message: error.message, code: error.code }
  }
  if (error instanceof RangeError && error.message === 'Invalid string length') {
    const message = 'The answer is larger than one text can be: ask for less with limit, ids or include'
    return { status: 400, name: 'InvalidArgumentError', message, code: 'answer-too-large' }
  }
  if (!isSiltstoneError(error)) {
    return {
      status: 500,
      name: 'InternalError',
      message: 'An internal error occurred; the server log has it under the chroma-trace-id of this answer',
      code: 'internal',
    }
  }
  const { message, code } = error
  const { status, name } = statusAndName(error)
  const answer: ErrorAnswer = { status, name, message, code }
  if (error.kind === 'unavailable' && error.retryAfterMs !== undefined) answer.retryAfterMs = error.retryAfterMs
  if (status === 429) answer.retryAfterMs ??= 1_000
  return answer
}

/** The server works, but wants less of it at a time. */
const TOO_MANY = new Set(['back-pressure', 'bodies-in-flight'])

function statusAndName({ kind, code }: SiltstoneError): { status: number; name: ErrorName } {
  switch (kind) {
    case 'invalid':
      return { status: 400, name: 'InvalidArgumentError' }
    case 'not-found':
      return { status: 404, name: 'NotFoundError' }
    case 'conflict':
      if (code === 'stale-read') return { status: 412, name: 'StaleReadError' }
      return {
        status: 409,
        name: code === 'conditional-write-conflict' ? 'ConditionalWriteConflictError' : 'ChromaError',
      }
    case 'unauthorized':
      return { status: 401, name: 'AuthorizationError' }
    case 'forbidden':
      return { status: 403, name: 'AuthorizationError' }
    case 'unavailable':
      return { status: TOO_MANY.has(code) ? 429 : code === 'disk-full' ? 507 : 503, name: 'ChromaError' }
    case 'unsupported':
      return { status: 501, name: 'ChromaError' }
    case 'unknown':
    case 'corrupt':
      return { status: 500, name: 'InternalError' }
  }
}

export function errorResponse(answer: ErrorAnswer, traceId: string): Response {
  const { status, name, code, retryAfterMs } = answer
  const body: Record<string, string> = { error: name, message: shown(answer.message) }
  if (status === 500 && code !== 'internal') body['code'] = code
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'chroma-trace-id': traceId,
    'x-siltstone-error': code,
  }
  if (retryAfterMs !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)))
  if (status === 401) headers['www-authenticate'] = 'Bearer'
  return new Response(JSON.stringify(body), { status, headers })
}

const MAX_MESSAGE_LENGTH = 20_000

/** A message may quote what the client sent, whose length nothing bounds but that of the body. */
function shown(message: string): string {
  if (message.length <= MAX_MESSAGE_LENGTH) return message
  return `${message.slice(0, MAX_MESSAGE_LENGTH).toWellFormed()}… (${message.length} characters)`
}
