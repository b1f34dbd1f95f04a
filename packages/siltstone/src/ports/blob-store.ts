/**
 * The blob port: objects of users, as S3 has them. Beside the object-store port, which is what Siltstone itself needs and
 * is narrower (a whole object per read, keys that are paths). Each driver passes `blob-store.contract.ts`.
 *
 * Callers may rely on the following, with each driver:
 * - A key is any well-formed Unicode text of 1 to 1,024 bytes in UTF-8: `a` beside `a/b`, `..`, `//`, any case.
 * - A `put`, `copy` or `completeUpload` that returned `ok` is durable and visible to each later call of any process.
 * - Nothing is visible before its size and checksums were compared with the expected ones. A crash leaves nothing listed.
 * - Bodies are streams. No call holds more than a few parts of a body in memory.
 * - Conditions are atomic between processes.
 * - `list` returns keys in byte order of their UTF-8 form, at most 1,000 keys and prefixes per page.
 * - ETags are opaque, with their quotes.
 */
export const CHECKSUM_ALGORITHMS = ['CRC64NVME', 'CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number]

/** `COMPOSITE`: the checksum of the parts' checksums, with `-<parts>` at its end. */
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE'

/** Base64, as S3 writes them. */
export interface BlobChecksum {
  algorithm: ChecksumAlgorithm
  value: string
  type: ChecksumType
}

/** What comes with the bytes and never changes for one version. */
export interface BlobHead {
  contentType?: string
  cacheControl?: string
  contentDisposition?: string
  contentEncoding?: string
  contentLanguage?: string
  expires?: string
  /** User metadata; names in lower case, printable ASCII, 2 KB in all. */
  metadata?: Readonly<Record<string, string>>
}

export type BlobTags = Readonly<Record<string, string>>

export interface BlobInfo {
  key: string
  /** Missing in a store that keeps no versions. */
  versionId?: string
  etag: string
  sizeBytes: number
  lastModifiedMs: number
  head: BlobHead
  checksum?: BlobChecksum
  tagCount: number
  /** Of an object that was uploaded in parts. */
  partCount?: number
}

/** The memory of a chunk is the caller's again when the store asks for the next one: a store that keeps it makes a copy. */
export type BlobBody = Uint8Array | AsyncIterable<Uint8Array>

/** What the bytes must be; otherwise the call throws and stores nothing. */
export interface ExpectedBytes {
  sizeBytes?: number
  /** Base64. */
  md5?: string
  /** Hexadecimal, as Signature Version 4 signs it. It is not kept with the blob. */
  sha256?: string
  /**
   * The checksum to compute and keep. `expected` is called after the last byte was read, because it may follow the bytes
   * in a trailer; undefined: there is nothing to compare with.
   */
  checksum?: { algorithm: ChecksumAlgorithm; expected?: () => string | undefined }
}

export interface WriteCondition {
  /** Create only: the result is `exists` if there is an object. */
  ifAbsent?: true
  /** Replace only this version, or `*` for any: the result is `mismatch` for another ETag and `not-found` for no object. */
  ifMatch?: string
}

export interface PutBlobOptions extends WriteCondition, ExpectedBytes {
  head?: BlobHead
  tags?: BlobTags
}

export type PutBlobResult =
  | { status: 'ok'; blob: BlobInfo }
  | { status: 'exists' }
  | { status: 'mismatch' }
  | { status: 'not-found' }

/** `ifMatch` and `ifNoneMatch`: one ETag, several with commas, or `*`. Times are compared in whole seconds. */
export interface ReadCondition {
  ifMatch?: string
  ifNoneMatch?: string
  ifModifiedSinceMs?: number
  ifUnmodifiedSinceMs?: number
}

/** The first byte and how many, or the last bytes. A range that reaches past the end is cut there. */
export type BlobRange = { offset: number; length?: number } | { lastBytes: number }

export interface GetBlobOptions extends ReadCondition {
  versionId?: string
  range?: BlobRange
  /** Instead of a range: one part of an object that was uploaded in parts. Any other object is its part 1. */
  partNumber?: number
  /**
   * The caller is done with each chunk of the body when it asks for the next, so that a store may read into the same memory
   * again. Default: chunks are the caller's.
   */
  reusesChunks?: boolean
}

/** `delete-marker`: a store with versions, and the newest one (or the named one) says that the object was deleted. */
export type BlobMiss =
  | { status: 'not-found' }
  | { status: 'delete-marker'; versionId: string }
  | { status: 'not-modified'; blob: BlobInfo }
  | { status: 'mismatch' }

export type GetBlobResult =
  | { status: 'ok'; blob: BlobInfo; body: AsyncIterable<Uint8Array>; start: number; end: number }
  /** Also for a part that there is not. */
  | { status: 'bad-range'; sizeBytes: number }
  | BlobMiss

export type HeadBlobResult = { status: 'ok'; blob: BlobInfo } | BlobMiss

export interface ListBlobsOptions {
  prefix?: string
  /** Any text. Keys that hold it after the prefix are grouped into `prefixes`. */
  delimiter?: string
  /** Only keys strictly after this one, in byte order. */
  startAfter?: string
  /** As returned by the previous page. */
  continuation?: string
  /** At most this many keys and prefixes, 1 to 1,000. Default 1,000. */
  limit?: number
}

/** Without `head` and `checksum`, which no listing returns. */
export type ListedBlob = Pick<BlobInfo, 'key' | 'etag' | 'sizeBytes' | 'lastModifiedMs'>

export interface BlobPage {
  blobs: ListedBlob[]
  prefixes: string[]
  /** Present if there is another page. */
  continuation?: string
}

export interface ListedVersion extends ListedBlob {
  versionId: string
  isLatest: boolean
  isDeleteMarker: boolean
}

export interface ListVersionsOptions extends Omit<ListBlobsOptions, 'startAfter' | 'continuation'> {
  /** The last key of the previous page, and its version. */
  after?: { key: string; versionId?: string }
}

export interface VersionPage {
  versions: ListedVersion[]
  prefixes: string[]
  next?: { key: string; versionId?: string }
}

export interface DeleteBlobOptions {
  /** This version permanently, instead of a marker on top of it. */
  versionId?: string
  /** Delete only this version, or `*` for any: the result is `mismatch` for another ETag, and for no object. */
  ifMatch?: string
}

/** Deleting what is not there is `ok`. `versionId` names the version that is gone, or the marker that was made. */
export type DeleteBlobResult = { status: 'ok'; versionId?: string; isDeleteMarker?: boolean } | { status: 'mismatch' }

export interface BlobSource extends ReadCondition {
  /** Default: the bucket of the target. */
  bucket?: string
  key: string
  versionId?: string
}

export interface CopyBlobOptions extends WriteCondition {
  /** Instead of the source's. */
  head?: BlobHead
  /** Instead of the source's. */
  tags?: BlobTags
  checksum?: ChecksumAlgorithm
}

export type CopyBlobResult = PutBlobResult | { status: 'source-not-found' } | { status: 'source-mismatch' }

export interface UploadOptions {
  head?: BlobHead
  tags?: BlobTags
  checksum?: { algorithm: ChecksumAlgorithm; type?: ChecksumType }
}

export interface PartInfo {
  partNumber: number
  etag: string
  sizeBytes: number
  lastModifiedMs: number
  checksum?: { algorithm: ChecksumAlgorithm; value: string }
}

/** A part of an object that was uploaded in parts. */
export interface BlobPart {
  partNumber: number
  sizeBytes: number
  checksum?: { algorithm: ChecksumAlgorithm; value: string }
}

export type CopyPartResult =
  | { status: 'ok'; part: PartInfo }
  | { status: 'source-not-found' }
  | { status: 'source-mismatch' }
  | { status: 'bad-range' }

/** A part as `putPart` or `listParts` returned it, or as a client names it. */
export interface ChosenPart {
  partNumber: number
  etag: string
  checksum?: string | { value: string }
}

export interface UploadInfo {
  key: string
  uploadId: string
  startedMs: number
  checksum?: { algorithm: ChecksumAlgorithm; type: ChecksumType }
}

export interface CompleteUploadOptions extends WriteCondition {
  /** Of the whole object. */
  checksum?: string
  sizeBytes?: number
}

export type Versioning = 'off' | 'enabled' | 'suspended'

/** One bucket. */
export interface BlobStore {
  /** For messages: `bucket media in /data`, `s3://bucket/prefix`. */
  readonly description: string

  /** @throws SiltstoneError `invalid` (bad-key, bad-metadata, bad-tags, bad-digest, bad-sha256, incomplete-body, too-large) */
  put(key: string, body: BlobBody, options?: PutBlobOptions): Promise<PutBlobResult>
  get(key: string, options?: GetBlobOptions): Promise<GetBlobResult>
  head(key: string, options?: Omit<GetBlobOptions, 'range' | 'partNumber' | 'reusesChunks'>): Promise<HeadBlobResult>
  /**
   * The parts that an object was uploaded in, after `after`, at most `limit` (1 to 1,000); none of an object that was not.
   * @throws SiltstoneError `not-found` (no-such-blob)
   */
  parts(
    key: string,
    options?: { versionId?: string; after?: number; limit?: number },
  ): Promise<{ parts: BlobPart[]; next?: number }>
  list(options?: ListBlobsOptions): Promise<BlobPage>
  listVersions(options?: ListVersionsOptions): Promise<VersionPage>
  delete(key: string, options?: DeleteBlobOptions): Promise<DeleteBlobResult>
  /** On one machine no byte is copied. */
  copy(source: BlobSource, key: string, options?: CopyBlobOptions): Promise<CopyBlobResult>
  /** @throws SiltstoneError `not-found` (no-such-blob) */
  tags(key: string, versionId?: string): Promise<BlobTags>
  /** @throws SiltstoneError `not-found` (no-such-blob), `invalid` (bad-tags) */
  setTags(key: string, tags: BlobTags, versionId?: string): Promise<void>

  createUpload(key: string, options?: UploadOptions): Promise<UploadInfo>
  /** @throws SiltstoneError `not-found` (no-such-upload), `invalid` (bad-part-number), and as `put` */
  putPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: BlobBody,
    expected?: ExpectedBytes,
  ): Promise<PartInfo>
  copyPart(
    key: string,
    uploadId: string,
    partNumber: number,
    source: BlobSource & { range?: BlobRange },
  ): Promise<CopyPartResult>
  /** Parts after `after` in order of their numbers. @throws SiltstoneError `not-found` (no-such-upload) */
  listParts(
    key: string,
    uploadId: string,
    options?: { after?: number; limit?: number },
  ): Promise<{ upload: UploadInfo; parts: PartInfo[]; next?: number }>
  /**
   * @throws SiltstoneError `not-found` (no-such-upload), `invalid` (bad-part, bad-part-order, part-too-small,
   *   bad-digest)
   */
  completeUpload(
    key: string,
    uploadId: string,
    parts: readonly ChosenPart[],
    options?: CompleteUploadOptions,
  ): Promise<PutBlobResult>
  /** @throws SiltstoneError `not-found` (no-such-upload) */
  abortUpload(key: string, uploadId: string): Promise<void>
  /** In order of keys, then of their start. */
  listUploads(options?: {
    prefix?: string
    after?: { key: string; uploadId?: string }
    limit?: number
  }): Promise<{ uploads: UploadInfo[]; next?: { key: string; uploadId: string } }>

  versioning(): Promise<Versioning>
  setVersioning(versioning: Exclude<Versioning, 'off'>): Promise<void>
}

export interface BucketInfo {
  name: string
  createdMs: number
}

/** The buckets of one place. */
export interface BlobBuckets {
  readonly description: string
  listBuckets(): Promise<BucketInfo[]>
  /** @returns false if it was there. @throws SiltstoneError `invalid` (bad-bucket-name) */
  createBucket(name: string): Promise<boolean>
  /** Aborts unfinished uploads. @throws SiltstoneError `not-found` (no-such-bucket), `conflict` (bucket-not-empty: objects or versions) */
  deleteBucket(name: string): Promise<void>
  hasBucket(name: string): Promise<boolean>
  /** Makes no request: a missing bucket is an error of each call, `not-found` (no-such-bucket). */
  bucket(name: string): BlobStore
  /** A document that the service keeps with a bucket, `cors` for example. */
  setting(bucket: string, name: string): Promise<string | undefined>
  /** Undefined removes it. */
  setSetting(bucket: string, name: string, text: string | undefined): Promise<void>
  close(): Promise<void>
}
