/** Uploads in parts, as the blob port has them, on S3. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { invalid } from '../../errors.ts'
import { BodyCheck, checkChecksumType, chunksOf, defaultChecksumType } from '../../host/blob-checksum.ts'
import { chosenParts } from '../../host/blob-completion.ts'
import { checkPartNumber, noSuchBlob, noSuchUpload, pageLimit } from '../../ports/blob-rules.ts'
import type {
  BlobBody,
  BlobPart,
  BlobRange,
  BlobSource,
  BlobStore,
  ChecksumAlgorithm,
  ChecksumType,
  ChosenPart,
  CompleteUploadOptions,
  CopyPartResult,
  ExpectedBytes,
  PartInfo,
  UploadInfo,
  UploadOptions,
} from '../../ports/blob-store.ts'
import type { Deadline } from './aws-requests.ts'
import { codeOf, statusOf } from './failure.ts'
import { type S3Bucket, s3Url } from './s3-bucket.ts'
import {
  checksumInput,
  checksumOf,
  conditionInput,
  headInput,
  partOf,
  sourceInput,
  tagInput,
  writeRefusal,
} from './s3-blob-values.ts'

export interface BlobTarget {
  bucket: S3Bucket
  key: string
  target: { Bucket: string; Key: string }
}

/** A part is held in memory to be checked before it is sent, and to be sent again. */
const MAX_PART_BYTES = 512 * 1024 * 1024

interface Calling {
  doing: string
  uploadId?: string
  bytes?: number
  attempts?: number
  changes?: boolean
}

async function call<T>(
  { bucket, key }: BlobTarget,
  { doing, uploadId, ...options }: Calling,
  work: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  return bucket.requests.call({ doing: `${doing} ${s3Url(bucket, key)}`, key, ...options }, async (deadline) => {
    try {
      return await work(deadline)
    } catch (error) {
      // Some servers answer a malformed id with another code.
      if (
        uploadId !== undefined &&
        (codeOf(error) === 'NoSuchUpload' || (statusOf(error) === 404 && codeOf(error) !== 'NoSuchBucket'))
      )
        throw noSuchUpload(uploadId)
      throw error
    }
  })
}

export async function createUpload(at: BlobTarget, { head, tags, checksum }: UploadOptions): Promise<UploadInfo> {
  const type = checksum && (checksum.type ?? defaultChecksumType(checksum.algorithm))
  if (checksum && type) checkChecksumType(checksum.algorithm, type)
  const input = {
    ...at.target,
    ...headInput(head ?? {}),
    ...tagInput(tags),
    ...(checksum && { ChecksumAlgorithm: checksum.algorithm, ChecksumType: type }),
  }
  const { UploadId } = await call(at, { doing: 'begin to write' }, ({ signal }) =>
    at.bucket.client.send(new CreateMultipartUploadCommand(input), { abortSignal: signal }),
  )
  if (UploadId === undefined) throw invalid('aws-refused', 'The server began an upload without an id.')
  const { clock } = at.bucket
  return {
    key: at.key,
    uploadId: UploadId,
    startedMs: clock.nowMs(),
    ...(checksum && type && { checksum: { algorithm: checksum.algorithm, type } }),
  }
}

export async function putPart(
  at: BlobTarget,
  { uploadId, partNumber }: { uploadId: string; partNumber: number },
  body: BlobBody,
  expected: ExpectedBytes,
): Promise<PartInfo> {
  checkPartNumber(partNumber)
  const check = new BodyCheck(expected, MAX_PART_BYTES)
  const chunks: Uint8Array[] = []
  for await (const chunk of chunksOf(body)) {
    check.update(chunk)
    chunks.push(new Uint8Array(chunk))
  }
  const { checksum, sizeBytes } = check.finish()
  const Body = Buffer.concat(chunks)
  const input = { ...at.target, UploadId: uploadId, PartNumber: partNumber, Body, ...checksumInput(checksum) }
  const answer = await call(at, { doing: 'write a part of', uploadId, bytes: sizeBytes }, ({ signal }) =>
    at.bucket.client.send(new UploadPartCommand(input), { abortSignal: signal }),
  )
  const kept = checksumOf(answer) ?? checksum
  return {
    partNumber,
    etag: answer.ETag ?? '',
    sizeBytes,
    lastModifiedMs: at.bucket.clock.nowMs(),
    ...(kept && { checksum: { algorithm: kept.algorithm, value: kept.value } }),
  }
}

