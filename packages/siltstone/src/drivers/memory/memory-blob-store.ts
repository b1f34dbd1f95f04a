import { concatBytes } from '../../codec/bytes.ts'
import {
  BodyCheck,
  checkChecksumType,
  chunksOf,
  defaultChecksumType,
  type ReceivedBytes,
} from '../../host/blob-checksum.ts'
import {
  blobRange,
  checkBlobKey,
  checkHead,
  checkPartNumber,
  checkTags,
  MAX_PART_BYTES,
  MAX_PUT_BYTES,
  noSuchBlob,
  noSuchUpload,
  pageLimit,
  partRange,
  partsPage,
  readRefusal,
  etagMatches,
  wholeRange,
} from '../../ports/blob-rules.ts'
import type {
  BlobBody,
  BlobInfo,
  BlobMiss,
  BlobPage,
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
} from '../../ports/blob-store.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Ids } from '../../ports/ids.ts'
import type { MemoryBucket, MemoryPart, MemoryUpload, MemoryVersion } from './memory-blob-bucket.ts'
import { listBlobs, type ListUploadsOptions, listUploads, listVersions } from './memory-blob-lists.ts'
import { completedBlob } from './memory-blob-parts.ts'

type Content = NonNullable<MemoryVersion['content']>

export class MemoryBlobStore implements BlobStore {
  readonly description: string
  readonly #name: string
  readonly #find: (bucket: string) => MemoryBucket
  readonly #clock: Clock
  readonly #ids: Ids

  constructor(name: string, find: (bucket: string) => MemoryBucket, { clock, ids }: { clock: Clock; ids: Ids }) {
    this.description = `bucket ${name} in memory`
    this.#name = name
    this.#find = find
    this.#clock = clock
    this.#ids = ids
  }

  async put(key: string, body: BlobBody, options: PutBlobOptions = {}): Promise<PutBlobResult> {
    const { head = {}, tags = {} } = options
    checkBlobKey(key)
    checkHead(head)
    checkTags(tags)
    this.#find(this.#name)
    const { bytes, received } = await receive(body, options, MAX_PUT_BYTES)
    const { checksum, sizeBytes, md5 } = received
    const blob = {
      head,
      etag: `"${md5}"`,
      sizeBytes,
      ...(checksum && { checksum: { ...checksum, type: 'FULL_OBJECT' as const } }),
    }
    return this.#insert(key, { ...blob, bytes, tags }, options)
  }

  async get(key: string, options: GetBlobOptions = {}): Promise<GetBlobResult> {
    const found = this.#read(key, options)
    if (found.status !== 'ok') return found
    const { blob, bytes, parts } = found.content
    const { range, partNumber } = options
    const cut = partNumber === undefined ? blobRange(range, bytes.length) : partRange(partNumber, parts, bytes.length)
    if (cut === undefined) return { status: 'bad-range', sizeBytes: bytes.length }
    return { status: 'ok', blob, body: chunksOf(bytes.slice(cut.start, cut.end)), ...cut }
  }

  async head(key: string, options: Omit<GetBlobOptions, 'range' | 'partNumber'> = {}): Promise<HeadBlobResult> {
    const found = this.#read(key, options)
    return found.status === 'ok' ? { status: 'ok', blob: found.content.blob } : found
  }

