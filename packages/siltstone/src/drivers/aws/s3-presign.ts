/**
 * Signed URLs and forms. They are made locally, without a request, by a client that adds no checksum by itself: the
 * default of the SDK would put the checksum of an empty body into the URL, and S3 would refuse every real one. An upload
 * always has a limit: a PUT is signed for one size, a form for a range of sizes.
 */
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { type PostForm, type PostLimits, signedPost } from '../../host/aws-signature.ts'
import { invalid, unavailable } from '../../errors.ts'
import type { S3Bucket } from './s3-bucket.ts'

interface Lasting {
  /** 1 s to 7 days; less if the credentials expire earlier. */
  expiresInMs: number
}

export interface PresignGet extends Lasting {
  method: 'get'
  /** The name under which a browser saves the file. */
  contentDisposition?: string
}

export interface PresignPut extends Lasting {
  method: 'put'
  /** The exact number of bytes. */
  sizeBytes: number
  /** The client must send exactly this header. */
  contentType?: string
  /** Base64 of the SHA-256 of the bytes; the client must send it as `x-amz-checksum-sha256`. */
  sha256?: string
  /** Base64 of the CRC-64/NVME of the bytes; the client must send it as `x-amz-checksum-crc64nvme`. */
  crc64nvme?: string
  /** Part of the URL, so that the client cannot change it. */
  metadata?: Readonly<Record<string, string>>
  /** Create only; the client must send `If-None-Match: *`. */
  ifAbsent?: true
}

export type PresignOptions = PresignGet | PresignPut

export interface PresignPostOptions extends Lasting, PostLimits {}

const WEEK_S = 7 * 24 * 3600

/**
 * @param key in the bucket, with the prefix of the place
 * @throws SiltstoneError `invalid` (bad-expiry, no-size)
 */
export async function presignObject(bucket: S3Bucket, key: string, options: PresignOptions): Promise<string> {
  const expiresIn = expirySeconds(options.expiresInMs)
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner')
  const target = { Bucket: bucket.place.bucket, Key: key }
  if (options.method === 'get') {
    const { contentDisposition } = options
    const input = {
      ...target,
      ...(contentDisposition !== undefined && { ResponseContentDisposition: contentDisposition }),
    }
    return getSignedUrl(bucket.presigner(), new GetObjectCommand(input), { expiresIn })
  }
  const { contentType, sizeBytes, sha256, crc64nvme, metadata, ifAbsent } = options
  // Also for callers without types.
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
    throw invalid(
      'no-size',
      `A signed PUT needs the exact number of bytes, not ${sizeBytes}; for "up to" use a form (presignPost).`,
      { field: 'sizeBytes' },
    )
  const input = {
    ...target,
    ContentLength: sizeBytes,
    ...(contentType !== undefined && { ContentType: contentType }),
    ...(sha256 !== undefined && { ChecksumSHA256: sha256 }),
    ...(crc64nvme !== undefined && { ChecksumCRC64NVME: crc64nvme }),
    ...(metadata !== undefined && { Metadata: { ...metadata } }),
    ...(ifAbsent === true && { IfNoneMatch: '*' }),
  }
  // Headers must be part of the signature: as query parameters they would not bind the client.
  const signed = new Set(['content-length', 'if-none-match', 'x-amz-checksum-sha256', 'x-amz-checksum-crc64nvme'])
  // The SDK adds a type of its own, which the client of a URL for any type would have to guess.
  if (contentType !== undefined) signed.add('content-type')
  return getSignedUrl(bucket.presigner(), new PutObjectCommand(input), {
    expiresIn,
    signableHeaders: signed,
    unhoistableHeaders: signed,
  })
}

/**
 * @param key as for `presignObject`; `${filename}` stands for the name of the file
 * @throws SiltstoneError `invalid` (bad-expiry, no-size), `unavailable` (access-denied)
 */
export async function presignPost(
  bucket: S3Bucket,
  key: string,
  { expiresInMs, ...limits }: PresignPostOptions,
): Promise<PostForm> {
  expirySeconds(expiresInMs)
  const { minBytes, maxBytes } = limits
  if (!(Number.isSafeInteger(maxBytes) && minBytes >= 0 && maxBytes >= minBytes))
    throw invalid('no-size', `A form needs 0 ≤ minBytes ≤ maxBytes, not ${minBytes} and ${maxBytes}.`, {
      field: 'maxBytes',
    })
  const client = bucket.presigner()
  const url = new URL(await presignObject(bucket, 'x', { method: 'get', expiresInMs: 1_000 }))
  try {
    const [credentials, region] = await Promise.all([client.config.credentials(), client.config.region()])
    const place = {
      url: url.origin + url.pathname.slice(0, -1),
      bucket: bucket.place.bucket,
      key,
      region,
      credentials,
    }
    return signedPost(place, limits, bucket.clock.nowMs(), expiresInMs)
  } catch (cause) {
    throw unavailable(
      'access-denied',
      'There are no AWS credentials to sign with. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role.',
      { cause },
    )
  }
}

/** @throws SiltstoneError `invalid` (bad-expiry) */
export function expirySeconds(expiresInMs: number): number {
  const expiresIn = Math.floor(expiresInMs / 1_000)
  if (expiresIn >= 1 && expiresIn <= WEEK_S) return expiresIn
  throw invalid('bad-expiry', `A signed URL lasts 1 second to 7 days, not ${expiresInMs} ms.`, { field: 'expiresInMs' })
}
