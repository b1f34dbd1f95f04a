/** What `import … from 'siltstone'` gives. */
// First: it refuses a Node that is too old for the others.
export { NEEDED_NODE } from './host/needed-node.ts'
export {
  type CollectionMetadata,
  type ChromaReadLevel,
  type CreateCollectionArguments,
  type CreateConfiguration,
  type DeleteArguments,
  type Embedding,
  type EmbeddingFunction,
  type FacetCount,
  type FieldsArguments,
  type FilterArguments,
  type GetArguments,
  type GetCollectionArguments,
  GetResult,
  type GetRow,
  type GroupByArguments,
  type HnswConfiguration,
  type Include,
  hybrid,
  type HybridArguments,
  knn,
  type KnnExpression,
  type Language,
  type Metadata,
  type MetadataEntry,
  openStore,
  type QueryArguments,
  QueryResult,
  type QueryRow,
  type RankExpression,
  type ReadArguments,
  type RecordArguments,
  rrf,
  type RrfArguments,
  type SearchArguments,
  type SearchInput,
  type SearchOptions,
  SearchResult,
  type SearchRow,
  type SearchSettings,
  type SparseVector,
  Store,
  StoreCollection,
  type StoreOptions,
  type UpdateConfiguration,
  type Where,
  type WhereDocument,
  type Written,
} from './library/index.ts'
export type { CollectionInfo, DatabaseInfo, Space } from './model/collection.ts'
export type { HitExplanation, KnnPart } from './model/search.ts'
export type { CollectionState, CompactionOutcome, SnapshotInfo } from './model/store.ts'
export type {
  CollectionSummary,
  CompactionState,
  FieldInfo,
  FieldsReport,
  FieldValue,
  GarbagePreview,
  KeepRequest,
  MapReport,
  LeaseInfo,
  RecallReport,
  RestorePoint,
} from './model/maintenance.ts'
export type { VerifyReport } from './model/verify.ts'
export type { IndexingStatus } from './model/write.ts'
export { type ErrorKind, isSiltstoneError, SiltstoneError } from './errors.ts'
export { SiltstoneEnglishEmbeddingFunction } from './library/chroma-function.ts'
export type { EmbedderRegistryOptions } from './embed/registry.ts'
export type { EmbedderConfig } from './embed/config.ts'
export type { Logger, LogFields, Metrics } from './ports/telemetry.ts'
export { VERSION } from './version.ts'
