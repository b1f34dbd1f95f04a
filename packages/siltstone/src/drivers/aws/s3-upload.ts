/**
 * An object in parts (multipart upload). Content that fits into one part is put with one request. Parts are sent while
 * the next one is filled, a bounded number at once, and may be repeated without harm. The condition is tested when the
 * upload is completed, which is settled like any conditional put. Parts of an upload that was never completed are
 * invisible, cost money, and are removed by the bucket's lifecycle rule for incomplete uploads.
 */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { isSiltstoneError, unavailable } from '../../errors.ts'
import { uploadEnded } from '../../ports/upload-ended.ts'
import type { PutOptions, PutResult, Upload } from '../../ports/object-store.ts'
import { codeOf } from './failure.ts'
import { bucketKey, type S3Bucket, s3Url } from './s3-bucket.ts'
import { PUT_TOKEN, putTokenOf } from './s3-get.ts'
import { headersOf, putObject, refusalOf } from './s3-put.ts'
import { settle, type TryResult } from './settle-put.ts'

const MB = 1024 * 1024
/** S3 accepts parts of 5 MB to 5 GB; the last one may be smaller. */
export const PART_BYTES = 8 * MB
const PARTS_AT_ONCE = 4
/** S3 accepts 10,000 parts: their size doubles after each thousand, so that 5 TB fit. */
const PARTS_OF_ONE_SIZE = 1_000

export type UploadOptions = Pick<PutOptions, 'ifAbsent' | 'contentType' | 'contentEncoding'>

export class S3Upload implements Upload {
  readonly #bucket: S3Bucket
  readonly #key: string
  readonly #options: UploadOptions
  readonly #token: string
  readonly #target: { Bucket: string; Key: string }
  readonly #sending = new Set<Promise<void>>()
  readonly #parts: CompletedPart[] = []
  #chunks: Uint8Array[] = []
  #bytes = 0
  #uploadId: string | undefined
  #failure: unknown
  #state: 'open' | 'ended' = 'open'

