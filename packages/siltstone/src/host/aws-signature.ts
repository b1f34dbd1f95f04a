/**
 * Signature Version 4 of AWS, for S3: paths are encoded once and not normalised. The same code signs (presigned URLs,
 * POST policies) and verifies.
 */
import { createHash, createHmac } from 'node:crypto'

export const ALGORITHM = 'AWS4-HMAC-SHA256'
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD'

export interface CredentialScope {
  /** `20260131` */
  date: string
  region: string
  service: string
}

export const sha256Hex = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
export const hmac = (key: string | Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** RFC 3986: everything but letters, digits and `-._~`. */
export function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
}

export const encodePath = (path: string): string => path.split('/').map(encodeRfc3986).join('/')

export function signingKey(secret: string, { date, region, service }: CredentialScope): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), 'aws4_request')
}

export const scopeText = ({ date, region, service }: CredentialScope): string =>
  `${date}/${region}/${service}/aws4_request`

export interface CanonicalParts {
  method: string
  /** Decoded. */
  path: string
  /** Decoded, without the signature itself. */
  query: readonly (readonly [string, string])[]
  /** Name in lower case and value, only those that are signed. */
  headers: readonly (readonly [string, string])[]
  payloadHash: string
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export function canonicalRequest({ method, path, query, headers, payloadHash }: CanonicalParts): string {
  const pairs = query.map(([name, value]) => [encodeRfc3986(name), encodeRfc3986(value)] as const)
  const sorted = pairs.toSorted((a, b) => byText(a[0], b[0]) || byText(a[1], b[1]))
  const lines = headers.toSorted((a, b) => byText(a[0], b[0]))
  return [
    method,
    encodePath(path),
    sorted.map(([name, value]) => `${name}=${value}`).join('&'),
    ...lines.map(([name, value]) => `${name}:${value.trim().replaceAll(/ +/g, ' ')}`),
    '',
    lines.map(([name]) => name).join(';'),
    payloadHash,
  ].join('\n')
}

/** @param amzDate `20260131T120000Z` */
export function requestSignature(key: Uint8Array, amzDate: string, scope: CredentialScope, canonical: string): string {
  return hmac(key, [ALGORITHM, amzDate, scopeText(scope), sha256Hex(canonical)].join('\n')).toString('hex')
}

/** `20260131T120000Z` */
export function amzDateOf(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
}

/** Milliseconds since 1970; undefined for anything else than `20260131T120000Z`. */
export function parseAmzDate(text: string): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second] = match
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(ms) ? undefined : ms
}

/** The limits of an upload by a form of a browser. */
export interface PostLimits {
  minBytes: number
  maxBytes: number
  /** Exactly this type. */
  contentType?: string
  /** Any type that begins so: `video/`. */
  contentTypePrefix?: string
  metadata?: Readonly<Record<string, string>>
}

/** Where a form is sent, and its fields; the file comes after them, in the field `file`. */
export interface PostForm {
  url: string
  fields: Record<string, string>
}

export interface PostPlace {
  /** Of the bucket. */
  url: string
  bucket: string
  key: string
  region: string
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
}

/** A form with a POST policy: every field is fixed but the file, whose size is limited, a type with a prefix, and `${filename}` in the key. */
export function signedPost(place: PostPlace, limits: PostLimits, nowMs: number, expiresInMs: number): PostForm {
  const { url, bucket, key, region, credentials } = place
  const amzDate = amzDateOf(nowMs)
  const scope = { date: amzDate.slice(0, 8), region, service: 's3' }
  const fields: Record<string, string> = {
    key,
    ...(limits.contentType !== undefined && { 'Content-Type': limits.contentType }),
    ...Object.fromEntries(Object.entries(limits.metadata ?? {}).map(([name, value]) => [`x-amz-meta-${name}`, value])),
    'x-amz-algorithm': ALGORITHM,
    'x-amz-credential': `${credentials.accessKeyId}/${scopeText(scope)}`,
    'x-amz-date': amzDate,
    ...(credentials.sessionToken !== undefined && { 'x-amz-security-token': credentials.sessionToken }),
  }
  // S3 expands variables before it checks the policy, so what stands before one is the part of the key that is known.
  const variable = key.indexOf('${filename}')
  const fixed = Object.entries(fields).filter(([name]) => name !== 'key' || variable === -1)
  const conditions = [
    { bucket },
    ...(variable === -1 ? [] : [['starts-with', '$key', key.slice(0, variable)]]),
    ['content-length-range', limits.minBytes, limits.maxBytes],
    ...(limits.contentTypePrefix === undefined ? [] : [['starts-with', '$Content-Type', limits.contentTypePrefix]]),
    ...fixed.map(([name, value]) => ['eq', `$${name}`, value]),
  ]
  const expiration = new Date(nowMs + expiresInMs).toISOString()
  const policy = Buffer.from(JSON.stringify({ expiration, conditions })).toString('base64')
  const signature = hmac(signingKey(credentials.secretAccessKey, scope), policy).toString('hex')
  return { url, fields: { ...fields, policy, 'x-amz-signature': signature } }
}
