/** Signed URLs and forms for the S3 face of a directory, made with an access key of that server. */
import {
  ALGORITHM,
  amzDateOf,
  canonicalRequest,
  type Clock,
  encodePath,
  encodeRfc3986,
  invalid,
  type PostForm,
  requestSignature,
  scopeText,
  signedPost,
  signingKey,
  UNSIGNED_PAYLOAD,
} from 'siltstone/internal'
import type { PresignRequest, Presigned } from './presign.ts'
import type { AccessKey } from './s3/access-keys.ts'

export interface FaceAddress {
  /** `http://127.0.0.1:9000` */
  url: string
  bucket: string
  key: Pick<AccessKey, 'accessKeyId' | 'secretAccessKey'>
  clock: Clock
}

const REGION = 'us-east-1'

/** @param request checked by `checkPresign` */
export function presignOnFace({ url, bucket, key, clock }: FaceAddress, request: PresignRequest): Presigned {
  const nowMs = clock.nowMs()
  if (!URL.canParse(url))
    throw invalid('bad-url', `${JSON.stringify(url)} is not the URL of a server of objects.`, { field: 'url' })
  if (request.method === 'post') {
    const { maxBytes, minBytes = 0, contentType, contentTypePrefix, metadata } = request
    const place = { url: `${url}/${bucket}`, bucket, key: request.key, region: REGION, credentials: key }
    const limits = {
      minBytes,
      maxBytes,
      ...(contentType !== undefined && { contentType }),
      ...(contentTypePrefix !== undefined && { contentTypePrefix }),
      ...(metadata && { metadata }),
    }
    const form: PostForm = signedPost(place, limits, nowMs, request.expiresInMs)
    return { method: 'POST', ...form }
  }
  const headers = request.method === 'put' ? putHeaders(request) : {}
  const amzDate = amzDateOf(nowMs)
  const scope = { date: amzDate.slice(0, 8), region: REGION, service: 's3' }
  const signed = [...Object.entries(headers), ['host', new URL(url).host] as const].sort(([a], [b]) => (a < b ? -1 : 1))
  const method = request.method === 'put' ? 'PUT' : 'GET'
  const query: [string, string][] = [
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${key.accessKeyId}/${scopeText(scope)}`],
    ['X-Amz-Date', amzDate],
    ['X-Amz-Expires', String(Math.floor(request.expiresInMs / 1_000))],
    ['X-Amz-SignedHeaders', signed.map(([name]) => name).join(';')],
    ...extraQuery(request),
  ]
  const path = `/${bucket}/${request.key}`
  const canonical = canonicalRequest({ method, path, query, headers: signed, payloadHash: UNSIGNED_PAYLOAD })
  const signature = requestSignature(signingKey(key.secretAccessKey, scope), amzDate, scope, canonical)
  const pairs = [...query, ['X-Amz-Signature', signature] as const]
  const text = pairs.map(([name, value]) => `${encodeRfc3986(name)}=${encodeRfc3986(value)}`).join('&')
  return { method, url: `${url}${encodePath(path)}?${text}`, headers }
}

/** The headers that the client must send exactly so. */
function putHeaders(request: Extract<PresignRequest, { method: 'put' }>): Record<string, string> {
  return {
    'content-length': String(request.sizeBytes),
    ...(request.contentType !== undefined && { 'content-type': request.contentType }),
    ...(request.sha256 !== undefined && { 'x-amz-checksum-sha256': request.sha256 }),
    ...(request.ifAbsent === true && { 'if-none-match': '*' }),
  }
}

function extraQuery(request: Exclude<PresignRequest, { method: 'post' }>): [string, string][] {
  if (request.method === 'put')
    return Object.entries(request.metadata ?? {}).map(([name, value]) => [`x-amz-meta-${name}`, value])
  return request.contentDisposition === undefined ? [] : [['response-content-disposition', request.contentDisposition]]
}
