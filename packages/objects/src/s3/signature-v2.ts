/**
 * Signature Version 2 in the query: what boto3 and the AWS CLI 1 still put into presigned URLs and forms by default. It
 * signs the content type, but neither the length of a body nor its bytes; everything else must use Version 4.
 */
import { createHmac } from 'node:crypto'
import type { AccessKey, AccessKeys } from './access-keys.ts'
import { S3Error } from './s3-error.ts'
import { header, parameter, type S3Request } from './s3-request.ts'

/** Parameters of the query that belong to the resource. */
const SIGNED = [
  'acl',
  'cors',
  'delete',
  'lifecycle',
  'location',
  'logging',
  'notification',
  'partNumber',
  'policy',
  'replication',
  'requestPayment',
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
  'restore',
  'tagging',
  'torrent',
  'uploadId',
  'uploads',
  'versionId',
  'versioning',
  'versions',
  'website',
]

export const isSignedV2 = (request: S3Request): boolean => parameter(request, 'AWSAccessKeyId') !== undefined

export function signatureV2(secret: string, text: string): string {
  return createHmac('sha1', secret).update(text).digest('base64')
}

/** @throws S3Error AccessDenied, InvalidAccessKeyId, SignatureDoesNotMatch */
export function authenticateV2(
  request: S3Request,
  keys: AccessKeys,
  nowMs: number,
  sameText: (a: string, b: string) => boolean,
): AccessKey {
  const key = keys.find(parameter(request, 'AWSAccessKeyId') ?? '')
  if (key === undefined) throw new S3Error('InvalidAccessKeyId', 'There is no such access key.')
  const expires = parameter(request, 'Expires') ?? ''
  if (!/^\d{1,12}$/.test(expires)) throw new S3Error('AccessDenied', 'A presigned URL needs the parameter Expires.')
  const text = [
    request.method,
    header(request, 'content-md5') ?? '',
    header(request, 'content-type') ?? '',
    expires,
    amzHeaders(request) + resource(request),
  ].join('\n')
  if (!sameText(signatureV2(key.secretAccessKey, text), parameter(request, 'Signature') ?? ''))
    throw new S3Error('SignatureDoesNotMatch', 'The signature does not match the request.', {
      details: { StringToSign: text },
    })
  if (nowMs > Number(expires) * 1_000) throw new S3Error('AccessDenied', 'Request has expired')
  return key
}

function amzHeaders({ incoming, query }: S3Request): string {
  const all = [
    ...Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as const),
    ...query.map(([name, value]) => [name.toLowerCase(), value] as const),
  ]
  const own = all.filter(([name]) => name.startsWith('x-amz-')).sort(([a], [b]) => (a < b ? -1 : 1))
  return own.map(([name, value]) => `${name}:${value.trim()}\n`).join('')
}

/** The path as it was sent, with the bucket in front. */
function resource({ rawPath, bucket, bucketInHost, query }: S3Request): string {
  const parts = query
    .filter(([name]) => SIGNED.includes(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
  const path = bucketInHost && bucket !== undefined ? `/${bucket}${rawPath}` : rawPath
  return parts.length === 0 ? path : `${path}?${parts.join('&')}`
}
