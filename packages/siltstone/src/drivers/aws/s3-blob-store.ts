/**
 * The blob port on a bucket of S3, below the place's prefix. ETags, checksums, versions and tags are the bucket's own.
 *
 * A body is read into parts of 8 MiB and more, at most four at once: one request if that was all, an upload in parts
 * otherwise. What is expected of the body is compared before the last request makes it visible; an upload that fails is
 * aborted. A conditional write is sent once: after a broken answer it is unknown whether its own first attempt is what
 * refuses the second, so its error is `unknown`.
 */
import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3'
import type { PostForm } from '../../host/aws-signature.ts'
import { BodyCheck, chunksOf } from '../../host/blob-checksum.ts'
import { checkBlobKey, checkHead, checkTags, MAX_BLOB_BYTES, noSuchBlob, pageLimit } from '../../ports/blob-rules.ts'
import type {
  BlobBody,
  BlobInfo,
  BlobMiss,
  BlobPage,
  BlobRange,
  BlobSource,
  BlobStore,
  BlobTags,
  ChosenPart,
  CompleteUploadOptions,
  CopyBlobOptions,
  CopyBlobResult,
  CopyPartResult,
  DeleteBlobOptions,
  DeleteBlobResult,
  ExpectedBytes,
  GetBlobOptions,
  GetBlobResult,
  HeadBlobResult,
  ListBlobsOptions,
  ListVersionsOptions,
  PartInfo,
  PutBlobOptions,
  PutBlobResult,
  UploadInfo,
  UploadOptions,
  VersionPage,
  Versioning,
} from '../../ports/blob-store.ts'
import { codeOf, statusOf } from './failure.ts'
import type { Deadline } from './aws-requests.ts'
import { type S3Bucket, s3Url } from './s3-bucket.ts'
import { copyObject, copySource } from './s3-blob-copy.ts'
import { listBlobs, listVersions } from './s3-blob-lists.ts'
import {
  abortUpload,
  type BlobTarget,
  completeUpload,
  copyPart,
  createUpload,
  listParts,
  listUploads,
  objectParts,
  putPart,
} from './s3-blob-upload.ts'
import {
  blobOf,
  checksumInput,
  conditionInput,
  headInput,
  okOf,
  rangeInput,
  readInput,
  readMiss,
  tagInput,
  writeRefusal,
} from './s3-blob-values.ts'
import { type PresignOptions, presignObject, presignPost, type PresignPostOptions } from './s3-presign.ts'
import { inParts, putInParts } from './s3-blob-parts.ts'

