import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { invalid } from '../../errors.ts'
import { bucketKey, type S3Bucket } from './s3-bucket.ts'

export interface PresignOptions {
  method: 'get' | 'put'
  /** 1 s to 7 days; less if the credentials expire earlier. */
  expiresInMs: number
  /** For a put: the client must send exactly this header. */
  contentType?: string
  /** For a put: the exact number of bytes. */
  sizeBytes?: number
  /** For a put: create only; the client must send `If-None-Match: *`. */
  ifAbsent?: true
  /** For a get: the name under which a browser saves the file. */
  contentDisposition?: string
}

const WEEK_S = 7 * 24 * 3600

/**
 * Signs locally, without a request.
 * @throws SiltstoneError `invalid` (bad-key, bad-expiry)
 */
export async function presignObject(bucket: S3Bucket, key: string, options: PresignOptions): Promise<string> {
  const expiresIn = Math.floor(options.expiresInMs / 1_000)
  if (!(expiresIn >= 1 && expiresIn <= WEEK_S))
    throw invalid('bad-expiry', `A signed URL lasts 1 second to 7 days, not ${options.expiresInMs} ms.`, {
      field: 'expiresInMs',
    })
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner')
  const target = { Bucket: bucket.place.bucket, Key: bucketKey(bucket, key) }
  if (options.method === 'get') {
    const { contentDisposition } = options
    const input = {
      ...target,
      ...(contentDisposition !== undefined && { ResponseContentDisposition: contentDisposition }),
    }
    return getSignedUrl(bucket.client, new GetObjectCommand(input), { expiresIn })
  }
  const { contentType, sizeBytes, ifAbsent } = options
  const input = {
    ...target,
    ...(contentType !== undefined && { ContentType: contentType }),
    ...(sizeBytes !== undefined && { ContentLength: sizeBytes }),
    ...(ifAbsent === true && { IfNoneMatch: '*' }),
  }
  // Headers must be part of the signature: as query parameters they would not bind the client.
  const signed = new Set(['content-type', 'content-length', 'if-none-match'])
  return getSignedUrl(bucket.client, new PutObjectCommand(input), {
    expiresIn,
    signableHeaders: signed,
    unhoistableHeaders: signed,
  })
}
