/** What the search box of `@siltstone/reader` builds on: as little as a page has to load. Not covered by semantic versioning. */
export { crc32 } from '#codec'
export type { Fetch, FetchAnswer } from './drivers/fetch/fetch.ts'
export { FetchObjectStore } from './drivers/fetch/fetch-object-store.ts'
export { decodePublished, filesOf, partKey } from './format/published.ts'
export type { Where } from './library/types.ts'
export { type HybridHit, HybridSearch } from './reader/hybrid-search.ts'
export { PublishedSource } from './reader/published-source.ts'
