import {
  BucketSource,
  FetchObjectStore,
  invalid,
  PublishedSource,
  ReadOnlyCollection,
  type ReadSource,
} from 'siltstone/reading'
import { BUCKET_GAP_BYTES, CACHE_BYTES, type OpenOptions, PUBLISHED_GAP_BYTES } from './settings.ts'

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
