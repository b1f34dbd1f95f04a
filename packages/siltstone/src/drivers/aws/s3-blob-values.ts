/** Between the values of the blob port and those of the AWS SDK. */
import type {
  GetObjectCommandOutput,
  HeadObjectCommandOutput,
  PutObjectCommandInput,
  UploadPartCommandOutput,
} from '@aws-sdk/client-s3'
import {
  type BlobChecksum,
  type BlobHead,
  type BlobInfo,
  type BlobMiss,
  type BlobRange,
  type BlobSource,
  type BlobTags,
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  type ChecksumType,
  type PartInfo,
  type ReadCondition,
  type WriteCondition,
  type GetBlobResult,
} from '../../ports/blob-store.ts'
import { noSuchBucket } from '../../ports/blob-rules.ts'
import { codeOf, statusOf } from './failure.ts'

export function headInput({ metadata, expires, ...headers }: BlobHead) {
  return {
    ...(headers.contentType !== undefined && { ContentType: headers.contentType }),
    ...(headers.cacheControl !== undefined && { CacheControl: headers.cacheControl }),
    ...(headers.contentDisposition !== undefined && { ContentDisposition: headers.contentDisposition }),
    ...(headers.contentEncoding !== undefined && { ContentEncoding: headers.contentEncoding }),
    ...(headers.contentLanguage !== undefined && { ContentLanguage: headers.contentLanguage }),
    ...(expires !== undefined && { Expires: new Date(expires) }),
    ...(metadata !== undefined && { Metadata: { ...metadata } }),
  }
}

export function tagInput(tags: BlobTags | undefined) {
  return tags !== undefined && Object.keys(tags).length > 0 ? { Tagging: new URLSearchParams(tags).toString() } : {}
}

export function conditionInput({ ifAbsent, ifMatch }: WriteCondition) {
  return { ...(ifAbsent === true && { IfNoneMatch: '*' }), ...(ifMatch !== undefined && { IfMatch: ifMatch }) }
}

export function readInput({ ifMatch, ifNoneMatch, ifModifiedSinceMs, ifUnmodifiedSinceMs }: ReadCondition) {
  return {
    ...(ifMatch !== undefined && { IfMatch: ifMatch }),
    ...(ifNoneMatch !== undefined && { IfNoneMatch: ifNoneMatch }),
    ...(ifModifiedSinceMs !== undefined && { IfModifiedSince: new Date(ifModifiedSinceMs) }),
    ...(ifUnmodifiedSinceMs !== undefined && { IfUnmodifiedSince: new Date(ifUnmodifiedSinceMs) }),
  }
}

export function sourceInput({ ifMatch, ifNoneMatch, ifModifiedSinceMs, ifUnmodifiedSinceMs }: BlobSource) {
  return {
    ...(ifMatch !== undefined && { CopySourceIfMatch: ifMatch }),
    ...(ifNoneMatch !== undefined && { CopySourceIfNoneMatch: ifNoneMatch }),
    ...(ifModifiedSinceMs !== undefined && { CopySourceIfModifiedSince: new Date(ifModifiedSinceMs) }),
    ...(ifUnmodifiedSinceMs !== undefined && { CopySourceIfUnmodifiedSince: new Date(ifUnmodifiedSinceMs) }),
  }
}

export function rangeInput(range: BlobRange | undefined) {
  if (range === undefined) return {}
  if ('lastBytes' in range) return { Range: `bytes=-${range.lastBytes}` }
  const { offset, length } = range
  return { Range: `bytes=${offset}-${length === undefined ? '' : offset + length - 1}` }
}

/** A checksum as the field of a request: with a value, the SDK computes none. */
export function checksumInput(
  checksum: { algorithm: ChecksumAlgorithm; value: string } | undefined,
): Partial<PutObjectCommandInput> {
  return checksum === undefined ? {} : { [`Checksum${checksum.algorithm}`]: checksum.value }
}

type Answer = HeadObjectCommandOutput | GetObjectCommandOutput

export function checksumOf(answer: Partial<Answer & UploadPartCommandOutput>): BlobChecksum | undefined {
  const algorithm = CHECKSUM_ALGORITHMS.find((one) => answer[`Checksum${one}`] !== undefined)
  if (algorithm === undefined) return undefined
  const value = answer[`Checksum${algorithm}`] as string
  const told = (answer as Partial<Answer>).ChecksumType as ChecksumType | undefined
  return { algorithm, value, type: told ?? (/-\d+$/.test(value) ? 'COMPOSITE' : 'FULL_OBJECT') }
}

