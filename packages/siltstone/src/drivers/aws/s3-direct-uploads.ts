/** Uploads that clients send to S3 themselves, and copies within S3. */
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { invalid, unavailable } from '../../errors.ts'
import type {
  DirectParts,
  DirectPartsOptions,
  DirectPut,
  DirectPutOptions,
  DirectUploads,
} from '../../ports/direct-uploads.ts'
import type { Deadline } from './aws-requests.ts'
import { codeOf, statusOf } from './failure.ts'
import { copySource } from './s3-blob-copy.ts'
import { bucketKey, type S3Bucket, s3Url } from './s3-bucket.ts'
import { expirySeconds, presignObject } from './s3-presign.ts'

/** S3 copies parts beside each other, each at its own pace. */
const COPIED_PART_BYTES = 256 * 1024 * 1024
const COPIED_AT_ONCE = 8
/** S3 may take minutes to join many parts. */
const JOIN_MS = 180_000
const WRONG_PARTS = new Set(['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall'])

interface Target {
  Bucket: string
  Key: string
}

export class S3DirectUploads implements DirectUploads {
  readonly #bucket: S3Bucket

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket
  }

  async presignPut(key: string, { sizeBytes, expiresInMs, crc64nvme }: DirectPutOptions): Promise<DirectPut> {
    const options = { method: 'put', sizeBytes, expiresInMs, ifAbsent: true } as const
    const url = await presignObject(this.#bucket, bucketKey(this.#bucket, key), {
      ...options,
      ...(crc64nvme !== undefined && { crc64nvme }),
    })
    return {
      url,
      headers: { 'if-none-match': '*', ...(crc64nvme !== undefined && { 'x-amz-checksum-crc64nvme': crc64nvme }) },
    }
  }

  async begin(key: string, { partSizesBytes, expiresInMs }: DirectPartsOptions): Promise<DirectParts> {
    const expiresIn = expirySeconds(expiresInMs)
    const target = this.#target(key)
    const uploadId = await this.#create(key, target)
    const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner')
    const signed = new Set(['content-length'])
    const urls = partSizesBytes.map((ContentLength, at) =>
      getSignedUrl(
        this.#bucket.presigner(),
        new UploadPartCommand({ ...target, UploadId: uploadId, PartNumber: at + 1, ContentLength }),
        { expiresIn, signableHeaders: signed, unhoistableHeaders: signed },
      ),
    )
    return { uploadId, urls: await Promise.all(urls) }
  }

  async complete(key: string, uploadId: string, etags: readonly string[]): Promise<boolean> {
    const parts = etags.map((ETag, at) => ({ ETag, PartNumber: at + 1 }))
    return this.#call('complete', key, { waitMs: JOIN_MS, changes: true }, async ({ signal }) => {
      try {
        await this.#join(this.#target(key), uploadId, parts, signal)
        return true
      } catch (error) {
        if (codeOf(error) === 'NoSuchUpload') return false
        if (!WRONG_PARTS.has(codeOf(error))) throw error
        throw invalid('upload-part', `a part is missing, too small, or another than was named: send the file again`, {
          field: 'parts',
          cause: error,
        })
      }
    })
  }

  async copyIfAbsent(from: string, to: string, sizeBytes: number): Promise<'ok' | 'exists' | 'not-found'> {
    const target = this.#target(to)
    const uploadId = await this.#create(to, target)
    const parts: CompletedPart[] = []
    const partCount = Math.max(1, Math.ceil(sizeBytes / COPIED_PART_BYTES))
    let isThere = true
    const worker = async () => {
      while (isThere && parts.length < partCount) {
        const part: CompletedPart = { PartNumber: parts.length + 1 }
        parts.push(part)
        const offset = (part.PartNumber as number) * COPIED_PART_BYTES - COPIED_PART_BYTES
        const length = Math.min(COPIED_PART_BYTES, sizeBytes - offset)
        const etag = await this.#copyPart(from, to, uploadId, part.PartNumber as number, { offset, length })
        if (etag === undefined) isThere = false
        else part.ETag = etag
      }
    }
    await Promise.all(Array.from({ length: Math.min(COPIED_AT_ONCE, partCount) }, worker))
    if (!isThere) return 'not-found'
    return this.#call('complete', to, { waitMs: JOIN_MS, changes: true }, async ({ signal }) => {
      try {
        await this.#join(target, uploadId, parts, signal, true)
        return 'ok'
      } catch (error) {
        if (statusOf(error) === 412) return 'exists'
        // An attempt without an answer may have joined them.
        if (codeOf(error) !== 'NoSuchUpload') throw error
        if (await this.#isThere(target, signal)) return 'exists'
        throw unavailable('upload-lost', `the copy to ${s3Url(this.#bucket, to)} was removed: try again`)
      }
    })
  }

  /** @returns its ETag; undefined: there is no source */
  async #copyPart(
    from: string,
    to: string,
    uploadId: string,
    partNumber: number,
    { offset, length }: { offset: number; length: number },
  ): Promise<string | undefined> {
    const input = {
      ...this.#target(to),
      UploadId: uploadId,
      PartNumber: partNumber,
      CopySource: copySource(this.#bucket, { key: from }),
      CopySourceRange: `bytes=${offset}-${offset + length - 1}`,
    }
    return this.#call('copy a part to', to, { bytes: length }, async ({ signal }) => {
      try {
        const answer = await this.#bucket.client.send(new UploadPartCopyCommand(input), { abortSignal: signal })
        return answer.CopyPartResult?.ETag ?? ''
      } catch (error) {
        const isMissing =
          statusOf(error) === 404 && codeOf(error) !== 'NoSuchUpload' && codeOf(error) !== 'NoSuchBucket'
        if (isMissing) return undefined
        throw error
      }
    })
  }

  async #create(key: string, target: Target): Promise<string> {
    const { UploadId } = await this.#call('begin to write', key, {}, ({ signal }) =>
      this.#bucket.client.send(new CreateMultipartUploadCommand(target), { abortSignal: signal }),
    )
    if (UploadId === undefined) throw invalid('aws-refused', 'the server began an upload without an id')
    return UploadId
  }

  async #join(
    target: Target,
    uploadId: string,
    parts: CompletedPart[],
    signal: AbortSignal,
    ifAbsent = false,
  ): Promise<void> {
    const input = { ...target, UploadId: uploadId, MultipartUpload: { Parts: parts } }
    await this.#bucket.client.send(
      new CompleteMultipartUploadCommand({ ...input, ...(ifAbsent && { IfNoneMatch: '*' }) }),
      { abortSignal: signal },
    )
  }

  async #isThere(target: Target, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#bucket.client.send(new HeadObjectCommand(target), { abortSignal: signal })
      return true
    } catch (error) {
      if (statusOf(error) === 404) return false
      throw error
    }
  }

  #call<T>(
    what: string,
    key: string,
    options: { waitMs?: number; bytes?: number; changes?: boolean },
    work: (deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    return this.#bucket.requests.call({ doing: `${what} ${s3Url(this.#bucket, key)}`, key, ...options }, work)
  }

  #target(key: string): Target {
    return { Bucket: this.#bucket.place.bucket, Key: bucketKey(this.#bucket, key) }
  }
}
