import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { invalid } from '../../errors.ts'
import { bucketKey, type S3Bucket } from './s3-bucket.ts'

export interface PresignOptions {
  method: 'get' | 'put'
  /** 1 s to 7 days; shorter where the credentials end before. */
  expiresInMs: number
  /** Of a put: the client must send exactly this header. */
  contentType?: string
  /** Of a put: the exact number of bytes. */
  sizeBytes?: number
  /** Of a put: create only; the client must send `If-None-Match: *`. */
  ifAbsent?: true
  /** Of a get: what the browser calls the file that it saves. */
  contentDisposition?: string
}

const WEEK_S = 7 * 24 * 3600

/**
 * Signed here, no request is made.
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
  // Headers are part of the signature; left in the query they would bind nobody.
  const signed = new Set(['content-type', 'content-length', 'if-none-match'])
  return getSignedUrl(bucket.client, new PutObjectCommand(input), {
    expiresIn,
    signableHeaders: signed,
    unhoistableHeaders: signed,
  })
}