export async function copyPart(
  at: BlobTarget,
  { uploadId, partNumber }: { uploadId: string; partNumber: number },
  source: BlobSource & { range?: BlobRange },
  copySource: string,
): Promise<CopyPartResult> {
  checkPartNumber(partNumber)
  const { range } = source
  if (range !== undefined && ('lastBytes' in range || range.length === undefined))
    throw invalid('bad-range', 'A part is copied from a range with an offset and a length.', { field: 'range' })
  const input = {
    ...at.target,
    UploadId: uploadId,
    PartNumber: partNumber,
    CopySource: copySource,
    ...sourceInput(source),
    ...(range && { CopySourceRange: `bytes=${range.offset}-${range.offset + (range.length ?? 0) - 1}` }),
  }
  const answer = await call(at, { doing: 'copy a part to' }, async ({ signal }) => {
    try {
      return await at.bucket.client.send(new UploadPartCopyCommand(input), { abortSignal: signal })
    } catch (error) {
      if (codeOf(error) === 'NoSuchUpload') throw noSuchUpload(uploadId)
      if (statusOf(error) === 404 && codeOf(error) !== 'NoSuchBucket') return { status: 'source-not-found' as const }
      if (statusOf(error) === 412) return { status: 'source-mismatch' as const }
      if (statusOf(error) === 416 || codeOf(error) === 'InvalidRange') return { status: 'bad-range' as const }
      throw error
    }
  })
  if ('status' in answer) return answer
  const part = partOf({
    ...answer.CopyPartResult,
    PartNumber: partNumber,
    Size: range && 'length' in range ? range.length : undefined,
  })
  return { status: 'ok', part }
}

export async function listParts(
  at: BlobTarget,
  uploadId: string,
  { after, limit }: { after?: number; limit?: number },
): Promise<{ upload: UploadInfo; parts: PartInfo[]; next?: number }> {
  const input = {
    ...at.target,
    UploadId: uploadId,
    MaxParts: pageLimit(limit),
    ...(after !== undefined && { PartNumberMarker: String(after) }),
  }
  const answer = await call(at, { doing: 'list the parts of', uploadId }, ({ signal }) =>
    at.bucket.client.send(new ListPartsCommand(input), { abortSignal: signal }),
  )
  const parts = (answer.Parts ?? []).map(partOf)
  const last = parts.at(-1)
  const checksum = uploadChecksum(answer.ChecksumAlgorithm, answer.ChecksumType)
  return {
    upload: { key: at.key, uploadId, startedMs: 0, ...(checksum && { checksum }) },
    parts,
    ...(answer.IsTruncated === true && last && { next: last.partNumber }),
  }
}

function uploadChecksum(algorithm: string | undefined, type: string | undefined): UploadInfo['checksum'] {
  if (algorithm === undefined || algorithm === '') return undefined
  const known = algorithm as ChecksumAlgorithm
  return { algorithm: known, type: (type as ChecksumType | undefined) ?? defaultChecksumType(known) }
}

export async function completeUpload(
  at: BlobTarget,
  uploadId: string,
  chosen: readonly ChosenPart[],
  options: CompleteUploadOptions,
) {
  // Servers tell a missing, small or unordered part in different ways, and some not at all.
  const there = new Map<number, { info: PartInfo }>()
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: { parts: PartInfo[]; next?: number } = await listParts(at, uploadId, { after })
    for (const info of page.parts) {
      // A server that lists no checksums may still want those of the parts.
      const checksum = info.checksum ?? sumOf(chosen, info.partNumber)
      there.set(info.partNumber, { info: { ...info, ...(checksum && { checksum }) } })
    }
    after = page.next
  }
  const parts = chosenParts(chosen, there).map(({ info }) => ({
    PartNumber: info.partNumber,
    ETag: info.etag,
    ...checksumInput(info.checksum),
  }))
  const isConditional = options.ifAbsent === true || options.ifMatch !== undefined
  const input = { ...at.target, UploadId: uploadId, MultipartUpload: { Parts: parts }, ...conditionInput(options) }
  const calling = { doing: 'complete', uploadId, changes: true, ...(isConditional && { attempts: 1 }) }
  return call(at, calling, async ({ signal }) => {
    try {
      return await at.bucket.client.send(new CompleteMultipartUploadCommand(input), { abortSignal: signal })
    } catch (error) {
      return writeRefusal(error, options)
    }
  })
}

