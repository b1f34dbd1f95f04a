/**
 * The object store on S3 and on stores that speak its API.
 *
 * What it needs of them, all of it standard in S3 since November 2024: PutObject and CompleteMultipartUpload with
 * If-None-Match: * and If-Match, atomic between clients; strong read-after-write; ListObjectsV2 in byte order with
 * StartAfter. It does not use what many lack: conditions on deletes or copies, versions, rename, append.
 *
 * ETags are returned exactly as they came, quotes included, and are not interpreted. In buckets encrypted with customer
 * keys (SSE-KMS) equal content has different ETags; no code above relies on equal ones.
 *
 * docs/reference/stores.md lists vendors and what to set for them (`s3-place.ts` has the options). `siltstone doctor` tests whether a store honours conditions,
 * since a store that ignores them looks like any other until two writers compete.
 */
import type { S3Client } from '@aws-sdk/client-s3'
import type { PostForm } from '../../host/aws-signature.ts'
import { type ClientOptions } from './client-config.ts'
import { unavailable } from '../../errors.ts'
import type { Ids } from '../../ports/ids.ts'
import type { DirectUploads } from '../../ports/direct-uploads.ts'
import {
  DISTANT_GAP_BYTES,
  type DeleteOptions,
  type DeleteResult,
  type GetOptions,
  type GetResult,
  type ListOptions,
  type ListPage,
  type ObjectInfo,
  type ObjectStore,
  type ObjectStoreCapabilities,
  type PutOptions,
  type PutResult,
  type Upload,
} from '../../ports/object-store.ts'
import { type RequestLimits, type RequestParts, Requests } from './aws-requests.ts'
import { bucketKey, type S3Bucket, s3Url } from './s3-bucket.ts'
import { s3Client } from './s3-client.ts'
import { deleteObjects } from './s3-delete.ts'
import { S3DirectUploads } from './s3-direct-uploads.ts'
import { getObject, headObject } from './s3-get.ts'
import { listObjects } from './s3-list.ts'
import type { S3Place } from './s3-place.ts'
import { type PresignOptions, presignObject, presignPost, type PresignPostOptions } from './s3-presign.ts'
import { putObject } from './s3-put.ts'
import { S3Upload } from './s3-upload.ts'

/** A larger body is sent in parts, which are repeated one by one when a connection breaks. */
const ONE_REQUEST_BYTES = 64 * 1024 * 1024

export interface S3ObjectStoreOptions extends RequestParts, Omit<ClientOptions, 'log'> {
  ids: Ids
  /** Refuse writes. */
  readOnly?: boolean
  limits?: RequestLimits
}

export class S3ObjectStore implements ObjectStore {
  readonly description: string
  readonly capabilities: ObjectStoreCapabilities = {
    atomicListPages: true,
    cheapStartAfter: true,
    isLocal: false,
    gapBytes: DISTANT_GAP_BYTES,
  }
  readonly direct: DirectUploads | undefined
  readonly #bucket: S3Bucket
  readonly #readOnly: boolean
  readonly #ownsClient: boolean

  private constructor(bucket: S3Bucket, options: { readOnly: boolean; ownsClient: boolean }) {
    this.#bucket = bucket
    this.#readOnly = options.readOnly
    this.#ownsClient = options.ownsClient
    this.direct = options.readOnly ? undefined : new S3DirectUploads(bucket)
    this.description = s3Url(bucket).replace(/\/$/, '')
  }

  /** Makes no request. */
  static open(place: S3Place, options: S3ObjectStoreOptions): S3ObjectStore {
    const { ids, log, readOnly = false } = options
    const requests = new Requests('s3', options, options.limits)
    let presigner: S3Client | undefined
    const bucket = {
      place,
      ids,
      log,
      requests,
      clock: options.clock,
      client: s3Client(place, options),
      presigner: () => (presigner ??= s3Client({ ...place, checksums: 'required' }, options)),
    }
    return new S3ObjectStore(bucket, { readOnly, ownsClient: true })
  }

  /** A store over objects of the driver itself, below a prefix that listings of this store do not show. */
  privateFolder(): S3ObjectStore {
    const { place } = this.#bucket
    const bucket = { ...this.#bucket, place: { ...place, prefix: `${place.prefix}.siltstone/` } }
    return new S3ObjectStore(bucket, { readOnly: this.#readOnly, ownsClient: false })
  }

  get(key: string, options?: GetOptions): Promise<GetResult> {
    return getObject(this.#bucket, key, options)
  }

  head(key: string): Promise<ObjectInfo | undefined> {
    return headObject(this.#bucket, key)
  }

  async put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<PutResult> {
    bucketKey(this.#bucket, key)
    this.#checkWritable()
    if (body.length <= ONE_REQUEST_BYTES || options.ifMatch !== undefined)
      return putObject(this.#bucket, key, body, options)
    const upload = new S3Upload(this.#bucket, key, options)
    try {
      await upload.write(body)
      return await upload.complete()
    } finally {
      await upload.abort()
    }
  }

  async upload(key: string, options: { ifAbsent?: true; contentType?: string } = {}): Promise<Upload> {
    bucketKey(this.#bucket, key)
    this.#checkWritable()
    return new S3Upload(this.#bucket, key, options)
  }

  async list(prefix: string, options?: ListOptions): Promise<ListPage> {
    return listObjects(this.#bucket, prefix, options)
  }

  async delete(keys: readonly string[], options?: DeleteOptions): Promise<DeleteResult> {
    this.#checkWritable()
    return deleteObjects(this.#bucket, keys, options)
  }

  /** A URL that allows its holder to read or write this object for a limited time. */
  async presign(key: string, options: PresignOptions): Promise<string> {
    return presignObject(this.#bucket, bucketKey(this.#bucket, key), options)
  }

  presignGet(key: string, { expiresInMs }: { expiresInMs: number }): Promise<string> {
    return this.presign(key, { method: 'get', expiresInMs })
  }

  /** A form with which a browser may upload one file within limits. */
  async presignPost(key: string, options: PresignPostOptions): Promise<PostForm> {
    return presignPost(this.#bucket, bucketKey(this.#bucket, key), options)
  }

  async close(): Promise<void> {
    if (this.#ownsClient) this.#bucket.client.destroy()
  }

  #checkWritable(): void {
    if (this.#readOnly) throw unavailable('read-only', `${this.description} was opened for reading only.`)
  }
}
