/**
 * Files by the SHA-256 of their contents: `registry/blobs/<sha256>`, or chunks of them (`xet/chunked-files.ts`), or both. The rest of the registry
 * knows files only through this module.
 *
 * A blob is visible only after its contents were verified: small ones are hashed before they are written, large ones while they
 * are uploaded, and an upload is invisible until it is completed. What clients send to the bucket itself is put elsewhere first
 * (`blob-uploads.ts`). Blobs are created if absent and never change, so two writers of
 * one blob write the same bytes, and it does not matter who is first.
 */
import { createHash } from 'node:crypto'
import { corrupt, invalid, isPassing, type ObjectStore } from 'siltstone/internal'
import { type ChunkedFile, type ChunkedFiles, xorbKeysOf } from '../xet/chunked-files.ts'
import { blobKey, chunkedFileKey, isSha256 } from './keys.ts'
import { readBytesOf } from './read-bytes.ts'

export interface StoredBlob {
  sha256: string
  sizeBytes: number
}

export interface BlobsOptions {
  /** Contents are read from the bucket itself, where it can be asked over HTTP. Default: through this process. */
  direct?: boolean
  /** Default: there are none. */
  chunkedFiles?: ChunkedFiles | undefined
}

interface Range {
  offset: number
  length: number
}

/** As long as a download of a large file may take to begin each of its parts. */
const LINK_MS = 3_600_000

export class Blobs {
  readonly #store: ObjectStore
  readonly #isDirect: boolean
  readonly #chunkedFiles: ChunkedFiles | undefined

  constructor(store: ObjectStore, { direct = false, chunkedFiles }: BlobsOptions = {}) {
    this.#store = store
    this.#isDirect = direct
    this.#chunkedFiles = chunkedFiles
  }

