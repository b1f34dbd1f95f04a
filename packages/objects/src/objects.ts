/** Objects of one bucket as a library: on a directory, or in a bucket of S3. */
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  type BlobBody,
  type BlobInfo,
  type BlobStore,
  type BlobTags,
  conflict,
  type DeleteBlobResult,
  fileError,
  type GetBlobOptions,
  invalid,
  type ListedBlob,
  notFound,
  type ObjectStatus,
  type PutBlobOptions,
  type PutBlobResult,
  readFileChunks,
  type ReadCondition,
  type S3BlobStore,
  type WriteCondition,
} from 'siltstone/internal'
import { contentTypeOf } from './content-type.ts'
import { type FaceAddress, presignOnFace } from './directory-presign.ts'
import { checkPresign, type PresignRequest, type Presigned } from './presign.ts'
import type { ObjectTracker, ReplayFilter } from './process/tracker.ts'
import type { ObjectHit, SearchOptions } from './search.ts'

export interface PutOptions extends WriteCondition {
  /** Default: from the first bytes, else from the key. */
  contentType?: string
  cacheControl?: string
  contentDisposition?: string
  metadata?: Readonly<Record<string, string>>
  tags?: BlobTags
  /** Compared, and kept with the object. */
  checksum?: { algorithm: NonNullable<PutBlobOptions['checksum']>['algorithm']; value?: string }
}

/** Bytes, a stream of bytes, or a file of this machine. */
export type PutBody = BlobBody | { file: string }

export interface ObjectContent {
  info: BlobInfo
  /** The first byte and the one after the last. */
  start: number
  end: number
  body: AsyncIterable<Uint8Array>
  /** The whole content in memory. */
  bytes(): Promise<Uint8Array>
  text(): Promise<string>
}

const HEAD_BYTES = 4_096

export interface ObjectsParts {
  store: BlobStore
  /** What knows how processing stands. @throws SiltstoneError `unsupported` (no-record-store) */
  tracker(): Promise<ObjectTracker>
  search(text: string, sign: (key: string, ms: number) => Promise<string>, options: SearchOptions): Promise<ObjectHit[]>
  /** How this place signs. */
  signer: S3BlobStore | (() => Promise<FaceAddress>)
  close(): Promise<void>
}

export class Objects {
  readonly #store: BlobStore
  readonly #parts: ObjectsParts

  constructor(parts: ObjectsParts) {
    this.#store = parts.store
    this.#parts = parts
  }

  get description(): string {
    return this.#store.description
  }

