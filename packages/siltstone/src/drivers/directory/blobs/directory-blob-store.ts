/** One bucket of a directory of blobs. */
import { BodyCheck, chunksOf } from '../../../host/blob-checksum.ts'
import {
  blobRange,
  wholeRange,
  checkBlobKey,
  checkHead,
  checkTags,
  MAX_PUT_BYTES,
  noSuchBlob,
  partRange,
  partsPage,
  readRefusal,
} from '../../../ports/blob-rules.ts'
import type {
  BlobBody,
  BlobMiss,
  BlobPage,
  BlobPart,
  BlobRange,
  BlobSource,
  BlobStore,
  BlobTags,
  ChosenPart,
  CompleteUploadOptions,
  CopyBlobOptions,
  CopyBlobResult,
  CopyPartResult,
  DeleteBlobOptions,
  DeleteBlobResult,
  ExpectedBytes,
  GetBlobOptions,
  GetBlobResult,
  HeadBlobResult,
  ListBlobsOptions,
  ListVersionsOptions,
  PartInfo,
  PutBlobOptions,
  PutBlobResult,
  ReadCondition,
  UploadInfo,
  UploadOptions,
  VersionPage,
  Versioning,
  WriteCondition,
} from '../../../ports/blob-store.ts'
import type { BlobTransaction } from './blob-index.ts'
import type { BlobParts } from './blob-parts.ts'
import { listBlobs, listUploads, listVersions } from './blob-lists.ts'
import {
  deleteVersion,
  findVersion,
  insertVersion,
  type NewVersion,
  type StoredVersion,
  versioningOf,
  writeRefusal,
} from './blob-versions.ts'
import { abortUpload, completeUpload, createUpload, listParts, putPart } from './directory-multipart.ts'

/** Larger bodies get a file of their own. */
const INLINE_BYTES = 16 * 1024

export class DirectoryBlobStore implements BlobStore {
  readonly description: string
  readonly #bucket: string
  readonly #parts: BlobParts

  constructor(bucket: string, place: string, parts: BlobParts) {
    this.description = `bucket ${bucket} in ${place}`
    this.#bucket = bucket
    this.#parts = parts
  }

