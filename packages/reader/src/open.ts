import {
  BucketSource,
  type Fetch,
  FetchObjectStore,
  invalid,
  PublishedSource,
  ReadOnlyCollection,
  type ReadSource,
} from 'siltstone/reading'

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
  /** Up to this many bytes are read in vain to save a request. Default 512 of a published folder, 16,384 of a bucket. */
  gapBytes?: number
}

const CACHE_BYTES = 32 * 1024 * 1024
/** Hosts of pages speak HTTP/2 or later, over which requests cost little. */
const PUBLISHED_GAP_BYTES = 512
/** Most buckets speak HTTP/1.1, and charge requests. */
const BUCKET_GAP_BYTES = 16 * 1024

/**
 * Opens a folder that `siltstone publish` wrote, or with `collection`, a collection of a store in a bucket as of its last
 * snapshot.
 * @param url the address of the folder, or of the store's root
 * @throws SiltstoneError `invalid` (bad-url), `not-found` (not-published, collection-missing), `unavailable`,
 *   `forbidden`, `corrupt`, `unsupported`
 */
export async function open(url: string | URL, options: OpenOptions = {}): Promise<ReadOnlyCollection> {
  const { collection, tenant = 'default_tenant', database = 'default_database', fetch, headers, gapBytes } = options
  const store = new FetchObjectStore(url, {
    ...(fetch && { fetch }),
    ...(headers && { headers }),
    gapBytes: gapBytes ?? (collection === undefined ? PUBLISHED_GAP_BYTES : BUCKET_GAP_BYTES),
  })
  const { cacheBytes = CACHE_BYTES, embed } = options
  const source =
    collection === undefined
      ? await PublishedSource.open(store, { cacheBytes, ...(embed && { embed: embedderOf(options) }) })
      : await BucketSource.open(store, { tenant, database, collection }, { cacheBytes, embed: embedderOf(options) })
  return new ReadOnlyCollection(source)
}

function embedderOf({ embed }: OpenOptions): ReadSource['embed'] {
  return async (texts) => {
    if (!embed)
      throw invalid('embedder-missing', 'texts need an embedder: give vectors, or open(url, { embed })', {
        field: 'embed',
      })
    const vectors = await embed(texts)
    if (vectors.length !== texts.length)
      throw invalid('embedding-function-answer', `embed gave ${vectors.length} vectors for ${texts.length} texts`, {
        field: 'embed',
      })
    return vectors.map((vector) => Float32Array.from(vector))
  }
}
