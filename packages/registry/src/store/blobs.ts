/**
 * Files by the SHA-256 of their contents: `registry/blobs/<sha256>`. The rest of the registry knows files only through this module.
 *
 * A blob is visible only after its contents were verified: small ones are hashed before they are written, large ones while they
 * are uploaded, and an upload is invisible until it is completed. What clients send to the bucket itself is put elsewhere first
 * (`blob-uploads.ts`). Blobs are created if absent and never change, so two writers of
 * one blob write the same bytes, and it does not matter who is first.
 */
import { createHash } from 'node:crypto'
import { corrupt, invalid, isPassing, type ObjectStore } from 'siltstone/internal'
import { blobKey, isSha256 } from './keys.ts'

export interface StoredBlob {
  sha256: string
  sizeBytes: number
}

export interface BlobsOptions {
  /** Contents are read from the bucket itself, where it can be asked over HTTP. Default: through this process. */
  direct?: boolean
}

/** As long as a download of a large file may take to begin each of its parts. */
const LINK_MS = 3_600_000

export class Blobs {
  readonly #store: ObjectStore
  readonly #isDirect: boolean

  constructor(store: ObjectStore, { direct = false }: BlobsOptions = {}) {
    this.#store = store
    this.#isDirect = direct
  }

  /** A URL from which anybody reads the contents for an hour; undefined: they are read through this process. */
  async link(sha256: string): Promise<string | undefined> {
    checkSyntax(sha256)
    return this.#isDirect ? this.#store.presignGet?.(blobKey(sha256), { expiresInMs: LINK_MS }) : undefined
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
    const hash = createHash('sha256')
    let sizeBytes = 0
    const upload = await this.#store.upload(blobKey(expected), { ifAbsent: true })
    try {
      for await (const chunk of chunks) {
        hash.update(chunk)
        sizeBytes += chunk.length
        await upload.write(chunk)
      }
      checkDigest(expected, hash.digest('hex'))
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

  /** Bytes; undefined: there is no such blob. */
  async size(sha256: string): Promise<number | undefined> {
    checkSyntax(sha256)
    return (await this.#store.head(blobKey(sha256)))?.sizeBytes
  }

  /** A part of the contents; without a range the whole, which is compared with its name. @throws SiltstoneError `corrupt` (blob-damaged) */
  async get(sha256: string, range?: { offset: number; length: number }): Promise<Uint8Array | undefined> {
    checkSyntax(sha256)
    const got = await this.#store.get(blobKey(sha256), { immutable: true, ...(range !== undefined && { range }) })
    if (got.status !== 'ok') return undefined
    if (range === undefined && createHash('sha256').update(got.body).digest('hex') !== sha256) {
      throw corrupt('blob-damaged', `the contents of ${blobKey(sha256)} do not have the SHA-256 of their name`, {
        key: blobKey(sha256),
      })
    }
    return got.body
  }
}

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