  async put(key: string, body: BlobBody, options: PutBlobOptions = {}): Promise<PutBlobResult> {
    const { index, files, clock } = this.#parts
    const { head = {}, tags = {} } = options
    checkBlobKey(key)
    checkHead(head)
    checkTags(tags)
    versioningOf(index, this.#bucket)
    // A write whose condition already fails need not be received.
    const early = writeRefusal(index, this.#bucket, key, options)
    if (early !== undefined) return { status: early }
    const received = await files.receive(body, new BodyCheck(options, MAX_PUT_BYTES), INLINE_BYTES)
    const { sizeBytes, md5, checksum } = received
    const version: NewVersion = {
      key,
      head,
      tags,
      sizeBytes,
      etag: `"${md5}"`,
      modifiedMs: clock.nowMs(),
      ...(checksum && { checksum: { ...checksum, type: 'FULL_OBJECT' } }),
      content: 'file' in received ? { segments: [[received.file, sizeBytes]] } : { inlined: received.inlined },
    }
    const result = await index.write((t) => this.#insert(t, version, options))
    if (result.status !== 'ok' && 'file' in received) await files.remove(received.file)
    return result
  }

  async get(key: string, options: GetBlobOptions = {}): Promise<GetBlobResult> {
    const { index, files } = this.#parts
    const found = this.#find(key, options)
    if (found.status !== 'ok') return found
    const { version } = found
    const { blob, content, id } = version
    const { range, partNumber, reusesChunks } = options
    const cut =
      partNumber === undefined ? blobRange(range, blob.sizeBytes) : partRange(partNumber, version.parts, blob.sizeBytes)
    if (cut === undefined) return { status: 'bad-range', sizeBytes: blob.sizeBytes }
    const { start, end } = cut
    if (content !== undefined)
      return { status: 'ok', blob, body: files.read(content, start, end, reusesChunks), start, end }
    const bytes = inlinedBytes(index, id)
    return { status: 'ok', blob, body: chunksOf(bytes.subarray(start, end)), start, end }
  }

  async head(key: string, options: Omit<GetBlobOptions, 'range' | 'partNumber'> = {}): Promise<HeadBlobResult> {
    const found = this.#find(key, options)
    return found.status === 'ok' ? { status: 'ok', blob: found.version.blob } : found
  }

  async parts(key: string, options: { versionId?: string; after?: number; limit?: number } = {}) {
    return partsPage(this.#present(this.#parts.index, key, options.versionId).parts ?? [], options)
  }

  async list(options: ListBlobsOptions = {}): Promise<BlobPage> {
    return listBlobs(this.#parts.index, this.#bucket, options)
  }

  async listVersions(options: ListVersionsOptions = {}): Promise<VersionPage> {
    return listVersions(this.#parts.index, this.#bucket, options)
  }

  async delete(key: string, options: DeleteBlobOptions = {}): Promise<DeleteBlobResult> {
    checkBlobKey(key)
    return this.#parts.index.write((t) => deleteVersion(t, this.#bucket, key, options, this.#now()))
  }

  async copy(source: BlobSource, key: string, options: CopyBlobOptions = {}): Promise<CopyBlobResult> {
    const { index, clock } = this.#parts
    checkBlobKey(key)
    if (options.head) checkHead(options.head)
    if (options.tags) checkTags(options.tags)
    const from = this.#source(index, source)
    if (typeof from === 'string') return { status: from }
    // The checksum of another algorithm needs the bytes, so the copy is of the version that was read.
    const other = await this.#otherChecksum(from, options)
    return index.write((t): CopyBlobResult => {
      const now = this.#source(t, source)
      if (typeof now === 'string') return { status: now }
      if (other !== undefined && now.id !== from.id) return { status: 'source-mismatch' }
      const { sizeBytes, etag, head, partCount, checksum = other } = { ...now.blob, ...(other && { checksum: other }) }
      const version: NewVersion = {
        key,
        head: options.head ?? head,
        tags: options.tags ?? now.tags,
        sizeBytes,
        etag,
        modifiedMs: clock.nowMs(),
        ...(checksum && { checksum }),
        ...(partCount !== undefined && { partCount }),
        ...(now.parts && { parts: storedParts(now.parts, other === undefined) }),
        content: now.content === undefined ? { inlined: inlinedBytes(t, now.id) } : { segments: now.content },
      }
      return this.#insert(t, version, options)
    })
  }

  async tags(key: string, versionId?: string): Promise<BlobTags> {
    return this.#present(this.#parts.index, key, versionId).tags
  }

  async setTags(key: string, tags: BlobTags, versionId?: string): Promise<void> {
    checkTags(tags)
    await this.#parts.index.write((t) => {
      const { id } = this.#present(t, key, versionId)
      t.run('UPDATE version SET tags = ? WHERE id = ?', JSON.stringify(tags), id)
    })
  }

  async createUpload(key: string, options: UploadOptions = {}): Promise<UploadInfo> {
    checkBlobKey(key)
    if (options.head) checkHead(options.head)
    if (options.tags) checkTags(options.tags)
    return createUpload(this.#parts, this.#bucket, key, options)
  }

  async putPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: BlobBody,
    expected: ExpectedBytes = {},
  ): Promise<PartInfo> {
    return putPart(this.#parts, { bucket: this.#bucket, key, uploadId, partNumber }, body, expected)
  }

  async copyPart(
    key: string,
    uploadId: string,
    partNumber: number,
    source: BlobSource & { range?: BlobRange },
  ): Promise<CopyPartResult> {
    const { index, files } = this.#parts
    const from = this.#source(index, source)
    if (typeof from === 'string') return { status: from }
    const cut = wholeRange(source.range, from.blob.sizeBytes)
    if (cut === undefined) return { status: 'bad-range' }
    const body =
      from.content === undefined
        ? inlinedBytes(index, from.id).subarray(cut.start, cut.end)
        : files.read(from.content, cut.start, cut.end)
    return { status: 'ok', part: await this.putPart(key, uploadId, partNumber, body) }
  }

  async listParts(key: string, uploadId: string, options: { after?: number; limit?: number } = {}) {
    return listParts(this.#parts, { bucket: this.#bucket, key, uploadId }, options)
  }

  async completeUpload(
    key: string,
    uploadId: string,
    parts: readonly ChosenPart[],
    options: CompleteUploadOptions = {},
  ): Promise<PutBlobResult> {
    return completeUpload(this.#parts, { bucket: this.#bucket, key, uploadId }, parts, options)
  }

  async abortUpload(key: string, uploadId: string): Promise<void> {
    await abortUpload(this.#parts, { bucket: this.#bucket, key, uploadId })
  }

  async listUploads(options: Parameters<BlobStore['listUploads']>[0] = {}) {
    return listUploads(this.#parts.index, this.#bucket, options)
  }

  async versioning(): Promise<Versioning> {
    return versioningOf(this.#parts.index, this.#bucket)
  }

  async setVersioning(versioning: Exclude<Versioning, 'off'>): Promise<void> {
    await this.#parts.index.write((t) => {
      versioningOf(t, this.#bucket)
      t.run('UPDATE bucket SET versioning = ? WHERE name = ?', versioning, this.#bucket)
    })
  }

  #now() {
    return { newVersionId: () => this.#parts.ids.ulid(), nowMs: this.#parts.clock.nowMs() }
  }

  #insert(t: BlobTransaction, version: NewVersion, condition: WriteCondition): PutBlobResult {
    versioningOf(t, this.#bucket)
    const refused = writeRefusal(t, this.#bucket, version.key, condition)
    if (refused !== undefined) return { status: refused }
    return { status: 'ok', blob: insertVersion(t, this.#bucket, version, this.#now()) }
  }

  #find(
    key: string,
    options: ReadCondition & { versionId?: string },
  ): { status: 'ok'; version: StoredVersion } | BlobMiss {
    checkBlobKey(key)
    const version = findVersion(this.#parts.index, this.#bucket, key, options.versionId)
    if (version === undefined) return { status: 'not-found' }
    if (version.isMarker) return { status: 'delete-marker', versionId: version.storedVersionId }
    const refused = readRefusal(options, version.blob)
    if (refused === 'not-modified') return { status: refused, blob: version.blob }
    return refused === undefined ? { status: 'ok', version } : { status: refused }
  }

  #source(index: BlobTransaction, source: BlobSource): StoredVersion | 'source-not-found' | 'source-mismatch' {
    checkBlobKey(source.key)
    const found = findVersion(index, source.bucket ?? this.#bucket, source.key, source.versionId)
    if (found === undefined || found.isMarker) return 'source-not-found'
    return readRefusal(source, found.blob) === undefined ? found : 'source-mismatch'
  }

  async #otherChecksum({ blob, content, id }: StoredVersion, { checksum: algorithm }: CopyBlobOptions) {
    const { index, files } = this.#parts
    const { checksum, sizeBytes } = blob
    if (algorithm === undefined || algorithm === checksum?.algorithm) return undefined
    const check = new BodyCheck({ checksum: { algorithm } }, Number.MAX_SAFE_INTEGER)
    const body = content === undefined ? inlinedBytes(index, id) : files.read(content, 0, sizeBytes, true)
    for await (const chunk of chunksOf(body)) check.update(chunk)
    const value = check.finish().checksum?.value
    return value === undefined ? undefined : { algorithm, value, type: 'FULL_OBJECT' as const }
  }

  #present(index: BlobTransaction, key: string, versionId: string | undefined): StoredVersion {
    checkBlobKey(key)
    const found = findVersion(index, this.#bucket, key, versionId)
    if (found === undefined || found.isMarker) throw noSuchBlob(key)
    return found
  }
}

/** @param keepsChecksums false: the copy has another algorithm */
const storedParts = (parts: readonly BlobPart[], keepsChecksums: boolean) =>
  parts.map(({ partNumber, checksum }) => [partNumber, keepsChecksums ? (checksum?.value ?? null) : null] as const)

function inlinedBytes(index: BlobTransaction, id: number): Uint8Array {
  return (index.first('SELECT bytes FROM inlined WHERE id = ?', id)?.['bytes'] as Uint8Array) ?? new Uint8Array(0)
}
