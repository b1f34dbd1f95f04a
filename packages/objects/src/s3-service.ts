/**
 * The object service in the shape of a Python class that many projects have: results instead of exceptions for uploads and
 * downloads, settings from the environment.
 *
 * | variable             | setting                                          |
 * |----------------------|--------------------------------------------------|
 * | `AWS_REGION`         | of the bucket                                    |
 * | `AWS_S3_BUCKET_NAME` | the bucket; needed                               |
 * | `AWS_SQS_QUEUE_URL`  | the queue that is told of uploads; kept for callers |
 * | `AWS_PROFILE`        | the profile of the shared configuration; the SDK reads it |
 */
import { environmentVariables, invalid, isSiltstoneError } from 'siltstone/internal'
import { Objects } from './objects.ts'
import { openObjects } from './open-objects.ts'

export interface S3ServiceSettings {
  awsRegion?: string
  awsS3BucketName: string
  awsSqsQueueUrl?: string
  awsProfile?: string
}

export interface S3UploadResult {
  success: boolean
  /** `s3://bucket/key` */
  s3Path: string
  bucket: string
  key: string
  /** Bytes; 0 if it failed. */
  fileSize: number
  etag?: string
  error?: string
}

export interface S3FileMetadata {
  /** Bytes. */
  size: number
  lastModified: Date
  etag: string
  contentType?: string
  metadata: Readonly<Record<string, string>>
}

/** @throws SiltstoneError `invalid` (no-bucket) without `AWS_S3_BUCKET_NAME` */
export function s3ServiceSettings(variables = environmentVariables()): S3ServiceSettings {
  const { AWS_REGION, AWS_S3_BUCKET_NAME, AWS_SQS_QUEUE_URL, AWS_PROFILE } = variables
  return {
    awsS3BucketName: requireBucket(AWS_S3_BUCKET_NAME),
    ...(AWS_REGION && { awsRegion: AWS_REGION }),
    ...(AWS_SQS_QUEUE_URL && { awsSqsQueueUrl: AWS_SQS_QUEUE_URL }),
    ...(AWS_PROFILE && { awsProfile: AWS_PROFILE }),
  }
}

function requireBucket(name: string | undefined): string {
  if (name !== undefined && name !== '') return name
  throw invalid('no-bucket', 'No bucket is configured: set AWS_S3_BUCKET_NAME, or awsS3BucketName.', {
    field: 'awsS3BucketName',
  })
}

export type SignedUrlOptions =
  | { method?: 'GET'; expiresInS?: number }
  /** The exact number of bytes: no upload is signed without a limit. */
  | { method: 'PUT'; sizeBytes: number; contentType?: string; expiresInS?: number }

export class S3Service {
  readonly settings: S3ServiceSettings
  #opening: Promise<Objects> | undefined

  /**
   * Makes no request.
   * @param objects instead of the bucket of the settings, for tests
   * @throws SiltstoneError `invalid` (no-bucket)
   */
  constructor(settings: S3ServiceSettings = s3ServiceSettings(), objects?: Objects) {
    requireBucket(settings.awsS3BucketName)
    this.settings = settings
    if (objects) this.#opening = Promise.resolve(objects)
  }

  /** Never throws: a failure is in the result. */
  async uploadFile(
    filePath: string,
    key: string,
    options: { metadata?: Readonly<Record<string, string>>; contentType?: string } = {},
  ): Promise<S3UploadResult> {
    const bucket = this.settings.awsS3BucketName
    const place = { s3Path: `s3://${bucket}/${key}`, bucket, key }
    try {
      const objects = await this.#objects()
      const { sizeBytes, etag } = await objects.put(key, { file: filePath }, options)
      return { success: true, ...place, fileSize: sizeBytes, etag }
    } catch (error) {
      return { success: false, ...place, fileSize: 0, error: error instanceof Error ? error.message : String(error) }
    }
  }

  /** Makes the folders above the file. @returns false if there is no such object or it could not be written */
  async downloadFile(key: string, filePath: string): Promise<boolean> {
    try {
      await (await this.#objects()).download(key, filePath)
      return true
    } catch (error) {
      if (isSiltstoneError(error) || (error instanceof Error && 'syscall' in error)) return false
      throw error
    }
  }

  /** For one hour by default. @throws SiltstoneError `invalid` (bad-expiry, no-size) */
  async generatePresignedUrl(key: string, options: SignedUrlOptions = {}): Promise<string> {
    const expiresInMs = (options.expiresInS ?? 3_600) * 1_000
    const objects = await this.#objects()
    if (options.method !== 'PUT') return (await objects.presign({ method: 'get', key, expiresInMs })).url
    const { sizeBytes, contentType } = options
    const request = {
      method: 'put' as const,
      key,
      expiresInMs,
      sizeBytes,
      ...(contentType !== undefined && { contentType }),
    }
    return (await objects.presign(request)).url
  }

  /** True when the object certainly no longer exists. */
  async deleteFile(key: string): Promise<boolean> {
    await (await this.#objects()).delete(key)
    return true
  }

  async fileExists(key: string): Promise<boolean> {
    return (await this.#objects()).exists(key)
  }

  /** Undefined if there is no such object. */
  async getFileMetadata(key: string): Promise<S3FileMetadata | undefined> {
    const found = await (await this.#objects()).head(key)
    if (found === undefined) return undefined
    const { sizeBytes, lastModifiedMs, etag, head } = found
    return {
      size: sizeBytes,
      lastModified: new Date(lastModifiedMs),
      etag,
      metadata: head.metadata ?? {},
      ...(head.contentType !== undefined && { contentType: head.contentType }),
    }
  }

  /** The keys below a prefix in byte order: all of them, not only the first thousand. */
  async listFiles(prefix = ''): Promise<string[]> {
    const keys: string[] = []
    for await (const { key } of (await this.#objects()).list(prefix)) keys.push(key)
    return keys
  }

  async close(): Promise<void> {
    await (await this.#opening)?.close()
  }

  #objects(): Promise<Objects> {
    const { awsS3BucketName, awsRegion } = this.settings
    const region = awsRegion === undefined ? '' : `?region=${encodeURIComponent(awsRegion)}`
    return (this.#opening ??= openObjects(`s3://${awsS3BucketName}${region}`))
  }
}