  async parts(key: string, options: { versionId?: string; after?: number; limit?: number } = {}) {
    return partsPage(this.#present(key, options.versionId).parts ?? [], options)
  }

  async list(options: ListBlobsOptions = {}): Promise<BlobPage> {
    return listBlobs(this.#bucket, options)
  }

  async listVersions(options: ListVersionsOptions = {}): Promise<VersionPage> {
    return listVersions(this.#bucket, options)
  }

  async delete(key: string, { versionId, ifMatch }: DeleteBlobOptions = {}): Promise<DeleteBlobResult> {
    checkBlobKey(key)
    const { versioning } = this.#bucket
    const versions = this.#versions(key)
    const found = versionId === undefined ? versions[0] : versions.find((one) => one.versionId === versionId)
    const etag = found?.content?.blob.etag
    if (ifMatch !== undefined && (etag === undefined || !etagMatches(ifMatch, etag))) return { status: 'mismatch' }
    const named = versionId !== undefined && { versionId }
    if (versionId !== undefined || versioning === 'off') {
      if (found === undefined) return { status: 'ok', ...named }
      this.#setVersions(
        key,
        versions.filter((one) => one !== found),
      )
      return { status: 'ok', ...named, ...(found.content === undefined && { isDeleteMarker: true }) }
    }
    const marker = versioning === 'enabled' ? this.#ids.ulid() : 'null'
    this.#setVersions(key, [{ versionId: marker, modifiedMs: this.#clock.nowMs() }, ...this.#kept(versions, marker)])
    return { status: 'ok', versionId: marker, isDeleteMarker: true }
  }

  async copy(source: BlobSource, key: string, options: CopyBlobOptions = {}): Promise<CopyBlobResult> {
    checkBlobKey(key)
    if (options.head) checkHead(options.head)
    if (options.tags) checkTags(options.tags)
    const from = this.#source(source)
    if (typeof from === 'string') return { status: from }
    const { key: _, versionId: __, ...blob } = from.blob
    const { parts } = from
    const content = {
      ...blob,
      bytes: from.bytes,
      head: options.head ?? blob.head,
      tags: options.tags ?? from.tags,
      ...(parts && { parts }),
    }
    const { checksum: algorithm } = options
    if (algorithm === undefined || algorithm === blob.checksum?.algorithm) return this.#insert(key, content, options)
    const { received } = await receive(from.bytes, { checksum: { algorithm } }, Number.MAX_SAFE_INTEGER)
    const checksum = received.checksum && { ...received.checksum, type: 'FULL_OBJECT' as const }
    const bare = parts?.map(({ partNumber, sizeBytes }) => ({ partNumber, sizeBytes }))
    return this.#insert(key, { ...content, ...(bare && { parts: bare }), ...(checksum && { checksum }) }, options)
  }

  async tags(key: string, versionId?: string): Promise<BlobTags> {
    return this.#present(key, versionId).tags
  }

  async setTags(key: string, tags: BlobTags, versionId?: string): Promise<void> {
    checkTags(tags)
    const content = this.#present(key, versionId)
    content.tags = tags
    content.blob = { ...content.blob, tagCount: Object.keys(tags).length }
  }

  async createUpload(key: string, options: UploadOptions = {}): Promise<UploadInfo> {
    checkBlobKey(key)
    if (options.head) checkHead(options.head)
    if (options.tags) checkTags(options.tags)
    const { checksum } = options
    const type = checksum && (checksum.type ?? defaultChecksumType(checksum.algorithm))
    if (checksum && type) checkChecksumType(checksum.algorithm, type)
    const info = {
      key,
      uploadId: this.#ids.ulid(),
      startedMs: this.#clock.nowMs(),
      ...(checksum && type && { checksum: { algorithm: checksum.algorithm, type } }),
    }
    this.#bucket.uploads.set(info.uploadId, { info, options, parts: new Map() })
    return info
  }

  async putPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: BlobBody,
    expected: ExpectedBytes = {},
  ): Promise<PartInfo> {
    checkPartNumber(partNumber)
    const algorithm = this.#upload(key, uploadId).info.checksum?.algorithm
    const checksum = expected.checksum ?? (algorithm && { algorithm })
    const { bytes, received } = await receive(body, { ...expected, ...(checksum && { checksum }) }, MAX_PART_BYTES)
    const part: MemoryPart = {
      info: {
        partNumber,
        etag: `"${received.md5}"`,
        sizeBytes: bytes.length,
        lastModifiedMs: this.#clock.nowMs(),
        ...(received.checksum && { checksum: received.checksum }),
      },
      md5: received.md5,
      bytes,
    }
    this.#upload(key, uploadId).parts.set(partNumber, part)
    return part.info
  }

  async copyPart(
    key: string,
    uploadId: string,
    partNumber: number,
    source: BlobSource & { range?: BlobRange },
  ): Promise<CopyPartResult> {
    const from = this.#source(source)
    if (typeof from === 'string') return { status: from }
    const cut = wholeRange(source.range, from.bytes.length)
    if (cut === undefined) return { status: 'bad-range' }
    return { status: 'ok', part: await this.putPart(key, uploadId, partNumber, from.bytes.slice(cut.start, cut.end)) }
  }

  async listParts(key: string, uploadId: string, options: { after?: number; limit?: number } = {}) {
    const { info, parts } = this.#upload(key, uploadId)
    const limit = pageLimit(options.limit)
    const rest = [...parts.values()].map((part) => part.info).filter((part) => part.partNumber > (options.after ?? 0))
    rest.sort((a, b) => a.partNumber - b.partNumber)
    const page = rest.slice(0, limit)
    const last = page.at(-1)
    return { upload: info, parts: page, ...(rest.length > limit && last && { next: last.partNumber }) }
  }

  async completeUpload(
    key: string,
    uploadId: string,
    chosen: readonly ChosenPart[],
    options: CompleteUploadOptions = {},
  ): Promise<PutBlobResult> {
    const done = this.#versions(key).find((one) => one.content?.uploadId === uploadId)
    if (done?.content !== undefined) return { status: 'ok', blob: done.content.blob }
    const upload = this.#upload(key, uploadId)
    const content = completedBlob(upload, chosen, options)
    const result = this.#insert(key, { ...content, uploadId, tags: upload.options.tags ?? {} }, options)
    if (result.status === 'ok') this.#bucket.uploads.delete(uploadId)
    return result
  }

  async abortUpload(key: string, uploadId: string): Promise<void> {
    this.#upload(key, uploadId)
    this.#bucket.uploads.delete(uploadId)
  }

  async listUploads(options: ListUploadsOptions = {}) {
    return listUploads(this.#bucket, options)
  }

  async versioning(): Promise<Versioning> {
    return this.#bucket.versioning
  }

  async setVersioning(versioning: Exclude<Versioning, 'off'>): Promise<void> {
    this.#bucket.versioning = versioning
  }

  get #bucket(): MemoryBucket {
    return this.#find(this.#name)
  }

  #versions(key: string, bucket = this.#bucket): MemoryVersion[] {
    return bucket.keys.get(key) ?? []
  }

