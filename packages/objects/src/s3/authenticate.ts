/**
 * Who sent a request, by Signature Version 4 in the header or in the query. Signatures are compared in constant time.
 * How the body is signed decides what `body.ts` checks.
 */
import {
  ALGORITHM,
  amzDateOf,
  canonicalRequest,
  type CredentialScope,
  parseAmzDate,
  requestSignature,
  signingKey,
  UNSIGNED_PAYLOAD,
} from 'siltstone/internal'
import { timingSafeEqual } from 'node:crypto'
import type { AccessKey, AccessKeys } from './access-keys.ts'
import { S3Error } from './s3-error.ts'
import { authenticateV2, isSignedV2 } from './signature-v2.ts'
import { header, parameter, type S3Request } from './s3-request.ts'

const SKEW_MS = 15 * 60_000
const WEEK_S = 7 * 24 * 3_600

export interface Authenticated {
  key: AccessKey
  signingKey: Uint8Array
  scope: CredentialScope
  amzDate: string
  /** The seed of the signatures of chunks. */
  signature: string
  /** `x-amz-content-sha256`: a hash, or how the body is signed. */
  payload: string
}

interface Claim {
  credential: string
  amzDate: string
  signedHeaders: string
  signature: string
  payload: string
  expiresS?: number
}

/** @throws S3Error AccessDenied, InvalidAccessKeyId, SignatureDoesNotMatch, RequestTimeTooSkewed and the malformed ones */
export function authenticate(request: S3Request, keys: AccessKeys, nowMs: number): Authenticated {
  if (isSignedV2(request)) {
    const key = authenticateV2(request, keys, nowMs, sameText)
    const scope = { date: '', region: '', service: 's3' }
    // No chunk can be signed with it.
    return { key, scope, signingKey: new Uint8Array(0), amzDate: '', signature: '', payload: UNSIGNED_PAYLOAD }
  }
  const claim = claimOf(request)
  const { accessKeyId, scope } = parseCredential(claim.credential)
  const key = keyOf(keys, accessKeyId)
  checkTime(claim, scope, nowMs)
  const names = claim.signedHeaders.split(';')
  checkSignedHeaders(request, names)
  const signing = signingKey(key.secretAccessKey, scope)
  const canonicalOf = (valueOf: (name: string) => string) =>
    canonicalRequest({
      method: request.method,
      path: request.path,
      query: request.query.filter(([name]) => name !== 'X-Amz-Signature'),
      headers: names.map((name) => [name, valueOf(name)] as const),
      payloadHash: claim.payload,
    })
  const matches = (text: string) => sameText(requestSignature(signing, claim.amzDate, scope, text), claim.signature)
  const canonical = canonicalOf((name) => header(request, name) ?? '')
  if (!matches(canonical) && !matches(canonicalOf((name) => utf8Header(request, name))))
    throw new S3Error(
      'SignatureDoesNotMatch',
      'The signature does not match the request. Check the secret key, and whether a proxy changes the request.',
      { details: { CanonicalRequest: canonical } },
    )
  const { amzDate, signature, payload } = claim
  return { key, signingKey: signing, scope, amzDate, signature, payload }
}

export function sameText(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)]
  return one.length === other.length && timingSafeEqual(one, other)
}

/** @throws S3Error InvalidAccessKeyId */
export function keyOf(keys: AccessKeys, accessKeyId: string): AccessKey {
  const key = keys.find(accessKeyId)
  if (key === undefined) throw new S3Error('InvalidAccessKeyId', 'There is no such access key.')
  return key
}

/** @throws S3Error AuthorizationHeaderMalformed */
export function parseCredential(credential: string): { accessKeyId: string; scope: CredentialScope } {
  const [accessKeyId = '', date = '', region = '', service = '', end = ''] = credential.split('/')
  if (accessKeyId === '' || !/^\d{8}$/.test(date) || service !== 's3' || end !== 'aws4_request')
    throw new S3Error(
      'AuthorizationHeaderMalformed',
      'The credential is not of the form ACCESSKEY/YYYYMMDD/REGION/s3/aws4_request.',
    )
  return { accessKeyId, scope: { date, region, service } }
}

/**
 * Node decodes headers as Latin-1. Of a value outside ASCII, some clients sign the characters and send them in Latin-1, others
 * sign and send them in UTF-8.
 */
const utf8Header = (request: S3Request, name: string): string =>
  Buffer.from(header(request, name) ?? '', 'latin1').toString('utf8')

function claimOf(request: S3Request): Claim {
  const authorization = header(request, 'authorization')
  if (authorization !== undefined) return headerClaim(request, authorization)
  if (parameter(request, 'X-Amz-Algorithm') !== undefined) return queryClaim(request)
  throw new S3Error('AccessDenied', 'The request is not signed: use an access key.')
}

