/** Reading one object: whole, by range, under conditions. */
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
} from '@aws-sdk/client-s3'
import type { Readable } from 'node:stream'
import { cutRange } from '../../ports/byte-range.ts'
import type { GetOptions, GetResult, ObjectInfo } from '../../ports/object-store.ts'
import { codeOf, statusOf } from './failure.ts'
import type { Deadline } from './aws-requests.ts'
import { bucketKey, type S3Bucket, s3Url } from './s3-bucket.ts'

type Conditions = Pick<GetOptions, 'ifMatch' | 'ifNoneMatch'>
type Refusal = Exclude<GetResult['status'], 'ok'>

export async function getObject(bucket: S3Bucket, key: string, options: GetOptions = {}): Promise<GetResult> {
  const { range } = options
  const Key = bucketKey(bucket, key)
  cutRange(range, Number.MAX_SAFE_INTEGER)
  // HTTP has no empty range, but the size of the object and the conditions are still needed.
  if (range?.length === 0) return emptyRange(bucket, key, options)
  const input = {
    Bucket: bucket.place.bucket,
    Key,
    ...conditions(options),
    ...(range && { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` }),
  }
  const doing = { doing: `read ${s3Url(bucket, key)}`, key, bytes: range?.length ?? 0 }
  const got = await bucket.requests.call(doing, async (deadline): Promise<GetResult | 'past-the-end'> => {
    let answer: GetObjectCommandOutput
    try {
      answer = await bucket.client.send(new GetObjectCommand(input), { abortSignal: deadline.signal })
    } catch (error) {
      if (statusOf(error) === 416) return 'past-the-end'
      return { status: refusalOf(error) }
    }
    const body = await readBody(answer, deadline, range === undefined)
    const whole = {
      etag: answer.ETag,
      lastModifiedMs: answer.LastModified?.getTime() ?? 0,
      status: 'ok' as const,
      ...(answer.VersionId !== undefined && { versionId: answer.VersionId }),
    }
    const total = /\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1]
    if (range === undefined || total !== undefined)
      return { ...whole, body, sizeBytes: total === undefined ? body.length : Number(total) }
    // The server ignores ranges.
    const { start, end } = cutRange(range, body.length)
    return { ...whole, body: body.subarray(start, end), sizeBytes: body.length }
  })
  return got === 'past-the-end' ? emptyRange(bucket, key, options) : got
}

export async function headObject(bucket: S3Bucket, key: string): Promise<ObjectInfo | undefined> {
  const answer = await head(bucket, key, {})
  if (typeof answer === 'string') return undefined
  const { ETag, ContentLength, LastModified } = answer
  return { key, sizeBytes: ContentLength ?? 0, etag: ETag, lastModifiedMs: LastModified?.getTime() ?? 0 }
}

/** The token that a put of this program gave to this version of the object, and its ETag; undefined if it does not exist. */
export async function putTokenOf(
  bucket: S3Bucket,
  key: string,
): Promise<{ token: string | undefined; etag: string } | undefined> {
  const answer = await head(bucket, key, {})
  return typeof answer === 'string' ? undefined : { token: answer.Metadata?.[PUT_TOKEN], etag: answer.ETag ?? '' }
}

/** User metadata with the token of the put that wrote an object: `x-amz-meta-siltstone-put`. */
export const PUT_TOKEN = 'siltstone-put'

async function emptyRange(bucket: S3Bucket, key: string, options: Conditions): Promise<GetResult> {
  const answer = await head(bucket, key, options)
  if (typeof answer === 'string') return { status: answer }
  const { ETag, ContentLength, LastModified } = answer
  const lastModifiedMs = LastModified?.getTime() ?? 0
  return { status: 'ok', body: new Uint8Array(0), etag: ETag, sizeBytes: ContentLength ?? 0, lastModifiedMs }
}

function head(bucket: S3Bucket, key: string, options: Conditions): Promise<HeadObjectCommandOutput | Refusal> {
  const input = { Bucket: bucket.place.bucket, Key: bucketKey(bucket, key), ...conditions(options) }
  return bucket.requests.call({ doing: `read ${s3Url(bucket, key)}`, key }, async ({ signal }) => {
    try {
      return await bucket.client.send(new HeadObjectCommand(input), { abortSignal: signal })
    } catch (error) {
      return refusalOf(error)
    }
  })
}

function conditions({ ifMatch, ifNoneMatch }: Conditions) {
  return {
    ...(ifMatch !== undefined && { IfMatch: ifMatch }),
    ...(ifNoneMatch !== undefined && { IfNoneMatch: ifNoneMatch }),
  }
}

/** @throws the error itself if it is none of these answers */
function refusalOf(error: unknown): Refusal {
  const status = statusOf(error)
  if (status === 304) return 'not-modified'
  if (status === 412) return 'mismatch'
  // A missing bucket is not a missing key.
  if (status === 404 && codeOf(error) !== 'NoSuchBucket') return 'not-found'
  throw error
}

async function readBody(answer: GetObjectCommandOutput, deadline: Deadline, isWhole: boolean): Promise<Uint8Array> {
  const length = answer.ContentLength ?? 0
  // The size of a range was known before.
  if (isWhole) deadline.extendBy(length)
  const stream = answer.Body as unknown as Readable
  // The SDK no longer observes the signal once it has the headers.
  const stop = () => stream.destroy(deadline.signal.reason as Error)
  deadline.signal.addEventListener('abort', stop, { once: true })
  try {
    if (deadline.signal.aborted) stop()
    const chunks: Uint8Array[] = []
    for await (const chunk of stream) chunks.push(chunk as Uint8Array)
    const body = chunks.length === 1 ? new Uint8Array(chunks[0] as Uint8Array) : joined(chunks)
    if (answer.ContentLength !== undefined && body.length !== length)
      throw new Error(`the answer ended after ${body.length} of ${length} bytes`)
    return body
  } finally {
    deadline.signal.removeEventListener('abort', stop)
  }
}

/** A separate buffer with offset 0, because callers view it as floats. */
function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const body = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.length
  }
  return body
}