  /**
   * @throws SiltstoneError `conflict` (object-exists, object-changed), `invalid` (bad-key, bad-metadata, bad-tags,
   *   bad-digest), `not-found` (no-such-bucket, file-missing)
   */
  async put(key: string, body: PutBody, options: PutOptions = {}): Promise<BlobInfo> {
    const { contentType, cacheControl, contentDisposition, metadata, tags, checksum, ...condition } = options
    const { head, bytes } = await peeked(bodyOf(body))
    const expected = checksum?.value
    const result = await this.#store.put(key, bytes, {
      ...condition,
      head: {
        contentType: contentType ?? contentTypeOf(key, head),
        ...(cacheControl !== undefined && { cacheControl }),
        ...(contentDisposition !== undefined && { contentDisposition }),
        ...(metadata && { metadata }),
      },
      ...(tags && { tags }),
      ...(checksum && {
        checksum: { algorithm: checksum.algorithm, ...(expected !== undefined && { expected: () => expected }) },
      }),
    })
    return written(result, key)
  }

  /** @throws SiltstoneError `not-found` (no-such-object), `conflict` (not-modified, object-changed), `invalid` (bad-range) */
  async get(key: string, options: GetBlobOptions = {}): Promise<ObjectContent> {
    const got = await this.#store.get(key, options)
    switch (got.status) {
      case 'ok': {
        const { blob: info, body, start, end } = got
        const bytes = async () => {
          const chunks: Uint8Array[] = []
          for await (const chunk of body) chunks.push(chunk)
          return new Uint8Array(Buffer.concat(chunks))
        }
        return { info, start, end, body, bytes, text: async () => Buffer.from(await bytes()).toString('utf8') }
      }
      case 'bad-range':
        throw invalid(
          'bad-range',
          `The object ${JSON.stringify(key)} has ${got.sizeBytes} bytes, none of them in the range.`,
          {
            field: 'range',
          },
        )
      case 'not-modified':
        throw conflict('not-modified', `The object ${JSON.stringify(key)} is unchanged.`, { key })
      case 'mismatch':
        throw changed(key)
      case 'not-found':
      case 'delete-marker':
        throw noSuchObject(key)
    }
  }

  /** Undefined if there is no such object. @throws SiltstoneError `conflict` (object-changed) */
  async head(key: string, options: ReadCondition & { versionId?: string } = {}): Promise<BlobInfo | undefined> {
    const found = await this.#store.head(key, options)
    if (found.status === 'ok' || found.status === 'not-modified') return found.blob
    if (found.status === 'mismatch') throw changed(key)
    return undefined
  }

  async exists(key: string): Promise<boolean> {
    return (await this.head(key)) !== undefined
  }

  /** All objects below a prefix, in byte order of their keys. */
  async *list(prefix = ''): AsyncGenerator<ListedBlob> {
    for (let continuation: string | undefined, more = true; more; ) {
      const page = await this.#store.list({ prefix, ...(continuation !== undefined && { continuation }) })
      yield* page.blobs
      continuation = page.continuation
      more = continuation !== undefined
    }
  }

  /** One page, with keys grouped by a delimiter. */
  page(options: Parameters<BlobStore['list']>[0] = {}): ReturnType<BlobStore['list']> {
    return this.#store.list(options)
  }

  /** @throws SiltstoneError `not-found` (no-such-object), `conflict` (object-exists, object-changed) */
  async copy(from: string, to: string, options: WriteCondition & { versionId?: string } = {}): Promise<BlobInfo> {
    const { versionId, ...condition } = options
    const result = await this.#store.copy({ key: from, ...(versionId !== undefined && { versionId }) }, to, condition)
    if (result.status === 'source-not-found') throw noSuchObject(from)
    if (result.status === 'source-mismatch') throw changed(from)
    return written(result, to)
  }

  /**
   * A copy, then the deletion of the version that was copied: not atomic. If something replaces the source in between, it
   * stays, and the error is `conflict` (object-changed).
   */
  async move(from: string, to: string, options: WriteCondition = {}): Promise<BlobInfo> {
    if (from === to) throw invalid('same-key', 'The object is moved to its own key.', { field: 'to' })
    const source = await this.head(from)
    if (source === undefined) throw noSuchObject(from)
    const result = await this.#store.copy({ key: from, ifMatch: source.etag }, to, options)
    if (result.status === 'source-not-found') throw noSuchObject(from)
    if (result.status === 'source-mismatch') throw changed(from)
    const moved = written(result, to)
    const gone = await this.#store.delete(from, { ifMatch: source.etag })
    if (gone.status === 'mismatch') throw changed(from)
    return moved
  }

  /**
   * @param options.wait until no search finds records of the objects; needs a worker that runs
   * @throws SiltstoneError `conflict` (object-changed) with `ifMatch`, `unavailable` (wait-timeout) with `wait`
   */
  async delete(
    keys: string | readonly string[],
    { wait = false, ...options }: { versionId?: string; ifMatch?: string; wait?: boolean } = {},
  ): Promise<DeleteBlobResult[]> {
    const all = typeof keys === 'string' ? [keys] : keys
    const results: DeleteBlobResult[] = []
    for (let at = 0; at < all.length; at += DELETES_AT_ONCE)
      results.push(
        ...(await Promise.all(all.slice(at, at + DELETES_AT_ONCE).map((key) => this.#store.delete(key, options)))),
      )
    const failed = results.findIndex(({ status }) => status === 'mismatch')
    if (failed !== -1) throw changed(all[failed] as string)
    if (wait) for (const key of all) await this.wait(key)
    return results
  }

  /** How the processing of an object stands. */
  async status(key: string): Promise<ObjectStatus> {
    return (await this.#parts.tracker()).status(key)
  }

  async *statuses(prefix = ''): AsyncGenerator<ObjectStatus> {
    yield* (await this.#parts.tracker()).statuses(prefix)
  }

  /**
   * Resolves when the newest version is searchable, or never will be: `done`, `dead`, `gone` or `unprocessed`.
   * @param options.timeoutMs default one minute
   * @throws SiltstoneError `unavailable` (wait-timeout)
   */
  async wait(key: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<ObjectStatus> {
    return (await this.#parts.tracker()).wait(key, options)
  }

  /** Has objects processed again; their records stay until the new ones are there. @returns how many */
  async replay(filter: ReplayFilter = {}): Promise<number> {
    return (await this.#parts.tracker()).replay(filter)
  }

  /** Objects that were given up, each with its reason. */
  async *dead(prefix = ''): AsyncGenerator<ObjectStatus> {
    yield* (await this.#parts.tracker()).dead(prefix)
  }

  /**
   * Searches the records of this bucket's objects. Each hit leads back to its place: `(await hit.open()).url`.
   * @throws SiltstoneError `not-found` (collection-missing), and as embedders do
   */
  search(text: string, options: SearchOptions = {}): Promise<ObjectHit[]> {
    const sign = async (key: string, expiresInMs: number) => {
      const signed = await this.presign({ method: 'get', key, expiresInMs })
      return signed.url
    }
    return this.#parts.search(text, sign, options)
  }

  tags(key: string, versionId?: string): Promise<BlobTags> {
    return this.#store.tags(key, versionId)
  }

  setTags(key: string, tags: BlobTags, versionId?: string): Promise<void> {
    return this.#store.setTags(key, tags, versionId)
  }

  /**
   * On a directory the URL is that of the S3 face, signed with one of its access keys.
   * @throws SiltstoneError `invalid` (bad-expiry, no-size), `unsupported` (no-face)
   */
  async presign(request: PresignRequest): Promise<Presigned> {
    checkPresign(request)
    const { signer } = this.#parts
    if (typeof signer === 'function') return presignOnFace(await signer(), request)
    const { key, ...options } = request
    if (options.method === 'post') {
      const { method: _, minBytes = 0, ...limits } = options
      return { method: 'POST', ...(await signer.presignPost(key, { ...limits, minBytes })) }
    }
    if (options.method === 'get') return { method: 'GET', url: await signer.presign(key, options), headers: {} }
    const { sizeBytes, contentType, sha256, ifAbsent } = options
    return {
      method: 'PUT',
      url: await signer.presign(key, options),
      headers: {
        'content-length': String(sizeBytes),
        ...(contentType !== undefined && { 'content-type': contentType }),
        ...(sha256 !== undefined && { 'x-amz-checksum-sha256': sha256 }),
        ...(ifAbsent === true && { 'if-none-match': '*' }),
      },
    }
  }

  /**
   * Writes an object to a file, whole or not at all, and makes the folders above it.
   * @throws SiltstoneError `unavailable` (disk-full, read-only, access-denied, io-error), `conflict` (object-changed), and as `get`
   */
  async download(key: string, file: string, options: GetBlobOptions = {}): Promise<BlobInfo> {
    const { info, body, start, end } = await this.get(key, options)
    const temporary = `${file}.${info.etag.replaceAll(/\W/g, '').slice(0, 16)}.part`
    try {
      await mkdir(dirname(file), { recursive: true })
      const handle = await open(temporary, 'w')
      let size = 0
      try {
        for await (const chunk of body) {
          size += chunk.length
          await handle.writeFile(chunk)
        }
      } finally {
        await handle.close()
      }
      if (size !== end - start)
        throw conflict(
          'object-changed',
          `The download of ${JSON.stringify(key)} ended after ${size} of ${end - start} bytes.`,
          { key },
        )
      await rename(temporary, file)
    } catch (error) {
      // Of several failures the first counts.
      await rm(temporary, { force: true }).catch(() => undefined)
      throw fileError(error, { path: file, doing: 'write' })
    }
    return info
  }

  close(): Promise<void> {
    return this.#parts.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

const DELETES_AT_ONCE = 64

function bodyOf(body: PutBody): BlobBody {
  return 'file' in body && typeof body.file === 'string' ? readFileChunks(body.file, 1 << 20) : (body as BlobBody)
}

/** The first bytes of a body, and all of it. */
async function peeked(body: BlobBody): Promise<{ head: Uint8Array; bytes: BlobBody }> {
  if (body instanceof Uint8Array) return { head: body.subarray(0, HEAD_BYTES), bytes: body }
  const chunks = body[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  let size = 0
  try {
    while (size < HEAD_BYTES) {
      const next = await chunks.next()
      if (next.done === true) break
      first.push(next.value)
      size += next.value.length
    }
  } catch (error) {
    throw fileMissing(error)
  }
  const rest = async function* (): AsyncGenerator<Uint8Array> {
    yield* first
    yield* { [Symbol.asyncIterator]: () => chunks }
  }
  return { head: Buffer.concat(first).subarray(0, HEAD_BYTES), bytes: rest() }
}

function fileMissing(error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) return error
  return notFound('file-missing', `There is no file to upload: ${error.message}`, { cause: error })
}

function written(result: PutBlobResult, key: string): BlobInfo {
  if (result.status === 'ok') return result.blob
  if (result.status === 'exists')
    throw conflict('object-exists', `There is an object ${JSON.stringify(key)} already.`, { key })
  if (result.status === 'not-found') throw noSuchObject(key)
  throw changed(key)
}

const noSuchObject = (key: string) => notFound('no-such-object', `There is no object ${JSON.stringify(key)}.`, { key })

const changed = (key: string) =>
  conflict('object-changed', `The object ${JSON.stringify(key)} has another ETag than expected: read it again.`, {
    key,
  })