function headerClaim(request: S3Request, authorization: string): Claim {
  const match = /^AWS4-HMAC-SHA256\s+(.*)$/.exec(authorization)
  if (match === null) throw new S3Error('InvalidRequest', 'Only Signature Version 4 (AWS4-HMAC-SHA256) is accepted.')
  const fields = new Map(
    (match[1] ?? '').split(',').map((field) => {
      const at = field.indexOf('=')
      return [field.slice(0, at).trim(), field.slice(at + 1).trim()] as const
    }),
  )
  const [credential, signedHeaders, signature] = ['Credential', 'SignedHeaders', 'Signature'].map((name) =>
    fields.get(name),
  )
  if (credential === undefined || signedHeaders === undefined || signature === undefined)
    throw new S3Error('AuthorizationHeaderMalformed', 'Authorization lacks Credential, SignedHeaders or Signature.')
  const amzDate = header(request, 'x-amz-date') ?? dateHeader(request)
  if (amzDate === undefined) throw new S3Error('AccessDenied', 'A signed request needs the header x-amz-date or Date.')
  const payload = header(request, 'x-amz-content-sha256')
  if (payload === undefined)
    throw new S3Error('InvalidRequest', 'A signed request needs the header x-amz-content-sha256.')
  return { credential, signedHeaders, signature, amzDate, payload }
}

/** The time of a request without `x-amz-date`; undefined for none, or for one that cannot be read. */
function dateHeader(request: S3Request): string | undefined {
  const text = header(request, 'date') ?? ''
  if (parseAmzDate(text) !== undefined) return text
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : amzDateOf(ms)
}

function queryClaim(request: S3Request): Claim {
  const need = (name: string): string => {
    const value = parameter(request, name)
    if (value !== undefined && value !== '') return value
    throw new S3Error('AuthorizationQueryParametersError', `A presigned URL needs the parameter ${name}.`)
  }
  if (need('X-Amz-Algorithm') !== ALGORITHM)
    throw new S3Error('AuthorizationQueryParametersError', `X-Amz-Algorithm must be ${ALGORITHM}.`)
  const expiresS = Number(need('X-Amz-Expires'))
  if (!Number.isInteger(expiresS) || expiresS < 1 || expiresS > WEEK_S)
    throw new S3Error('AuthorizationQueryParametersError', `X-Amz-Expires must be 1 to ${WEEK_S} seconds.`)
  return {
    credential: need('X-Amz-Credential'),
    signedHeaders: need('X-Amz-SignedHeaders'),
    signature: need('X-Amz-Signature'),
    amzDate: need('X-Amz-Date'),
    payload: parameter(request, 'X-Amz-Content-Sha256') ?? header(request, 'x-amz-content-sha256') ?? UNSIGNED_PAYLOAD,
    expiresS,
  }
}

function checkTime({ amzDate, expiresS }: Claim, { date }: CredentialScope, nowMs: number): void {
  const signedMs = parseAmzDate(amzDate)
  if (signedMs === undefined || !amzDate.startsWith(date))
    throw new S3Error('AccessDenied', 'The date of the signature is malformed, or not that of its credential.')
  // SDKs correct their clock by it.
  const ServerTime = new Date(nowMs).toISOString()
  if (expiresS === undefined) {
    if (Math.abs(signedMs - nowMs) > SKEW_MS)
      throw new S3Error(
        'RequestTimeTooSkewed',
        'The time of the request is more than 15 minutes from that of the server.',
        { details: { RequestTime: amzDate, ServerTime, MaxAllowedSkewMilliseconds: String(SKEW_MS) } },
      )
    return
  }
  const Expires = new Date(signedMs + expiresS * 1_000).toISOString()
  if (signedMs - nowMs > SKEW_MS)
    throw new S3Error('AccessDenied', 'Request is not yet valid: the clock of its signer is ahead.', {
      details: { 'X-Amz-Date': amzDate, Expires, ServerTime },
    })
  if (nowMs > signedMs + expiresS * 1_000)
    throw new S3Error('AccessDenied', 'Request has expired', { details: { Expires, ServerTime } })
}

/** What changes the meaning of a request must be signed. */
function checkSignedHeaders({ incoming }: S3Request, names: readonly string[]): void {
  if (!names.includes('host')) throw new S3Error('AccessDenied', 'The header host must be signed.')
  const unsigned = Object.keys(incoming.headers).find((name) => name.startsWith('x-amz-') && !names.includes(name))
  if (unsigned !== undefined && unsigned !== 'x-amz-content-sha256')
    throw new S3Error('AccessDenied', `There were headers present in the request which were not signed: ${unsigned}`, {
      details: { HeadersNotSigned: unsigned },
    })
}