  constructor(bucket: S3Bucket, key: string, options: UploadOptions) {
    this.#bucket = bucket
    this.#key = key
    this.#options = options
    this.#token = bucket.ids.uuid()
    this.#target = { Bucket: bucket.place.bucket, Key: bucketKey(bucket, key) }
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#state === 'ended') throw uploadEnded()
    // The caller may reuse its memory.
    if (chunk.length > 0) this.#chunks.push(new Uint8Array(chunk))
    this.#bytes += chunk.length
    while (this.#bytes >= this.#partBytes()) await this.#startPart(this.#take(this.#partBytes()))
  }

  async complete(): Promise<PutResult> {
    if (this.#state === 'ended') throw uploadEnded()
    this.#state = 'ended'
    const rest = this.#take(this.#bytes)
    if (this.#uploadId === undefined && this.#failure === undefined)
      return putObject(this.#bucket, this.#key, rest, this.#options)
    try {
      if (rest.length > 0) await this.#startPart(rest)
      await this.#sent()
    } catch (error) {
      await this.#drop()
      throw error
    }
    const result = await this.#publish()
    if (result.status !== 'ok') await this.#drop()
    if (result.status === 'gone')
      throw unavailable(
        'upload-gone',
        `The parts of ${s3Url(this.#bucket, this.#key)} were removed before it was complete. Write it again.`,
        { key: this.#key },
      )
    return result
  }

  async abort(): Promise<void> {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#chunks = []
    await Promise.all(this.#sending)
    if (this.#uploadId !== undefined) await this.#drop()
  }

  #partBytes(): number {
    return PART_BYTES * 2 ** Math.floor(this.#parts.length / PARTS_OF_ONE_SIZE)
  }

  /** The next `bytes` bytes of the written content. */
  #take(bytes: number): Buffer {
    const taken: Uint8Array[] = []
    for (let left = bytes; left > 0; ) {
      const first = this.#chunks.shift() as Uint8Array
      taken.push(first.subarray(0, left))
      if (first.length > left) this.#chunks.unshift(first.subarray(left))
      left -= Math.min(left, first.length)
    }
    this.#bytes -= bytes
    return Buffer.concat(taken)
  }

  /** Waits until a part may be sent, then starts to send it. */
  async #startPart(body: Buffer): Promise<void> {
    try {
      this.#uploadId ??= await this.#create()
    } catch (error) {
      this.#failure ??= error
    }
    while (this.#sending.size >= PARTS_AT_ONCE) await Promise.race(this.#sending)
    if (this.#failure !== undefined) throw this.#failure as Error
    const part: CompletedPart = { PartNumber: this.#parts.length + 1 }
    this.#parts.push(part)
    const sending = this.#send(part, body).catch((error: unknown) => {
      this.#failure ??= error
    })
    this.#sending.add(sending)
    void sending.finally(() => this.#sending.delete(sending))
  }

  async #sent(): Promise<void> {
    await Promise.all(this.#sending)
    if (this.#failure !== undefined) throw this.#failure as Error
  }

  async #create(): Promise<string> {
    const { client, requests } = this.#bucket
    const input = { ...this.#target, ...headersOf(this.#options), Metadata: { [PUT_TOKEN]: this.#token } }
    const answer = await requests.call(this.#doing('begin to write'), ({ signal }) =>
      client.send(new CreateMultipartUploadCommand(input), { abortSignal: signal }),
    )
    return answer.UploadId as string
  }

  async #send(part: CompletedPart, body: Buffer): Promise<void> {
    const { client, requests } = this.#bucket
    const input = { ...this.#target, UploadId: this.#uploadId, PartNumber: part.PartNumber, Body: body }
    const calling = { ...this.#doing('write a part of'), bytes: body.length }
    const answer = await requests.call(calling, ({ signal }) =>
      client.send(new UploadPartCommand(input), { abortSignal: signal }),
    )
    // Includes the checksums that the SDK added; the completion repeats them.
    for (const field of [
      'ETag',
      'ChecksumCRC32',
      'ChecksumCRC32C',
      'ChecksumCRC64NVME',
      'ChecksumSHA1',
      'ChecksumSHA256',
    ] as const)
      if (answer[field] !== undefined) part[field] = answer[field]
  }

  #publish(): Promise<TryResult> {
    const { client, requests } = this.#bucket
    const input = {
      ...this.#target,
      UploadId: this.#uploadId,
      MultipartUpload: { Parts: this.#parts },
      ...(this.#options.ifAbsent === true && { IfNoneMatch: '*' }),
    }
    return settle(requests, {
      options: { ...this.#doing('complete'), changes: true },
      token: this.#token,
      look: () => putTokenOf(this.#bucket, this.#key),
      attempt: async ({ signal }) => {
        try {
          const { ETag = '' } = await client.send(new CompleteMultipartUploadCommand(input), { abortSignal: signal })
          return { status: 'ok', etag: ETag }
        } catch (error) {
          if (codeOf(error) === 'NoSuchUpload') return { status: 'gone' }
          return refusalOf(error, this.#options)
        }
      },
    })
  }

  /** The outcome does not depend on whether the parts can be removed. */
  async #drop(): Promise<void> {
    const { client, requests } = this.#bucket
    if (this.#uploadId === undefined) return
    const input = { ...this.#target, UploadId: this.#uploadId }
    try {
      await Promise.all(this.#sending)
      await requests.call(this.#doing('abort the upload of'), async ({ signal }) => {
        try {
          await client.send(new AbortMultipartUploadCommand(input), { abortSignal: signal })
        } catch (error) {
          if (codeOf(error) !== 'NoSuchUpload') throw error
        }
      })
    } catch (error) {
      if (!isSiltstoneError(error)) throw error
      this.#bucket.log.warn('store.upload-left', { key: this.#key, uploadId: this.#uploadId, error: error.message })
    }
  }

  #doing(what: string) {
    return { doing: `${what} ${s3Url(this.#bucket, this.#key)}`, key: this.#key }
  }
}
