/**
 * Contents of files that a client sends to the bucket itself, so that their size is not limited by what passes through this process.
 *
 * ## Protocol
 * 1. `begin` begins an upload in parts of `registry/uploads/<sha256>/<ulid>`, and signs a link for each part, good for its size alone.
 * 2. The client puts the parts. Nothing is visible yet.
 * 3. `complete` joins them, which ends the links: from here on no client can change the object.
 * 4. It reads the object and compares size and SHA-256. What differs is deleted, and the client is told.
 * 5. It copies the object, within the bucket and by create-if-absent, to the name of its contents, and deletes the upload.
 *
 * So everything below `registry/blobs/` was verified before it was there, as with uploads through this process (`blobs.ts`).
 *
 * The bucket cannot verify instead. S3 compares contents with a SHA-256 only if it comes in a header, and clients of the Hub send none: they
 * know a link, and S3 ignores a checksum in a link. An upload in parts has at most a SHA-256 of the parts' SHA-256s.
 *
 * ## Failure cases
 * - The client ends before 3: parts are invisible, and the bucket's lifecycle rule for incomplete uploads removes them.
 * - The process ends between 3 and 5: the upload stays. A client that repeats `complete` makes it go on; else garbage collection deletes it.
 * - `complete` is repeated, also beside itself: each reads and copies; who comes second finds the contents.
 * - Garbage collection deletes an upload that is being verified, because it is older than the grace: the client is told to send it again.
 */
import { createHash } from 'node:crypto'
import { type DirectUploads, type Ids, invalid, isSiltstoneError, notFound, type ObjectStore } from 'siltstone/internal'
import { type Blobs, checkDigest } from './blobs.ts'
import { blobUploadKey } from './keys.ts'

export interface BlobUpload {
  /** Names this upload, together with the SHA-256. */
  ulid: string
  uploadId: string
  partBytes: number
  /** To which the parts are put; the last one has the rest. */
  urls: string[]
}

export interface CompleteBlobUpload {
  sha256: string
  sizeBytes: number
  ulid: string
  uploadId: string
  /** Of the parts, as the bucket answered them. */
  etags: readonly string[]
}

const MIB = 1024 * 1024
const READ_BYTES = 4 * MIB
/** Reads from a bucket take turns with the hash. */
const READS_AHEAD = 4
/** Parts of S3 have at most this size. */
const MAX_PART_BYTES = 5 * 1024 * MIB

/**
 * How large the parts of several files are made: so large that there are not many more than 1,000 of all files together, because each has a link
 * in one answer.
 */
export function partBytesFor(sizesBytes: readonly number[]): number {
  const total = sizesBytes.reduce((sum, size) => sum + size, 0)
  return Math.min(MAX_PART_BYTES, Math.max(64 * MIB, Math.ceil(total / 1_000 / MIB) * MIB))
}

export class BlobUploads {
  readonly #store: ObjectStore
  readonly #direct: DirectUploads
  readonly #blobs: Blobs
  readonly #ids: Ids

  constructor(options: { store: ObjectStore; direct: DirectUploads; blobs: Blobs; ids: Ids }) {
    this.#store = options.store
    this.#direct = options.direct
    this.#blobs = options.blobs
    this.#ids = options.ids
  }

  /** @param sizeBytes more than 0 */
  async begin(sha256: string, sizeBytes: number, partBytes: number, expiresInMs: number): Promise<BlobUpload> {
    const ulid = this.#ids.ulid()
    const partSizesBytes = Array.from({ length: Math.ceil(sizeBytes / partBytes) }, (_, at) =>
      Math.min(partBytes, sizeBytes - at * partBytes),
    )
    const begun = await this.#direct.begin(blobUploadKey(sha256, ulid), { partSizesBytes, expiresInMs })
    return { ulid, partBytes, ...begun }
  }

  /**
   * May be repeated.
   * @throws SiltstoneError `invalid` (upload-part, blob-size, blob-digest): nothing of the upload is left; `not-found` (upload-missing)
   */
  async complete({ sha256, sizeBytes, ulid, uploadId, etags }: CompleteBlobUpload): Promise<void> {
    const key = blobUploadKey(sha256, ulid)
    await this.#direct.complete(key, uploadId, etags)
    const sent = await this.#store.head(key)
    if (sent === undefined) return this.#checkThere(sha256, sizeBytes)
    try {
      if (sent.sizeBytes !== sizeBytes) throw wrongSize(sent.sizeBytes, sizeBytes)
      checkDigest(sha256, await this.#digest(key, sizeBytes))
    } catch (error) {
      if (isSiltstoneError(error, 'invalid')) await this.#delete(key)
      throw error
    }
    const copied = await this.#direct.copyIfAbsent(key, this.#blobs.keyOf(sha256), sizeBytes)
    if (copied === 'not-found') await this.#checkThere(sha256, sizeBytes)
    await this.#delete(key)
  }

  async #digest(key: string, sizeBytes: number): Promise<string> {
    const hash = createHash('sha256')
    const reads: Promise<Uint8Array>[] = []
    let next = 0
    const readNext = () => {
      if (next >= sizeBytes) return
      const range = { offset: next, length: Math.min(READ_BYTES, sizeBytes - next) }
      next += range.length
      const read = this.#read(key, range)
      // It is awaited in its turn, or not at all after another has failed.
      read.catch(() => undefined)
      reads.push(read)
    }
    for (let ahead = 0; ahead < READS_AHEAD; ahead++) readNext()
    for (let read = reads.shift(); read !== undefined; read = reads.shift()) {
      const bytes = await read
      readNext()
      hash.update(bytes)
    }
    return hash.digest('hex')
  }

  async #read(key: string, range: { offset: number; length: number }): Promise<Uint8Array> {
    const got = await this.#store.get(key, { range })
    if (got.status !== 'ok' || got.body.length !== range.length) throw missing()
    return got.body
  }

  /** @throws SiltstoneError `not-found` (upload-missing) */
  async #checkThere(sha256: string, sizeBytes: number): Promise<void> {
    if ((await this.#blobs.size(sha256)) !== sizeBytes) throw missing()
  }

  async #delete(key: string): Promise<void> {
    const { failed } = await this.#store.delete([key])
    if (failed[0] !== undefined) throw failed[0].error
  }
}

const wrongSize = (actual: number, expected: number) =>
  invalid('blob-size', `the file has ${actual} bytes, and ${expected} were named: send it again`, { field: 'size' })

const missing = () => notFound('upload-missing', 'nothing was sent, or it has been deleted: send the file again')