export function blobOf(key: string, answer: Answer, sizeBytes: number): BlobInfo {
  const { ContentType, CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, ExpiresString, Metadata } =
    answer
  const checksum = checksumOf(answer)
  const hasMetadata = Metadata !== undefined && Object.keys(Metadata).length > 0
  const parts = /-(\d+)"?$/.exec(answer.ETag ?? '')?.[1]
  return {
    key,
    etag: answer.ETag ?? '',
    sizeBytes,
    lastModifiedMs: answer.LastModified?.getTime() ?? 0,
    head: {
      ...(ContentType !== undefined && { contentType: ContentType }),
      ...(CacheControl !== undefined && { cacheControl: CacheControl }),
      ...(ContentDisposition !== undefined && { contentDisposition: ContentDisposition }),
      ...(ContentEncoding !== undefined && ContentEncoding !== '' && { contentEncoding: ContentEncoding }),
      ...(ContentLanguage !== undefined && { contentLanguage: ContentLanguage }),
      ...(ExpiresString !== undefined && { expires: ExpiresString }),
      ...(hasMetadata && { metadata: Metadata }),
    },
    tagCount: answer.TagCount ?? 0,
    ...(answer.VersionId !== undefined && { versionId: answer.VersionId }),
    ...(checksum && { checksum }),
    ...(parts !== undefined && { partCount: Number(parts) }),
  }
}

interface SdkPart {
  PartNumber?: number | undefined
  ETag?: string | undefined
  Size?: number | undefined
  LastModified?: Date | undefined
}

export function partOf(part: SdkPart): PartInfo {
  const checksum = checksumOf(part as Partial<UploadPartCommandOutput>)
  return {
    partNumber: part.PartNumber ?? 0,
    etag: part.ETag ?? '',
    sizeBytes: part.Size ?? 0,
    lastModifiedMs: part.LastModified?.getTime() ?? 0,
    ...(checksum && { checksum: { algorithm: checksum.algorithm, value: checksum.value } }),
  }
}

/** @throws the error itself unless the condition of a write failed */
export function writeRefusal(
  error: unknown,
  { ifAbsent, ifMatch }: WriteCondition,
): { status: 'exists' | 'mismatch' | 'not-found' } {
  const status = statusOf(error)
  if (status === 412) return { status: ifAbsent === true ? 'exists' : 'mismatch' }
  if (status === 404 && ifMatch !== undefined && codeOf(error) === 'NoSuchKey') return { status: 'not-found' }
  throw error
}

/** @throws the error itself if it is none of these answers */
export function readMiss(
  error: unknown,
  { versionId }: { versionId?: string },
  bucket: string,
): BlobMiss | { status: 'unmodified' } {
  const status = statusOf(error)
  if (status === 304) return { status: 'unmodified' }
  if (status === 412) return { status: 'mismatch' }
  const headers = (error as { $response?: { headers?: Record<string, string> } }).$response?.headers ?? {}
  const isMarker = headers['x-amz-delete-marker'] === 'true' || (status === 405 && versionId !== undefined)
  if ((status === 404 || status === 405) && isMarker)
    return { status: 'delete-marker', versionId: headers['x-amz-version-id'] ?? versionId ?? '' }
  // A version that a bucket cannot have is none.
  if (status === 404 || (status === 400 && versionId !== undefined)) {
    if (codeOf(error) === 'NoSuchBucket') throw noSuchBucket(bucket)
    return { status: 'not-found' }
  }
  throw error
}

export function okOf(key: string, answer: GetObjectCommandOutput): GetBlobResult {
  const told = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.ContentRange ?? '')
  const length = answer.ContentLength ?? 0
  const sizeBytes = told === null ? length : Number(told[3])
  const cut = told === null ? { start: 0, end: sizeBytes } : { start: Number(told[1]), end: Number(told[2]) + 1 }
  const body = answer.Body as unknown as AsyncIterable<Uint8Array>
  return { status: 'ok', blob: blobOf(key, answer, sizeBytes), body, ...cut }
}
