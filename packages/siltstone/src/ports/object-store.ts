/**
 * The object-store port: what Siltstone needs of S3, no more. Every driver passes `object-store.contract.ts`.
 *
 * What callers may rely on, on every driver:
 * - A `put` that answers `ok` is durable and visible to every later `get`, `head` and `list` of any process.
 * - `ifAbsent` and `ifMatch` are atomic between processes. There is no rename and no append.
 * - A reader sees a whole object or none; an upload is invisible until it is completed.
 * - `list` answers in byte order of the UTF-8 key, at most 1,000 keys (and prefixes) a page.
 * - ETags are opaque: equal means equal content for objects we write with one put; never parse one.
 *
 * What they may not rely on: a conditional put that throws, or that answers `exists`/`mismatch` after a retry below,
 * is ambiguous. The port throws `unavailable` (nothing was applied) or `unknown` (it may have been applied or may
 * still be).
 */
export interface ByteRange {
  offset: number
  /** Bytes wanted; a range that reaches past the end is cut there, one that begins at or past the end is empty. */
  length: number
}

export interface GetOptions {
  range?: ByteRange
  /** Answer `not-modified` when the object's ETag is this one. */
  ifNoneMatch?: string
  /** Answer `mismatch` when the object's ETag is another one. */
  ifMatch?: string
  /** The object never changes: a driver may hold on to it, and answer from it even after it was deleted. */
  immutable?: boolean
}

/** `sizeBytes` is that of the whole object, also with a range; `etag` may be missing with a range and no condition. */
export type GetResult =
  | { status: 'ok'; body: Uint8Array; etag: string | undefined; sizeBytes: number; lastModifiedMs: number }
  | { status: 'not-found' }
  | { status: 'not-modified' }
  | { status: 'mismatch' }

export interface PutOptions {
  /** Create only: an existing object answers `exists`. */
  ifAbsent?: true
  /** Replace only this version: another one answers `mismatch`, a missing object `not-found`. */
  ifMatch?: string
  contentType?: string
  contentEncoding?: string
}

export type PutResult =
  | { status: 'ok'; etag: string }
  | { status: 'exists' }
  | { status: 'mismatch' }
  | { status: 'not-found' }

export interface ObjectInfo {
  key: string
  sizeBytes: number
  /** Set on every driver by `head`; by `list` only where it was asked for (a directory must read the file for it). */
  etag: string | undefined
  lastModifiedMs: number
}

export interface ListOptions {
  /** Only keys strictly after this one, in byte order. */
  startAfter?: string
  /** Group keys that hold this string after the prefix into `prefixes`. */
  delimiter?: '/'
  /** At most this many keys and prefixes, 1 to 1,000. Default 1,000. */
  limit?: number
  /** From the page before. */
  continuation?: string
  /** Fill in `etag` of every object. */
  etags?: boolean
}

export interface ListPage {
  objects: ObjectInfo[]
  prefixes: string[]
  /** Present when there is more. */
  continuation: string | undefined
}

export interface DeleteResult {
  /** Keys that are certainly gone; an absent key counts as deleted. */
  deleted: string[]
  failed: { key: string; error: Error }[]
}

/** An object written in parts, invisible until `complete`. */
export interface Upload {
  write(chunk: Uint8Array): Promise<void>
  complete(): Promise<PutResult>
  /** Drop what was written. Safe to call after `complete` (it then does nothing). */
  abort(): Promise<void>
}

export interface ObjectStoreCapabilities {
  /** One page of `list` is one point in time (S3: yes; a directory: no). */
  atomicListPages: boolean
  /** `startAfter` saves work (S3: yes; a directory reads all names anyway). */
  cheapStartAfter: boolean
  /** Reads come from this machine, which keeps in memory what is read often. */
  isLocal: boolean
}

export interface ObjectStore {
  /** For messages: `directory /x`, `memory`, `s3://bucket/prefix`. */
  readonly description: string
  readonly capabilities: ObjectStoreCapabilities
  get(key: string, options?: GetOptions): Promise<GetResult>
  head(key: string): Promise<ObjectInfo | undefined>
  put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult>
  /** For objects too large for memory. `ifAbsent` is tested at `complete`. */
  upload(key: string, options?: { ifAbsent?: true; contentType?: string }): Promise<Upload>
  list(prefix: string, options?: ListOptions): Promise<ListPage>
  delete(keys: readonly string[]): Promise<DeleteResult>
  close(): Promise<void>
}