  /**
   * A URL from which anybody reads the contents for an hour; undefined: they are read through this process.
   * @param options.putTogether makes a blob of chunks first: this process cannot give large contents itself
   */
  async link(sha256: string, { putTogether = false } = {}): Promise<string | undefined> {
    checkSyntax(sha256)
    if (!this.#isDirect || this.#store.presignGet === undefined) return undefined
    if ((await this.#store.head(blobKey(sha256))) === undefined) {
      const file = putTogether ? await this.#chunkedFiles?.find(sha256) : undefined
      if (file === undefined || this.#chunkedFiles === undefined) return undefined
      await this.upload(this.#chunkedFiles.contents(file), sha256)
    }
    return this.#store.presignGet(blobKey(sha256), { expiresInMs: LINK_MS })
  }

  /** Where the contents are; only those that have this SHA-256 may be put there. */
  keyOf(sha256: string): string {
    checkSyntax(sha256)
    return blobKey(sha256)
  }

  /** @throws SiltstoneError `invalid` (blob-digest) if the bytes are not those that `expected` names */
  async put(bytes: Uint8Array, expected?: string): Promise<StoredBlob> {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    if (expected !== undefined) checkDigest(expected, sha256)
    try {
      await this.#store.put(blobKey(sha256), bytes, { ifAbsent: true })
    } catch (error) {
      // The outcome does not matter if the blob is there: nothing else is ever written under its key.
      if (!isPassing(error) || (await this.size(sha256)) !== bytes.length) throw error
    }
    return { sha256, sizeBytes: bytes.length }
  }

  /**
   * For files too large for memory.
   * @throws SiltstoneError `invalid` (blob-digest); then nothing is visible
   */
  async upload(chunks: AsyncIterable<Uint8Array>, expected: string): Promise<StoredBlob> {
    checkSyntax(expected)
    let sizeBytes = 0
    const upload = await this.#store.upload(blobKey(expected), { ifAbsent: true })
    const hash = upload.sha256 === undefined ? createHash('sha256') : undefined
    try {
      for await (const chunk of chunks) {
        hash?.update(chunk)
        sizeBytes += chunk.length
        await upload.write(chunk)
      }
      checkDigest(expected, hash?.digest('hex') ?? upload.sha256?.() ?? '')
    } catch (error) {
      await upload.abort()
      throw error
    }
    try {
      await upload.complete()
    } catch (error) {
      if (!isPassing(error) || (await this.size(expected)) !== sizeBytes) throw error
    }
    return { sha256: expected, sizeBytes }
  }

  /** Bytes; undefined: the contents are not there. */
  async size(sha256: string): Promise<number | undefined> {
    checkSyntax(sha256)
    const blob = await this.#store.head(blobKey(sha256))
    if (blob !== undefined) return blob.sizeBytes
    const file = await this.#chunkedFiles?.find(sha256)
    const missing = file === undefined ? [] : await this.#chunkedFiles?.missing(file)
    return missing?.length === 0 ? file?.sizeBytes : undefined
  }

  /** A part of the contents; without a range the whole, which is compared with its name. @throws SiltstoneError `corrupt` (blob-damaged) */
  async get(sha256: string, range?: Range): Promise<Uint8Array | undefined> {
    checkSyntax(sha256)
    const got = await this.#store.get(blobKey(sha256), { immutable: true, ...(range !== undefined && { range }) })
    const body = got.status === 'ok' ? got.body : await this.#fromChunks(sha256, range)
    if (body === undefined) return undefined
    if (range === undefined && createHash('sha256').update(body).digest('hex') !== sha256) {
      throw corrupt('blob-damaged', `the contents of ${blobKey(sha256)} do not have the SHA-256 of their name`, {
        key: blobKey(sha256),
      })
    }
    return body
  }

  /** A part of the contents, in parts of `readBytesOf`, about. @throws SiltstoneError `corrupt` (blob-missing) */
  async *stream(sha256: string, { offset, length }: Range): AsyncGenerator<Uint8Array> {
    checkSyntax(sha256)
    const readBytes = readBytesOf(this.#store)
    const end = offset + length
    for (let at = offset; at < end; ) {
      const range = { offset: at, length: Math.min(readBytes, end - at) }
      const got = await this.#store.get(blobKey(sha256), { immutable: true, range })
      const file = got.status === 'ok' ? undefined : await this.#chunkedFiles?.find(sha256)
      if (file !== undefined) return yield* this.#chunkedFiles?.contents(file, at, end - at) ?? []
      if (got.status !== 'ok' || got.body.length !== range.length) {
        const key = blobKey(sha256)
        throw corrupt('blob-missing', `the contents ${sha256} are missing: run registry verify`, { key })
      }
      yield got.body
      at += range.length
    }
  }

  async #fromChunks(sha256: string, range: Range | undefined): Promise<Uint8Array | undefined> {
    const file = await this.#chunkedFiles?.find(sha256)
    if (file === undefined || this.#chunkedFiles === undefined) return undefined
    const { offset, length } = range ?? { offset: 0, length: file.sizeBytes }
    const from = Math.min(offset, file.sizeBytes)
    const parts: Uint8Array[] = []
    for await (const part of this.#chunkedFiles.contents(file, from, Math.min(length, file.sizeBytes - from)))
      parts.push(part)
    return Buffer.concat(parts)
  }

  /** Of what the contents consist, if they are chunks. */
  chunked(sha256: string): Promise<ChunkedFile | undefined> {
    checkSyntax(sha256)
    return this.#chunkedFiles?.find(sha256) ?? Promise.resolve(undefined)
  }

  /**
   * What is wrong with contents of this size; undefined: nothing.
   * @param chunked of what they consist, as far as that is known
   */
  async problem(sha256: string, sizeBytes: number, chunked?: ChunkedFile): Promise<string | undefined> {
    if (!isSha256(sha256)) return 'are not there'
    const blob = await this.#store.head(blobKey(sha256))
    const file = blob === undefined ? (chunked ?? (await this.#chunkedFiles?.find(sha256))) : undefined
    const actual = blob?.sizeBytes ?? file?.sizeBytes
    if (actual === undefined) return 'are not there'
    if (actual !== sizeBytes) return `have ${actual} bytes, not ${sizeBytes}`
    const [missing] = file === undefined ? [] : ((await this.#chunkedFiles?.missing(file)) ?? [])
    return missing === undefined ? undefined : `lack ${missing}`
  }
}

/** The objects of which contents can consist. @param chunked of what they consist, as far as that is known */
export const keysOfContents = (sha256: string, chunked: ChunkedFile | undefined): string[] => [
  blobKey(sha256),
  chunkedFileKey(sha256),
  ...(chunked === undefined ? [] : xorbKeysOf(chunked)),
]

function checkSyntax(sha256: string): void {
  if (!isSha256(sha256)) {
    throw invalid('blob-digest', `"${sha256.slice(0, 100)}" is no SHA-256: give 64 hexadecimal digits in lower case`, {
      field: 'sha256',
    })
  }
}

/** @throws SiltstoneError `invalid` (blob-digest) */
export function checkDigest(expected: string, actual: string): void {
  checkSyntax(expected)
  if (expected !== actual) {
    throw invalid('blob-digest', `the contents have the SHA-256 ${actual}, not ${expected}: send them again`, {
      field: 'sha256',
    })
  }
}
