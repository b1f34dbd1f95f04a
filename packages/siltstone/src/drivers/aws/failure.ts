/**
 * What a failed request to AWS means for its sender.
 *
 * - `refused`: the service answered that it will not do this, now or later. Nothing was applied.
 * - `not-applied`: nothing was applied, and another attempt may succeed (no connection, throttled by a 4xx, clock skew).
 * - `conflict`: 409, another request was in progress. S3 documents that the loser may try again, but a proxy or another
 *   vendor's store may have applied the request, so it counts as open.
 * - `open`: it may have been applied, or still may be: no answer, half an answer, 408, any 5xx but a 501 of S3's own code
 *   NotImplemented. SlowDown is a 503.
 */
import { invalid, notFound, outcomeUnknown, type SiltstoneError, unavailable, unsupported } from '../../errors.ts'

export type Outcome = 'refused' | 'not-applied' | 'conflict' | 'open'

interface SdkError {
  name?: string
  Code?: string
  code?: string
  message?: string
  $metadata?: { httpStatusCode?: number }
  $response?: { statusCode?: number }
}

const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])
const THROTTLED = new Set([
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'ProvisionedThroughputExceededException',
  'OverLimit',
  'KmsThrottled',
])
/** The SDK's message when no connection was made in time. */
const NOT_CONNECTED = /without establishing a connection|did not establish a connection/
/** The SDK's message when neither environment nor configuration names a region. */
const NO_REGION = /^Region (?:is missing|not accepted)/
/** Temporary refusals, worth another attempt although they are 4xx. */
const PASSING = new Set(['RequestTimeTooSkewed', 'TransactionConflictException', 'BadDigest', 'IncompleteBody'])

/** The HTTP status; undefined if there was no answer. */
export function statusOf(error: unknown): number | undefined {
  const { $metadata, $response } = error as SdkError
  return $metadata?.httpStatusCode ?? $response?.statusCode
}

/** The service's own name of the error: `NoSuchKey`. */
export function codeOf(error: unknown): string {
  const { name, Code, code } = error as SdkError
  return (name === undefined || name === 'Error' ? (Code ?? code ?? name) : name) ?? 'unknown'
}

export function isThrottled(error: unknown): boolean {
  return THROTTLED.has(codeOf(error)) || statusOf(error) === 429
}

export function outcomeOf(error: unknown): Outcome {
  const status = statusOf(error)
  const code = codeOf(error)
  if (status === undefined) {
    const { code: system, message } = error as SdkError
    if (code === 'CredentialsProviderError' || NO_REGION.test(message ?? '')) return 'refused'
    const neverConnected = system !== undefined && NOT_SENT.has(system)
    return neverConnected || NOT_CONNECTED.test(message ?? '') ? 'not-applied' : 'open'
  }
  // The store does not know the header or the operation, and says so before it does anything.
  if (status === 501 && code === 'NotImplemented') return 'refused'
  // An error with a successful status: the answer could not be read.
  if (status >= 500 || status === 408 || status < 300) return 'open'
  if (status === 409) return 'conflict'
  return isThrottled(error) || PASSING.has(code) ? 'not-applied' : 'refused'
}

export interface Doing {
  /** For the sentence "Cannot …": `write s3://bucket/key`. */
  doing: string
  key?: string
}

/** The public error for a request that the service refused, or that never reached it. */
export function refusedError(cause: unknown, { doing, key }: Doing): SiltstoneError {
  const details = key === undefined ? { cause } : { cause, key }
  const status = statusOf(cause)
  const code = codeOf(cause)
  const said = `${code}${status === undefined ? '' : ` (${status})`}: ${messageOf(cause)}`
  const cannot = `Cannot ${doing}`
  if (code === 'CredentialsProviderError')
    return unavailable(
      'access-denied',
      `${cannot}: there are no AWS credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role. ${said}`,
      details,
    )
  if (NO_REGION.test(messageOf(cause)))
    return invalid('no-region', `${cannot}: no AWS region is set. Set AWS_REGION, or ?region= in the URL.`, details)
  if (code === 'NoSuchBucket')
    return notFound(
      'bucket-missing',
      `${cannot}: there is no such bucket. Make it, or correct its name. ${said}`,
      details,
    )
  if (code === 'ResourceNotFoundException' || code.includes('NonExistentQueue') || code === 'QueueDoesNotExist')
    return notFound('aws-resource-missing', `${cannot}: it does not exist in this account and region. ${said}`, details)
  if (code === 'InvalidObjectState')
    return unavailable(
      'object-archived',
      `${cannot}: a lifecycle rule moved it to an archive. Restore it, and exempt the store from that rule.`,
      details,
    )
  if (status === 401 || status === 403)
    return unavailable('access-denied', `${cannot}: AWS refuses it to these credentials. ${said}`, details)
  if (status === 301 || status === 307 || code === 'AuthorizationHeaderMalformed')
    return invalid(
      'wrong-region',
      `${cannot}: it is in another region. Set AWS_REGION, or ?region= in the URL. ${said}`,
      details,
    )
  if (status === 501)
    return unsupported('not-implemented', `${cannot}: this server does not offer it. ${said}`, details)
  if (isThrottled(cause))
    return unavailable('throttled', `${cannot}: AWS asks to slow down. ${said}`, { ...details, retryAfterMs: 1_000 })
  if (status === undefined || status >= 500 || status === 408)
    return unavailable('aws-unreachable', `${cannot}: ${said}`, details)
  return invalid('aws-refused', `${cannot}: ${said}`, details)
}

/** The error for a change that may or may not have been applied. */
export function openError(cause: unknown, { doing, key }: Doing): SiltstoneError {
  return outcomeUnknown(
    'aws-outcome-unknown',
    `It is not known whether this was done: ${doing}. Read before writing again. ${codeOf(cause)}: ${messageOf(cause)}`,
    key === undefined ? { cause } : { cause, key },
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : 'no further word'
}
