/** Writing one object with one request. */
import { PutObjectCommand } from '@aws-sdk/client-s3'
import type { PutOptions, PutResult } from '../../ports/object-store.ts'
import { codeOf, statusOf } from './failure.ts'
import type { Deadline } from './aws-requests.ts'
import { bucketKey, type S3Bucket, s3Url } from './s3-bucket.ts'
import { PUT_TOKEN, putTokenOf } from './s3-get.ts'
import { settle } from './settle-put.ts'

export async function putObject(
  bucket: S3Bucket,
  key: string,
  body: Uint8Array,
  options: PutOptions,
): Promise<PutResult> {
  const token = bucket.ids.uuid()
  const isConditional = options.ifAbsent === true || options.ifMatch !== undefined
  const input = {
    Bucket: bucket.place.bucket,
    Key: bucketKey(bucket, key),
    // The SDK treats an empty view as a stream of unknown length.
    Body: body.length === 0 ? Buffer.alloc(0) : body,
    ...headersOf(options),
    ...(options.ifAbsent === true && { IfNoneMatch: '*' }),
    ...(options.ifMatch !== undefined && { IfMatch: options.ifMatch }),
    ...(isConditional && { Metadata: { [PUT_TOKEN]: token } }),
  }
  const calling = { doing: `write ${s3Url(bucket, key)}`, key, bytes: body.length, changes: true }
  const attempt = async ({ signal }: Deadline): Promise<PutResult> => {
    try {
      const { ETag = '' } = await bucket.client.send(new PutObjectCommand(input), { abortSignal: signal })
      return { status: 'ok', etag: ETag }
    } catch (error) {
      return refusalOf(error, options)
    }
  }
  // A repeated unconditional put writes the same bytes.
  if (!isConditional) return bucket.requests.call(calling, attempt)
  const look = () => putTokenOf(bucket, key)
  return (await settle(bucket.requests, { options: calling, token, attempt, look })) as PutResult
}

/** The headers of a put that describe the content. */
export function headersOf({ contentType, contentEncoding }: Pick<PutOptions, 'contentType' | 'contentEncoding'>) {
  return {
    ...(contentType !== undefined && { ContentType: contentType }),
    ...(contentEncoding !== undefined && { ContentEncoding: contentEncoding }),
  }
}

/** @throws the error itself unless the condition failed */
export function refusalOf(error: unknown, options: PutOptions): PutResult {
  const status = statusOf(error)
  if (status === 412) return { status: options.ifAbsent === true ? 'exists' : 'mismatch' }
  if (status === 404 && options.ifMatch !== undefined && codeOf(error) !== 'NoSuchBucket')
    return { status: 'not-found' }
  throw error
}
