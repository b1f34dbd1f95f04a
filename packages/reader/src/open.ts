import {
  BucketSource,
  type Fetch,
  FetchObjectStore,
  invalid,
  ReadOnlyCollection,
  type ReadSource,
} from 'siltstone/reading'

export interface OpenOptions {
  /** The name of a collection of the store at the address. */
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
  /** Up to this many bytes are read in vain to save a request. Default 2,048, which suits HTTP/2 and later. */
  gapBytes?: number
}

const CACHE_BYTES = 32 * 1024 * 1024

/**
 * Opens a collection of a store in a bucket that can be read over HTTP, as of its last snapshot.
 * @param url the address of the store's root
 * @throws SiltstoneError `invalid` (bad-url, collection-not-named), `not-found` (collection-missing), `unavailable`,
 *   `forbidden`, `corrupt`
 */
export async function open(url: string | URL, options: OpenOptions = {}): Promise<ReadOnlyCollection> {
  const { collection, tenant = 'default_tenant', database = 'default_database', fetch, headers, gapBytes } = options
  if (collection === undefined)
    throw invalid('collection-not-named', "name a collection: open(url, { collection: 'notes' })", {
      field: 'collection',
    })
  const store = new FetchObjectStore(url, {
    ...(fetch && { fetch }),
    ...(headers && { headers }),
    ...(gapBytes !== undefined && { gapBytes }),
  })
  const { cacheBytes = CACHE_BYTES } = options
  const place = { tenant, database, collection }
  return new ReadOnlyCollection(await BucketSource.open(store, place, { cacheBytes, embed: embedderOf(options) }))
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
