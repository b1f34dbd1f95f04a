import type { Fetch } from 'siltstone/reading'

export interface OpenOptions {
  /** The address is that of a store; this is the name of one of its collections. Default: a published folder. */
  collection?: string
  /** Default `default_tenant`. */
  tenant?: string
  /** Default `default_database`. */
  database?: string
  /** Vectors for texts of queries: one for each, of the collection's dimension. */
  embed?: (texts: readonly string[]) => Promise<readonly (Float32Array | readonly number[])[]>
  /** Default: the global one. */
  fetch?: Fetch
  /** Sent with each request. A host of another origin has to allow them (CORS). */
  headers?: Readonly<Record<string, string>>
  /** Bytes of decoded blocks kept in memory. Default 32 MB. */
  cacheBytes?: number
  /** Up to this many bytes are read in vain to save a request. Default 256 of a published folder, 16,384 of a bucket. */
  gapBytes?: number
}

export const CACHE_BYTES = 32 * 1024 * 1024
/** Hosts of pages speak HTTP/2 or later, over which requests cost little. */
export const PUBLISHED_GAP_BYTES = 256
/** Most buckets speak HTTP/1.1, and charge requests. */
export const BUCKET_GAP_BYTES = 16 * 1024
