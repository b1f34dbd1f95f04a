/** Answers, and errors as answers. */
import { isSiltstoneError, type SiltstoneError } from 'siltstone/internal'

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  return new Response(bytes, {
    status,
    headers: { 'content-type': 'application/json', 'content-length': String(bytes.length), ...headers },
  })
}

export const empty = (status = 200, headers: Record<string, string> = {}): Response =>
  new Response(null, { status, headers: { 'content-length': '0', ...headers } })

const STATUS: Readonly<Record<SiltstoneError['kind'], number>> = {
  invalid: 400,
  'not-found': 404,
  conflict: 409,
  unauthorized: 403,
  forbidden: 403,
  unavailable: 503,
  unknown: 503,
  corrupt: 500,
  unsupported: 500,
}
const BY_CODE: Readonly<Record<string, number>> = {
  'too-many-requests': 429,
  'too-many-logins': 429,
  'body-too-large': 413,
  'too-many-results': 413,
  'answer-too-large': 413,
  'disk-full': 507,
  'rating-too-low': 424,
}

export const statusOf = (error: SiltstoneError): number => BY_CODE[error.code] ?? STATUS[error.kind]

export function retryAfter({ retryAfterMs }: SiltstoneError): Record<string, string> {
  return retryAfterMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1_000))) }
}

/** @param status overrides what the kind of the error says */
export function failure(error: SiltstoneError, status = statusOf(error)): Response {
  const { code, message, field } = error
  return json({ error: { code, message, ...(field !== undefined && { field }) } }, status, retryAfter(error))
}

/** Runs `work`; errors of these kinds are answered with another status than usual. */
export async function answering(
  work: () => Promise<Response>,
  statusFor: (error: SiltstoneError) => number | undefined,
): Promise<Response> {
  try {
    return await work()
  } catch (error) {
    const status = isSiltstoneError(error) ? statusFor(error) : undefined
    if (!isSiltstoneError(error) || status === undefined) throw error
    return failure(error, status)
  }
}