  #setVersions(key: string, versions: MemoryVersion[]): void {
    if (versions.length === 0) this.#bucket.keys.delete(key)
    else this.#bucket.keys.set(key, versions)
  }

  /** What stays below a new version: the version without an id is replaced by its like. */
  #kept(versions: readonly MemoryVersion[], newId: string): MemoryVersion[] {
    return versions.filter(({ versionId }) => newId !== 'null' || versionId !== 'null')
  }

  #insert(
    key: string,
    {
      bytes,
      tags,
      parts,
      uploadId,
      ...blob
    }: Omit<BlobInfo, 'key' | 'versionId' | 'lastModifiedMs' | 'tagCount'> & Omit<Content, 'blob'>,
    { ifAbsent, ifMatch }: WriteCondition,
  ): PutBlobResult {
    const { versioning } = this.#bucket
    const versions = this.#versions(key)
    const current = versions[0]?.content
    if (ifAbsent === true && current !== undefined) return { status: 'exists' }
    if (ifMatch !== undefined && current === undefined) return { status: 'not-found' }
    if (ifMatch !== undefined && current && !etagMatches(ifMatch, current.blob.etag)) return { status: 'mismatch' }
    const versionId = versioning === 'enabled' ? this.#ids.ulid() : 'null'
    const modifiedMs = this.#clock.nowMs()
    const whole: BlobInfo = {
      ...blob,
      key,
      lastModifiedMs: modifiedMs,
      tagCount: Object.keys(tags).length,
      ...(versioning !== 'off' && { versionId }),
    }
    const content = { blob: whole, tags, bytes, ...(parts && { parts }), ...(uploadId !== undefined && { uploadId }) }
    this.#setVersions(key, [{ versionId, modifiedMs, content }, ...this.#kept(versions, versionId)])
    return { status: 'ok', blob: whole }
  }

  #read(key: string, options: ReadCondition & { versionId?: string }): { status: 'ok'; content: Content } | BlobMiss {
    checkBlobKey(key)
    const versions = this.#versions(key)
    const { versionId } = options
    const found = versionId === undefined ? versions[0] : versions.find((one) => one.versionId === versionId)
    if (found === undefined) return { status: 'not-found' }
    const { content } = found
    if (content === undefined) return { status: 'delete-marker', versionId: found.versionId }
    const visible =
      this.#bucket.versioning === 'off'
        ? content
        : { ...content, blob: { ...content.blob, versionId: found.versionId } }
    const refused = readRefusal(options, content.blob)
    if (refused === 'not-modified') return { status: refused, blob: visible.blob }
    return refused === undefined ? { status: 'ok', content: visible } : { status: refused }
  }

  #source(source: BlobSource): Content | 'source-not-found' | 'source-mismatch' {
    checkBlobKey(source.key)
    const versions = this.#versions(source.key, source.bucket === undefined ? this.#bucket : this.#find(source.bucket))
    const found =
      source.versionId === undefined ? versions[0] : versions.find((one) => one.versionId === source.versionId)
    if (found?.content === undefined) return 'source-not-found'
    return readRefusal(source, found.content.blob) === undefined ? found.content : 'source-mismatch'
  }

  #present(key: string, versionId: string | undefined): Content {
    checkBlobKey(key)
    const versions = this.#versions(key)
    const found = versionId === undefined ? versions[0] : versions.find((one) => one.versionId === versionId)
    if (found?.content === undefined) throw noSuchBlob(key)
    return found.content
  }

  #upload(key: string, uploadId: string): MemoryUpload {
    const found = this.#bucket.uploads.get(uploadId)
    if (found === undefined || found.info.key !== key) throw noSuchUpload(uploadId)
    return found
  }
}

async function receive(
  body: BlobBody,
  expected: ExpectedBytes,
  maxBytes: number,
): Promise<{ bytes: Uint8Array; received: ReceivedBytes }> {
  const check = new BodyCheck(expected, maxBytes)
  const chunks: Uint8Array[] = []
  for await (const chunk of chunksOf(body)) {
    check.update(chunk)
    chunks.push(new Uint8Array(chunk))
  }
  return { received: check.finish(), bytes: concatBytes(chunks) }
}