/** The checksum of a part as `putPart` returned it. */
function sumOf(chosen: readonly ChosenPart[], partNumber: number) {
  const { checksum } = chosen.find((one) => one.partNumber === partNumber) ?? {}
  return typeof checksum === 'object' && 'algorithm' in checksum
    ? (checksum as { algorithm: ChecksumAlgorithm; value: string })
    : undefined
}

export async function abortUpload(at: BlobTarget, uploadId: string): Promise<void> {
  await call(at, { doing: 'abort the upload of', uploadId }, ({ signal }) =>
    at.bucket.client.send(new AbortMultipartUploadCommand({ ...at.target, UploadId: uploadId }), {
      abortSignal: signal,
    }),
  )
}

export async function listUploads(
  bucket: S3Bucket,
  { prefix = '', after, limit }: NonNullable<Parameters<BlobStore['listUploads']>[0]>,
): Promise<{ uploads: UploadInfo[]; next?: { key: string; uploadId: string } }> {
  const root = bucket.place.prefix
  const input = {
    Bucket: bucket.place.bucket,
    Prefix: root + prefix,
    MaxUploads: pageLimit(limit),
    ...(after && {
      KeyMarker: root + after.key,
      ...(after.uploadId !== undefined && { UploadIdMarker: after.uploadId }),
    }),
  }
  const answer = await bucket.requests.call({ doing: `list the uploads of ${s3Url(bucket)}` }, ({ signal }) =>
    bucket.client.send(new ListMultipartUploadsCommand(input), { abortSignal: signal }),
  )
  const uploads = (answer.Uploads ?? []).map((upload) => {
    const checksum = uploadChecksum(upload.ChecksumAlgorithm, upload.ChecksumType)
    return {
      key: (upload.Key ?? '').slice(root.length),
      uploadId: upload.UploadId ?? '',
      startedMs: upload.Initiated?.getTime() ?? 0,
      ...(checksum && { checksum }),
    }
  })
  const last = uploads.at(-1)
  return { uploads, ...(answer.IsTruncated === true && last && { next: { key: last.key, uploadId: last.uploadId } }) }
}

/** The parts of a completed object. S3 lists them only where each has a checksum. */
export async function objectParts(
  at: BlobTarget,
  { versionId, after, limit }: { versionId?: string; after?: number; limit: number },
): Promise<{ parts: BlobPart[]; next?: number }> {
  const input = {
    ...at.target,
    ObjectAttributes: ['ObjectParts' as const],
    MaxParts: limit,
    ...(versionId !== undefined && { VersionId: versionId }),
    ...(after !== undefined && { PartNumberMarker: String(after) }),
  }
  const { ObjectParts } = await call(at, { doing: 'read the parts of' }, ({ signal }) =>
    at.bucket.client.send(new GetObjectAttributesCommand(input), { abortSignal: signal }).catch((error: unknown) => {
      throw statusOf(error) === 404 && codeOf(error) !== 'NoSuchBucket' ? noSuchBlob(at.key) : error
    }),
  )
  const parts = (ObjectParts?.Parts ?? []).map(partOf).map(({ partNumber, sizeBytes, checksum }) => ({
    partNumber,
    sizeBytes,
    ...(checksum && { checksum }),
  }))
  const last = parts.at(-1)
  return { parts, ...(ObjectParts?.IsTruncated === true && last && { next: last.partNumber }) }
}