export class S3BlobStore implements BlobStore {
  readonly description: string
  readonly #bucket: S3Bucket

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket
    this.description = s3Url(bucket).replace(/\/$/, '')
  }

  async put(key: string, body: BlobBody, options: PutBlobOptions = {}): Promise<PutBlobResult> {
    const { head = {}, tags } = options
    checkBlobKey(key)
    checkHead(head)
    if (tags) checkTags(tags)
    const check = new BodyCheck(options, MAX_BLOB_BYTES)
    const parts = inParts(chunksOf(body), check)
    const first = await parts.next()
    const bytes = first.done === true ? new Uint8Array(0) : first.value
    const second = await parts.next()
    if (second.done !== true)
      return putInParts(this, key, options, {
        started: [bytes, second.value],
        rest: parts,
        check,
        log: this.#bucket.log,
      })
    const { checksum } = check.finish()
    const input = {
      ...this.#target(key),
      // The SDK treats an empty view as a stream of unknown length.
      Body: bytes.length === 0 ? Buffer.alloc(0) : bytes,
      ...headInput(head),
      ...tagInput(tags),
      ...conditionInput(options),
      ...checksumInput(checksum),
    }
    const isConditional = options.ifAbsent === true || options.ifMatch !== undefined
    const refused = await this.#call(
      'write',
      key,
      { changes: true, bytes: bytes.length, ...(isConditional && { attempts: 1 }) },
      async ({ signal }) => {
        try {
          return await this.#bucket.client.send(new PutObjectCommand(input), { abortSignal: signal })
        } catch (error) {
          return writeRefusal(error, options)
        }
      },
    )
    if ('status' in refused) return refused
    return this.#written(key, refused.VersionId, refused.ETag)
  }

  async get(key: string, options: GetBlobOptions = {}): Promise<GetBlobResult> {
    checkBlobKey(key)
    const input = {
      ...this.#target(key),
      ...this.#version(options),
      ...readInput(options),
      ...rangeInput(options.range),
      ...(options.partNumber !== undefined && { PartNumber: options.partNumber }),
    }
    const answer = await this.#call('read', key, {}, async ({ signal }) => {
      try {
        return await this.#bucket.client.send(new GetObjectCommand({ ...input, ChecksumMode: 'ENABLED' }), {
          abortSignal: signal,
        })
      } catch (error) {
        if (statusOf(error) === 416) return 'bad-range'
        return readMiss(error, options, this.#bucket.place.bucket)
      }
    })
    if (answer === 'bad-range') {
      const head = await this.head(
        key,
        this.#version(options).VersionId === undefined ? {} : { versionId: options.versionId as string },
      )
      return head.status === 'ok' ? { status: 'bad-range', sizeBytes: head.blob.sizeBytes } : head
    }
    if ('status' in answer) return this.#found(answer, key, options)
    return okOf(key, answer)
  }

  async head(key: string, options: Omit<GetBlobOptions, 'range' | 'partNumber'> = {}): Promise<HeadBlobResult> {
    checkBlobKey(key)
    const input = {
      ...this.#target(key),
      ...this.#version(options),
      ...readInput(options),
      ChecksumMode: 'ENABLED' as const,
    }
    const answer = await this.#call('read', key, {}, async ({ signal }) => {
      try {
        return await this.#bucket.client.send(new HeadObjectCommand(input), { abortSignal: signal })
      } catch (error) {
        return readMiss(error, options, this.#bucket.place.bucket)
      }
    })
    if ('status' in answer) return this.#found(answer, key, options)
    return { status: 'ok', blob: blobOf(key, answer, answer.ContentLength ?? 0) }
  }

  async parts(key: string, options: { versionId?: string; after?: number; limit?: number } = {}) {
    checkBlobKey(key)
    return objectParts(this.#at(key), { ...options, limit: pageLimit(options.limit) })
  }

  list(options: ListBlobsOptions = {}): Promise<BlobPage> {
    return listBlobs(this.#bucket, options)
  }

  listVersions(options: ListVersionsOptions = {}): Promise<VersionPage> {
    return listVersions(this.#bucket, options)
  }

  async delete(key: string, options: DeleteBlobOptions = {}): Promise<DeleteBlobResult> {
    checkBlobKey(key)
    const { ifMatch } = options
    const input = {
      ...this.#target(key),
      ...this.#version(options),
      ...(ifMatch !== undefined && { IfMatch: ifMatch }),
    }
    const answer = await this.#call('delete', key, { changes: true }, async ({ signal }) => {
      try {
        return await this.#bucket.client.send(new DeleteObjectCommand(input), { abortSignal: signal })
      } catch (error) {
        if (statusOf(error) === 412) return 'mismatch'
        if (statusOf(error) === 404 && codeOf(error) !== 'NoSuchBucket') return {}
        throw error
      }
    })
    if (answer === 'mismatch') return { status: 'mismatch' }
    const { VersionId, DeleteMarker } = answer as { VersionId?: string; DeleteMarker?: boolean }
    return {
      status: 'ok',
      ...(VersionId !== undefined && { versionId: VersionId }),
      ...(DeleteMarker === true && { isDeleteMarker: true }),
    }
  }

  async copy(source: BlobSource, key: string, options: CopyBlobOptions = {}): Promise<CopyBlobResult> {
    checkBlobKey(key)
    checkBlobKey(source.key)
    if (options.head) checkHead(options.head)
    if (options.tags) checkTags(options.tags)
    const answer = await copyObject(this.#at(key), source, options)
    return 'status' in answer ? answer : this.#written(key, answer.VersionId, undefined)
  }

  async tags(key: string, versionId?: string): Promise<BlobTags> {
    checkBlobKey(key)
    const input = { ...this.#target(key), ...this.#version({ versionId }) }
    const { TagSet = [] } = await this.#call('read the tags of', key, {}, ({ signal }) =>
      this.#bucket.client.send(new GetObjectTaggingCommand(input), { abortSignal: signal }).catch((error: unknown) => {
        throw this.#absent(error, key)
      }),
    )
    return Object.fromEntries(TagSet.map(({ Key = '', Value = '' }) => [Key, Value]))
  }

  async setTags(key: string, tags: BlobTags, versionId?: string): Promise<void> {
    checkBlobKey(key)
    checkTags(tags)
    const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
    const input = { ...this.#target(key), ...this.#version({ versionId }), Tagging: { TagSet } }
    await this.#call('tag', key, { changes: true }, ({ signal }) =>
      this.#bucket.client.send(new PutObjectTaggingCommand(input), { abortSignal: signal }).catch((error: unknown) => {
        throw this.#absent(error, key)
      }),
    )
  }

  async createUpload(key: string, options: UploadOptions = {}): Promise<UploadInfo> {
    checkBlobKey(key)
    if (options.head) checkHead(options.head)
    if (options.tags) checkTags(options.tags)
    return createUpload(this.#at(key), options)
  }

  putPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: BlobBody,
    expected: ExpectedBytes = {},
  ): Promise<PartInfo> {
    return putPart(this.#at(key), { uploadId, partNumber }, body, expected)
  }

  copyPart(
    key: string,
    uploadId: string,
    partNumber: number,
    source: BlobSource & { range?: BlobRange },
  ): Promise<CopyPartResult> {
    return copyPart(this.#at(key), { uploadId, partNumber }, source, copySource(this.#bucket, source))
  }

  listParts(key: string, uploadId: string, options: { after?: number; limit?: number } = {}) {
    return listParts(this.#at(key), uploadId, options)
  }

  async completeUpload(
    key: string,
    uploadId: string,
    parts: readonly ChosenPart[],
    options: CompleteUploadOptions = {},
  ): Promise<PutBlobResult> {
    const done = await completeUpload(this.#at(key), uploadId, parts, options)
    return 'status' in done ? done : this.#written(key, done.VersionId, undefined)
  }

  abortUpload(key: string, uploadId: string): Promise<void> {
    return abortUpload(this.#at(key), uploadId)
  }

  listUploads(options: Parameters<BlobStore['listUploads']>[0] = {}) {
    return listUploads(this.#bucket, options)
  }

  async versioning(): Promise<Versioning> {
    const { Status } = await this.#call('read the versioning of', '', {}, ({ signal }) =>
      this.#bucket.client.send(new GetBucketVersioningCommand({ Bucket: this.#bucket.place.bucket }), {
        abortSignal: signal,
      }),
    )
    return Status === 'Enabled' ? 'enabled' : Status === 'Suspended' ? 'suspended' : 'off'
  }

  async setVersioning(versioning: Exclude<Versioning, 'off'>): Promise<void> {
    const input = {
      Bucket: this.#bucket.place.bucket,
      VersioningConfiguration: { Status: versioning === 'enabled' ? ('Enabled' as const) : ('Suspended' as const) },
    }
    await this.#call('set the versioning of', '', { changes: true }, ({ signal }) =>
      this.#bucket.client.send(new PutBucketVersioningCommand(input), { abortSignal: signal }),
    )
  }

  /** A URL that allows its holder to read or write this object for a limited time. */
  async presign(key: string, options: PresignOptions): Promise<string> {
    checkBlobKey(key)
    return presignObject(this.#bucket, this.#target(key).Key, options)
  }

  /** A form with which a browser may upload one file within limits. */
  async presignPost(key: string, options: PresignPostOptions): Promise<PostForm> {
    checkBlobKey(key)
    return presignPost(this.#bucket, this.#target(key).Key, options)
  }

  close(): void {
    this.#bucket.client.destroy()
  }

  /** What was written, as the bucket tells it. */
  async #written(key: string, versionId: string | undefined, etag: string | undefined): Promise<PutBlobResult> {
    const found = await this.head(key, versionId === undefined || versionId === 'null' ? {} : { versionId })
    if (found.status === 'ok') return { status: 'ok', blob: { ...found.blob, ...(etag !== undefined && { etag }) } }
    // Somebody deleted it since; it was written.
    const gone: BlobInfo = { key, etag: etag ?? '', sizeBytes: 0, lastModifiedMs: 0, head: {}, tagCount: 0 }
    return { status: 'ok', blob: gone }
  }

  async #found(
    miss: BlobMiss | { status: 'unmodified' },
    key: string,
    { versionId }: GetBlobOptions,
  ): Promise<BlobMiss> {
    if (miss.status !== 'unmodified') return miss
    const now = await this.head(key, versionId === undefined ? {} : { versionId })
    return now.status === 'ok' ? { status: 'not-modified', blob: now.blob } : now
  }

  #absent(error: unknown, key: string): unknown {
    return statusOf(error) === 404 && codeOf(error) !== 'NoSuchBucket' ? noSuchBlob(key) : error
  }

  #target(key: string) {
    const { bucket, prefix } = this.#bucket.place
    return { Bucket: bucket, Key: prefix + key }
  }

  #at(key: string): BlobTarget {
    return { bucket: this.#bucket, key, target: this.#target(key) }
  }

  #version({ versionId }: { versionId?: string | undefined }) {
    return versionId === undefined ? {} : { VersionId: versionId }
  }

  #call<T>(
    doing: string,
    key: string,
    options: { changes?: boolean; bytes?: number; attempts?: number },
    work: (deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    return this.#bucket.requests.call({ doing: `${doing} ${s3Url(this.#bucket, key)}`, key, ...options }, work)
  }
}
