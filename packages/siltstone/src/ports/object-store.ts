/**
 * The object-store port: the part of S3 that Siltstone needs. Each driver passes `object-store.contract.ts`.
 *
 * Callers may rely on the following, with each driver:
 * - A `put` that returned `ok` is durable and visible to each later `get`, `head` and `list` of any process.
 * - `ifAbsent` and `ifMatch` are atomic between processes. There is no rename and no append.
 * - A reader sees a whole object or none; an upload is invisible until it is completed.
 * - `list` returns keys in byte order of their UTF-8 form, at most 1,000 keys and prefixes per page.
 * - ETags are opaque and never parsed. Equal ETags mean equal content for objects that were written by one put.
 *
 * They may not rely on the outcome of a conditional put that throws, or that returns `exists` or `mismatch` after a
 * driver or client library repeated it: both are ambiguous. The port throws `unavailable` (nothing was applied) or
 * `unknown` (it was applied, was not, or still may be).
 */
import type { DirectUploads } from './direct-uploads.ts'

export interface ByteRange {
  offset: number
  /** A range that reaches past the end of the object is cut there; one that begins at or past the end is empty. */
  length: number
}

export interface GetOptions {
  range?: ByteRange
  /** Return `not-modified` if the object has this ETag. */
  ifNoneMatch?: string
  /** Return `mismatch` if the object has another ETag. */
  ifMatch?: string
  /** The object never changes: a driver may keep it and return it even after it was deleted. */
  immutable?: boolean
  /**
   * Memory for the body, with room for all of it: a driver that can puts the body there, and answers with a view of it. For who
   * reads much and keeps nothing of it.
   */
  into?: Uint8Array
}

/** `sizeBytes` is the size of the whole object, also with a range. `etag` may be missing if there is a range and no condition. */
export type GetResult =
  | {
      status: 'ok'
      body: Uint8Array
      etag: string | undefined
      sizeBytes: number
      lastModifiedMs: number
      /** Names this version of the object, where the store keeps versions. */
      versionId?: string
    }
  | { status: 'not-found' }
  | { status: 'not-modified' }
  | { status: 'mismatch' }

export interface PutOptions {
  /** Create only: the result is `exists` if there is an object. */
  ifAbsent?: true
  /** Replace only this version: the result is `mismatch` for another version and `not-found` for no object. */
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
  /** Always set by `head`; by `list` only on request, because a directory has to read the file for it. */
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
  /** As returned by the previous page. */
  continuation?: string
  /** Fill in `etag` of every object. */
  etags?: boolean
}

export interface ListPage {
  objects: ObjectInfo[]
  prefixes: string[]
  /** Present if there is another page. */
  continuation: string | undefined
}

export interface DeleteResult {
  /** Keys that certainly no longer exist; a missing key counts as deleted. */
  deleted: string[]
  failed: { key: string; error: Error }[]
}

export interface DeleteOptions {
  /**
   * By key: the only version to delete. Then a store that keeps versions keeps neither the version nor a marker. A
   * store that keeps none ignores it.
   */
  versions?: ReadonlyMap<string, string>
}

/** An object written in parts, invisible until `complete`. */
export interface Upload {
  /** The chunk may be changed when this returns. It may throw what writing an earlier one threw. */
  write(chunk: Uint8Array): Promise<void>
  /** Of all chunks so far, in hexadecimal, where the store computes it in any case. */
  sha256?(): string
  complete(): Promise<PutResult>
  /** Discards what was written. After `complete` it does nothing. */
  abort(): Promise<void>
}

export interface ObjectStoreCapabilities {
  /** One page of `list` shows one point in time (S3: yes; a directory: no). */
  atomicListPages: boolean
  /** `startAfter` saves work (S3: yes; a directory reads all names in any case). */
  cheapStartAfter: boolean
  /** Reads come from this machine, whose page cache keeps what is read often. */
  isLocal: boolean
  /** Reading this many bytes in vain costs less than another request. */
  gapBytes: number
}

/** `gapBytes` where a request takes milliseconds and is paid for. */
export const DISTANT_GAP_BYTES = 32 * 1024

export interface ObjectStore {
  /** For messages: `directory /x`, `memory`, `s3://bucket/prefix`. */
  readonly description: string
  readonly capabilities: ObjectStoreCapabilities
  get(key: string, options?: GetOptions): Promise<GetResult>
  head(key: string): Promise<ObjectInfo | undefined>
  put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult>
  /** For objects too large for memory. `ifAbsent` is tested by `complete`. */
  upload(key: string, options?: { ifAbsent?: true; contentType?: string }): Promise<Upload>
  list(prefix: string, options?: ListOptions): Promise<ListPage>
  delete(keys: readonly string[], options?: DeleteOptions): Promise<DeleteResult>
  /**
   * A URL that lets its holder read the object for a time, without this process. Only stores that answer HTTP themselves have it.
   * @param options.expiresInMs 1 s to 7 days
   */
  presignGet?(key: string, options: { expiresInMs: number }): Promise<string>
  /** Undefined in stores that do not answer HTTP themselves, or are read alone. */
  readonly direct?: DirectUploads | undefined
  close(): Promise<void>
}
