/** The headers of an object, from a request and for an answer. */
import {
  type BlobBody,
  type BlobHead,
  type BlobInfo,
  type BlobRange,
  type BlobTags,
  type ReadCondition,
  type WriteCondition,
} from 'siltstone/internal'
import { checksumHeader } from './body.ts'
import { S3Error } from './s3-error.ts'
import { header, parameter, type S3Request } from './s3-request.ts'

export interface S3Answer {
  status: number
  headers?: Record<string, string>
  body?: string | BlobBody
}

const HEADERS = [
  ['contentType', 'content-type'],
  ['cacheControl', 'cache-control'],
  ['contentDisposition', 'content-disposition'],
  ['contentEncoding', 'content-encoding'],
  ['contentLanguage', 'content-language'],
  ['expires', 'expires'],
] as const

const META = 'x-amz-meta-'

/** Headers of a request that ask for what this face does not do: an answer of success would be a lie. */
const REFUSED = [
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-copy-source-server-side-encryption-customer-algorithm',
  'x-amz-object-lock-mode',
  'x-amz-object-lock-legal-hold',
  'x-amz-object-lock-retain-until-date',
  'x-amz-website-redirect-location',
  'x-amz-grant-read',
  'x-amz-grant-write',
  'x-amz-grant-full-control',
  'x-amz-grant-read-acp',
  'x-amz-grant-write-acp',
  'x-amz-write-offset-bytes',
]
const HARMLESS_ACLS = ['private', 'bucket-owner-full-control', 'bucket-owner-read']

/** @throws S3Error NotImplemented, InvalidStorageClass */
export function refuseUnsupported(request: S3Request): void {
  const refused = REFUSED.find((name) => header(request, name) !== undefined)
  if (refused !== undefined) throw new S3Error('NotImplemented', `The header ${refused} is not supported.`)
  const acl = header(request, 'x-amz-acl')
  if (acl !== undefined && !HARMLESS_ACLS.includes(acl))
    throw new S3Error('NotImplemented', `The ACL ${acl} is not supported: access follows keys only.`)
  const storageClass = header(request, 'x-amz-storage-class')
  if (storageClass !== undefined && storageClass !== 'STANDARD')
    throw new S3Error('InvalidStorageClass', `The storage class ${storageClass} is not supported: use STANDARD.`)
}

/** What is kept with the object. Metadata may come in the query of a presigned URL. */
export function headOf(request: S3Request): BlobHead {
  const head: Record<string, string> = {}
  for (const [name, from] of HEADERS) {
    const value = header(request, from)
    if (value !== undefined && value !== '') head[name] = value
  }
  // The coding of the request itself does not belong to the object.
  const coding = head['contentEncoding']?.split(',')
  const kept = coding
    ?.filter((one) => one.trim() !== 'aws-chunked')
    .join(',')
    .trim()
  if (kept === '') delete head['contentEncoding']
  else if (kept !== undefined) head['contentEncoding'] = kept
  const metadata: Record<string, string> = {}
  for (const [name, value] of request.query)
    if (name.toLowerCase().startsWith(META)) metadata[name.toLowerCase().slice(META.length)] = value
  for (const [name, value] of Object.entries(request.incoming.headers))
    if (name.startsWith(META))
      metadata[name.slice(META.length)] = Array.isArray(value) ? value.join(',') : (value ?? '')
  return { ...head, ...(Object.keys(metadata).length > 0 && { metadata }) }
}

/** `x-amz-tagging`: tags in the form of a query. */
export function tagsOf(request: S3Request): BlobTags | undefined {
  const text = header(request, 'x-amz-tagging') ?? parameter(request, 'x-amz-tagging')
  return text === undefined ? undefined : Object.fromEntries(new URLSearchParams(text))
}

/** Clients send ETags with their quotes and without. */
export function quotedEtag(text: string): string {
  const etag = text.trim().replaceAll('"', '')
  return etag === '*' ? etag : `"${etag}"`
}

/** @throws S3Error NotImplemented */
export function writeConditionOf(request: S3Request): WriteCondition {
  const ifNoneMatch = header(request, 'if-none-match')
  const ifMatch = header(request, 'if-match')
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== '*')
    throw new S3Error('NotImplemented', 'If-None-Match of a write must be *.')
  return {
    ...(ifNoneMatch !== undefined && { ifAbsent: true }),
    ...(ifMatch !== undefined && { ifMatch: quotedEtag(ifMatch) }),
  }
}

/** @param prefix `x-amz-copy-source-` for the source of a copy */
export function readConditionOf(request: S3Request, prefix = ''): ReadCondition {
  const date = (name: string) => {
    const ms = Date.parse(header(request, prefix + name) ?? '')
    return Number.isNaN(ms) ? undefined : ms
  }
  const ifMatch = header(request, `${prefix}if-match`)
  const ifNoneMatch = header(request, `${prefix}if-none-match`)
  const ifModifiedSinceMs = date('if-modified-since')
  const ifUnmodifiedSinceMs = date('if-unmodified-since')
  return {
    ...(ifMatch !== undefined && { ifMatch }),
    ...(ifNoneMatch !== undefined && { ifNoneMatch }),
    ...(ifModifiedSinceMs !== undefined && { ifModifiedSinceMs }),
    ...(ifUnmodifiedSinceMs !== undefined && { ifUnmodifiedSinceMs }),
  }
}

/** Undefined for anything but one range of bytes, which is then ignored, as RFC 9110 wants. */
export function rangeOf(text: string | undefined): BlobRange | undefined {
  const match = /^bytes=(?:(\d+)-(\d*)|-(\d+))$/.exec(text?.trim() ?? '')
  if (match === null) return undefined
  const [, first, last, suffix] = match
  if (suffix !== undefined) return { lastBytes: Number(suffix) }
  const offset = Number(first)
  if (last === undefined || last === '') return { offset }
  const length = Number(last) - offset + 1
  return length < 1 ? undefined : { offset, length }
}

export const httpDate = (ms: number): string => new Date(ms).toUTCString()

/** The headers of GET and HEAD, without those of the length. */
export function objectHeaders(request: S3Request, blob: BlobInfo): Record<string, string> {
  const headers: Record<string, string> = {
    etag: blob.etag,
    'last-modified': httpDate(blob.lastModifiedMs),
    'accept-ranges': 'bytes',
    'content-type': blob.head.contentType ?? 'binary/octet-stream',
    ...versionHeaders(blob),
  }
  for (const [name, to] of HEADERS) {
    const value = parameter(request, `response-${to}`) ?? blob.head[name]
    if (value !== undefined) headers[to] = value
  }
  for (const [name, value] of Object.entries(blob.head.metadata ?? {})) headers[META + name] = value
  if (blob.tagCount > 0) headers['x-amz-tagging-count'] = String(blob.tagCount)
  return headers
}

export function versionHeaders({ versionId }: Pick<BlobInfo, 'versionId'>): Record<string, string> {
  return versionId === undefined ? {} : { 'x-amz-version-id': versionId }
}

export function checksumHeaders({ checksum }: Pick<BlobInfo, 'checksum'>): Record<string, string> {
  if (checksum === undefined) return {}
  return { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type }
}
