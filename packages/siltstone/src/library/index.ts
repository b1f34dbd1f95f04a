export * from './types.ts'
export { type EmbeddingFunction } from './embedding-function.ts'
export { type CreateConfiguration, type HnswConfiguration, type UpdateConfiguration } from './configuration.ts'
export { StoreCollection } from './collection.ts'
export { GetResult, type GetRow, QueryResult, type QueryRow } from './results.ts'
export { type CreateCollectionArguments, type GetCollectionArguments, Store } from './store.ts'
export { openStore, type StoreOptions } from './open-store.ts'
export type { Language } from '../model/text-fields.ts'
export { hybrid, type HybridArguments, knn, rrf, type RrfArguments } from './search-expressions.ts'
export { type FacetCount, SearchResult, type SearchRow } from './search-result.ts'
export type {
  GroupByArguments,
  KnnExpression,
  RankExpression,
  SearchArguments,
  SearchInput,
  SearchSettings,
} from './search-types.ts'
