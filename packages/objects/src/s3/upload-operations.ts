/** Operations of uploads in parts. */
import type { ChecksumType } from 'siltstone/internal'
import { CHECKSUM_ALGORITHMS } from 'siltstone/internal'
import { algorithmNamed, checksumHeader } from './body.ts'
import type { S3Call } from './call.ts'
import {
  checksumHeaders,
  headOf,
  rangeOf,
  refuseUnsupported,
  type S3Answer,
  tagsOf,
  versionHeaders,
  writeConditionOf,
} from './object-headers.ts'
import { copySource, noSuchKey, preconditionFailed, putBlob, xmlAnswer } from './object-operations.ts'
import { S3Error } from './s3-error.ts'
import { header, parameter } from './s3-request.ts'
import { childrenOf, childText, xmlDocument } from './xml.ts'

const uploadIdOf = ({ request }: S3Call): string => parameter(request, 'uploadId') ?? ''

function numberOf({ request }: S3Call, name: string): number | undefined {
  const text = parameter(request, name)
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0) return value
  throw new S3Error('InvalidArgument', `${name} is ${text}, not a number.`)
}

/** @throws S3Error InvalidArgument */
export function partNumberOf(call: S3Call): number {
  return numberOf(call, 'partNumber') ?? 0
}

export async function createMultipartUpload(call: S3Call): Promise<S3Answer> {
  const { request, store, key, bucket } = call
  refuseUnsupported(request)
  const algorithm = algorithmNamed(header(request, 'x-amz-checksum-algorithm'))
  const type = typeOf(header(request, 'x-amz-checksum-type'))
  const tags = tagsOf(request)
  const upload = await store.createUpload(key, {
    head: headOf(request),
    ...(tags && { tags }),
    ...(algorithm && { checksum: { algorithm, ...(type && { type }) } }),
  })
  const { checksum } = upload
  return xmlAnswer(
    xmlDocument('InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: upload.uploadId }),
    {
      ...(checksum && { 'x-amz-checksum-algorithm': checksum.algorithm, 'x-amz-checksum-type': checksum.type }),
    },
  )
}

function typeOf(text: string | undefined): ChecksumType | undefined {
  if (text === undefined || text === 'COMPOSITE' || text === 'FULL_OBJECT') return text
  throw new S3Error('InvalidRequest', `x-amz-checksum-type is COMPOSITE or FULL_OBJECT, not ${text}.`)
}

export async function uploadPart(call: S3Call): Promise<S3Answer> {
  const { store, key } = call
  const { bytes, expected } = call.body()
  const part = await store.putPart(key, uploadIdOf(call), partNumberOf(call), bytes, expected)
  const { checksum } = part
  return {
    status: 200,
    headers: { etag: part.etag, ...(checksum && { [checksumHeader(checksum.algorithm)]: checksum.value }) },
  }
}

export async function uploadPartCopy(call: S3Call): Promise<S3Answer> {
  const { request, store, key } = call
  const source = copySource(call)
  const text = header(request, 'x-amz-copy-source-range')
  const range = rangeOf(text)
  if (text !== undefined && range === undefined)
    throw new S3Error('InvalidArgument', 'x-amz-copy-source-range is not of the form bytes=first-last.')
  const result = await store.copyPart(key, uploadIdOf(call), partNumberOf(call), { ...source, ...(range && { range }) })
  if (result.status === 'source-not-found') throw noSuchKey(source.key)
  if (result.status === 'source-mismatch') throw preconditionFailed('x-amz-copy-source-If-Match')
  if (result.status === 'bad-range') throw new S3Error('InvalidRange', 'The range is not within the source.')
  const { etag, lastModifiedMs, checksum } = result.part
  return xmlAnswer(
    xmlDocument('CopyPartResult', {
      ETag: etag,
      LastModified: new Date(lastModifiedMs).toISOString(),
      ...(checksum && { [`Checksum${checksum.algorithm}`]: checksum.value }),
    }),
  )
}

export async function completeMultipartUpload(call: S3Call): Promise<S3Answer> {
  const { request, store, key, bucket } = call
  const body = await call.xml('CompleteMultipartUpload', 'object')
  const elements = body === undefined ? [] : childrenOf(body, 'Part')
  if (elements.length === 0) throw new S3Error('MalformedXML', 'The body names no part.')
  const parts = elements.map((part) => {
    const algorithm = CHECKSUM_ALGORITHMS.find((one) => childText(part, `Checksum${one}`) !== undefined)
    const checksum = algorithm && childText(part, `Checksum${algorithm}`)
    return {
      partNumber: Number(childText(part, 'PartNumber')),
      etag: childText(part, 'ETag') ?? '',
      ...(checksum !== undefined && { checksum }),
    }
  })
  // A header with a checksum belongs to the object, not to this body.
  const whole = CHECKSUM_ALGORITHMS.map((one) => header(request, checksumHeader(one))).find((one) => one !== undefined)
  const size = header(request, 'x-amz-mp-object-size')
  const result = await store.completeUpload(key, uploadIdOf(call), parts, {
    ...writeConditionOf(request),
    ...(whole !== undefined && { checksum: whole }),
    ...(size !== undefined && { sizeBytes: Number(size) }),
  })
  const blob = putBlob(result, key)
  const { checksum } = blob
  return xmlAnswer(
    xmlDocument('CompleteMultipartUploadResult', {
      Location: `http://${header(request, 'host') ?? ''}${request.rawPath}`,
      Bucket: bucket,
      Key: key,
      ETag: blob.etag,
      ...(checksum && { [`Checksum${checksum.algorithm}`]: checksum.value, ChecksumType: checksum.type }),
    }),
    { ...versionHeaders(blob), ...checksumHeaders(blob) },
  )
}

export async function abortMultipartUpload(call: S3Call): Promise<S3Answer> {
  await call.store.abortUpload(call.key, uploadIdOf(call))
  return { status: 204 }
}

export async function listParts(call: S3Call): Promise<S3Answer> {
  const { store, key, bucket } = call
  const limit = numberOf(call, 'max-parts')
  const after = numberOf(call, 'part-number-marker')
  const { upload, parts, next } = await store.listParts(key, uploadIdOf(call), {
    ...(after !== undefined && { after }),
    ...(limit !== undefined && { limit: Math.max(1, limit) }),
  })
  return xmlAnswer(
    xmlDocument('ListPartsResult', {
      Bucket: bucket,
      Key: key,
      UploadId: upload.uploadId,
      PartNumberMarker: after ?? 0,
      NextPartNumberMarker: next,
      MaxParts: limit ?? 1_000,
      IsTruncated: next !== undefined,
      ChecksumAlgorithm: upload.checksum?.algorithm,
      ChecksumType: upload.checksum?.type,
      StorageClass: 'STANDARD',
      Part: parts.map(({ partNumber, etag, sizeBytes, lastModifiedMs, checksum }) => ({
        PartNumber: partNumber,
        LastModified: new Date(lastModifiedMs).toISOString(),
        ETag: etag,
        Size: sizeBytes,
        ...(checksum && { [`Checksum${checksum.algorithm}`]: checksum.value }),
      })),
    }),
  )
}
