/** What `@siltstone/reader` builds on: the reading half, which runs without Node. Not covered by semantic versioning. */
export { type Fetch, type FetchAnswer, type FetchInit } from './drivers/fetch/fetch.ts'
export { FetchObjectStore, type FetchStoreOptions } from './drivers/fetch/fetch-object-store.ts'
export { invalid, isSiltstoneError, SiltstoneError, type ErrorKind } from './errors.ts'
export { hybrid, knn, rrf } from './library/search-expressions.ts'
export { BucketSource } from './reader/bucket-source.ts'
export { PublishedSource } from './reader/published-source.ts'
export { ReadOnlyCollection } from './reader/read-only-collection.ts'
export type { ReadSource } from './reader/read-source.ts'
