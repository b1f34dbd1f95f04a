/**
 * What the other packages of this repository build on. It is not covered by semantic versioning: a program outside
 * this repository uses `siltstone` and `siltstone/aws`.
 */
export { crc32 } from '#codec'
export { decodeLz4Frame } from './arrow/lz4.ts'
export { FormatProblem } from './arrow/problem.ts'
export { type CollectionDocument, collectionType } from './catalog/collection-document.ts'
export { type CatalogDocument, decodeDocument, type DocumentType, encodeDocument } from './catalog/document-codec.ts'
export { databaseType, nameClaimType, resourceClaimType, tenantType } from './catalog/document-types.ts'
export { DEFAULT_DATABASE, DEFAULT_TENANT } from './catalog/index.ts'
export { repairCatalog } from './check/repair-catalog.ts'
export { verifyCatalog } from './check/verify-catalog.ts'
export { verifyCollection } from './check/verify-collection.ts'
export { createChromaApp } from './chroma/app.ts'
export { loadCommandLine } from './cli/run.ts'
export { describe as describeCommands, nodesOf } from './cli/shell/describe.ts'
export { manName, manPage } from './cli/shell/man.ts'
export { SERVE_SETTINGS } from './cli/settings/serve-settings.ts'
export { flagOf, type Setting, variableOf } from './cli/settings/setting.ts'
export type { CommandTools } from './cli/commands/migrate.ts'
export type { ObjectsTools } from './cli/commands/objects.ts'
export type { RegistryTools } from './cli/commands/registry.ts'
export type { ServedObjects, ServeObjectsOptions } from './cli/commands/serve-objects.ts'
export type { StorageFallback } from './cli/commands/registry-place.ts'
export type { ServedRegistry, ServeRegistryOptions } from './cli/commands/serve-registry.ts'
export type { CommonOptions, Session } from './cli/session.ts'
export { type CompactLimits, compactLimitsOf, defaultCompactLimits } from './compact/compact-limits.ts'
export { foldClaims } from './compact/fold-ranges.ts'
export type { Deadline } from './compact/compactor.ts'
export { type ClaimKind, namesIn } from './compact/claims.ts'
export { mergeClaims } from './compact/merge-claims.ts'
export { closeEnvironment, openEnvironment } from './drivers/directory/directory-environment.ts'
export { openEnvironmentAt } from './drivers/open-environment.ts'
export { instrumented, withDiskCache } from './drivers/instrumented.ts'
export { makeS3BucketAt, openS3BlobsAt, removeS3BucketAt, type S3BlobStore } from './drivers/open-s3-blobs.ts'
export { openSqsQueueAt } from './drivers/open-sqs-queue.ts'
export { placeFromVariables } from './drivers/place-variables.ts'
export {
  type CountingObjectStore,
  countingObjectStore,
  type StoreCounts,
} from './drivers/wrappers/counting-object-store.ts'
export { PRIVATE_FOLDER } from './drivers/directory/directory-object-store.ts'
export { openDirectoryQueue } from './drivers/directory/open-queue.ts'
export { DirectoryBlobs, type DirectoryBlobsOptions } from './drivers/directory/blobs/directory-blobs.ts'
export { MemoryBlobs } from './drivers/memory/memory-blobs.ts'
export { MemoryQueue } from './drivers/memory/memory-queue.ts'
export { delayingObjectStore } from './drivers/wrappers/delaying-object-store.ts'
export { type RoundsObjectStore, roundsObjectStore } from './drivers/wrappers/rounds-object-store.ts'
export { EnglishEmbedder } from './embed/english/index.ts'
export { PublishedVocabulary } from './embed/english/published-vocabulary.ts'
export { parseEmbedderConfig } from './embed/config.ts'
export type { Embedder } from './embed/port.ts'
export { EmbedderRegistry, type EmbedderRegistryOptions } from './embed/registry.ts'
export { EmbeddingStore } from './embed/store.ts'
export { decodeStoredEmbedding } from './embed/stored-embedding.ts'
export { Background, defaultBackground } from './engine/background.ts'
export { type EngineOptions, pathOf, StoreEngine } from './engine/engine.ts'
export { fieldsOf } from './engine/fields.ts'
export { type Compacted, Invocation } from './engine/invocation.ts'
export { recallOf } from './engine/recall.ts'
export {
  conflict,
  corrupt,
  type ErrorKind,
  forbidden,
  invalid,
  isPassing,
  isSiltstoneError,
  notFound,
  outcomeUnknown,
  SiltstoneError,
  unauthorized,
  unavailable,
  unsupported,
} from './errors.ts'
export { exportCollection, type ExportOptions, recordsFrom } from './export/export-collection.ts'
export { EXPORT_FILE, EXPORT_FORMATS, type ExportFile, type ExportPart, readExportFile } from './export/export-file.ts'
export { decodePart } from './export/part-formats.ts'
export { filterIndexOf } from './filter-index/filter-index.ts'
export { verifyFilterIndex } from './filter-index/verify-filter-index.ts'
export { parseWhere } from './filter/index.ts'
export { parseWhereDocument } from './filter/parse.ts'
export { crcHex } from './format/checksum.ts'
export { decodeDelta } from './format/delta.ts'
export { decodeEntry, encodeEntry, type LogEntry, type SequencedDelta } from './format/entry.ts'
export { seal, sealIsIntact, UNSEALED } from './format/file-checksum.ts'
export {
  bitmapKey,
  collectionIdKey,
  collectionNameKey,
  collectionPath,
  databaseKey,
  embeddingKey,
  gcDueKey,
  inboxKey,
  isHandover,
  inboxPrefix,
  isUuid,
  listKey,
  takenKey,
  logEntryKey,
  logPrefix,
  manifestKey,
  overlayFileKey,
  parseKey,
  pointerKey,
  resourceKey,
  segmentFileKey,
  storeKey,
  tenantKey,
} from './format/keys.ts'
export {
  decodeChecked,
  decodeList,
  decodeManifest,
  emptyManifest,
  encodeManifest,
  LIST_FIELDS,
  type ListField,
  type Manifest,
  objectsOf,
  type Pin,
  type StoredManifest,
} from './format/manifest.ts'
export { decodePointer } from './format/pointer.ts'
export { checkRecord } from './format/record-columns.ts'
export { encodeRowSet } from './format/roaring.ts'
export { parseSegmentDescriptor, type SectionDescriptor, type SegmentDescriptor } from './format/segment/descriptor.ts'
export { OverlayReader, parseOverlayDescriptor } from './format/segment/overlay.ts'
export { SegmentReader } from './format/segment/reader.ts'
export { verifySegment } from './format/segment/verify-segment.ts'
export { type ReadRange, SectionSource } from './format/segment/source.ts'
export { type SegmentRow, SegmentWriter } from './format/segment/writer.ts'
export {
  ALGORITHM,
  amzDateOf,
  canonicalRequest,
  type CredentialScope,
  encodePath,
  encodeRfc3986,
  hmac,
  parseAmzDate,
  type PostForm,
  type PostLimits,
  requestSignature,
  scopeText,
  sha256Hex,
  signedPost,
  signingKey,
  UNSIGNED_PAYLOAD,
} from './host/aws-signature.ts'
export { BodyCheck } from './host/blob-checksum.ts'
export { IncomingBody } from './host/incoming-body.ts'
export { environmentVariables, onStopSignal } from './host/process.ts'
export { fileError, isDiskFull } from './host/file-errors.ts'
export {
  fileInfo,
  makePrivateFile,
  makeTemporaryDirectory,
  readFileBytes,
  readFileChunks,
  readFileText,
  removeTree,
  writeFileWhole,
} from './host/files.ts'
export { freeDiskBytes } from './host/machine.ts'
export { systemModels } from './host/model-host.ts'
export { openRandomAccess, type RandomAccessFile } from './host/random-access-file.ts'
export { openReadOnlyOrCopy, type ReadOnlyDatabase, type SqlRow, type SqlValue } from './host/read-only-database.ts'
export { systemClock } from './host/system-clock.ts'
export { systemIds } from './host/system-ids.ts'
export { systemRandom } from './host/system-random.ts'
export { walkDirectory, type WalkedFile } from './host/walk-directory.ts'
export { IvfBuilder } from './ivf/build/builder.ts'
export { LISTS } from './ivf/directory.ts'
export { ivfOf } from './ivf/ivf.ts'
export { verifyIvf } from './ivf/verify-ivf.ts'
export { newConfiguration } from './library/configuration.ts'
export { bucketLimits, directoryLimits, type LogLimits } from './log/log-limits.ts'
export { produce } from './log/produce.ts'
export { collectionsToWake } from './log/wake-up-message.ts'
export { LruMap } from './lru.ts'
export { type CollectionInfo, isSpace, type Space, SPACES } from './model/collection.ts'
export type { Filter } from './model/filter.ts'
export type { GetRequest, GetResponse, QueryHits, QueryRequest } from './model/read.ts'
export type { Op, RecordOp } from './model/record.ts'
export { isTextIndexed } from './model/schema.ts'
export type { Knn, Rank, SearchRequest } from './model/search.ts'
export type { FieldInfo, FieldsReport, Maintenance, RestorePoint } from './model/maintenance.ts'
export type { ArtifactCatalog, ArtifactMetric, ArtifactSummary } from './model/artifact-catalog.ts'
export type {
  ObjectHistoryEntry,
  ObjectProgress,
  ObjectStates,
  ObjectStatesPage,
  ObjectStatesQuery,
  ObjectStatus,
  ObjectStep,
} from './model/object-states.ts'
export type { Collection, CompactionOutcome, Engine, SnapshotInfo } from './model/store.ts'
export { cutRange } from './ports/byte-range.ts'
export type { Clock } from './ports/clock.ts'
export { checkBlobKey, checkBucketName, checkHead, checkTags, etagMatches, noSuchBucket } from './ports/blob-rules.ts'
export {
  type BlobBody,
  type BlobBuckets,
  type BlobChecksum,
  type BlobHead,
  type BlobInfo,
  type BlobRange,
  type BlobSource,
  type BlobStore,
  type BlobTags,
  type BucketInfo,
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  type ChecksumType,
  type CopyBlobResult,
  type DeleteBlobResult,
  type ExpectedBytes,
  type GetBlobOptions,
  type GetBlobResult,
  type ListedBlob,
  type PartInfo,
  type PutBlobOptions,
  type PutBlobResult,
  type ReadCondition,
  type WriteCondition,
} from './ports/blob-store.ts'
export { blobRange, MAX_PARTS, MAX_PUT_BYTES } from './ports/blob-rules.ts'
export { contentEtag } from './host/content-etag.ts'
export type {
  DirectParts,
  DirectPartsOptions,
  DirectPut,
  DirectPutOptions,
  DirectUploads,
} from './ports/direct-uploads.ts'
export { checkRecordLimits, defaultRecordLimits, type RecordLimits } from './records/record-limits.ts'
export type { Environment } from './ports/environment.ts'
export type { Ids } from './ports/ids.ts'
export { forwardingStore, interceptedStore, receivedBytes } from './ports/forwarding-store.ts'
export { type HttpAnswer, type HttpClient, systemHttp } from './ports/http.ts'
export type { AcquireResult, Leases, LeaseState } from './ports/lease.ts'
export {
  continuationOf,
  groupOf,
  keyIsAfter,
  type ListPosition,
  type ListRequest,
  listRequest,
} from './ports/list-position.ts'
export { checkKey, compareKeys, firstNotBefore } from './ports/object-key.ts'
export type {
  DeleteResult,
  GetOptions,
  GetResult,
  ListOptions,
  ListPage,
  ObjectInfo,
  ObjectStore,
  ObjectStoreCapabilities,
  PutOptions,
  PutResult,
  Upload,
} from './ports/object-store.ts'
export { openPatiently } from './ports/open-patiently.ts'
export { probeConditions, probeRaces } from './ports/probe-conditions.ts'
export type { Queue, QueueDepth, QueueMessage } from './ports/queue.ts'
export type { Random } from './ports/random.ts'
export { retry } from './ports/retry.ts'
export { directoryTarget } from './publish/directory-target.ts'
export { publish, type PublishReport } from './publish/publish.ts'
export { vocabularySection } from './publish/vocabulary-section.ts'
export type { PublishTarget } from './publish/publish-target.ts'
export { seededRandom } from './ports/seeded-random.ts'
export { type LogFields, type Logger, type Metrics, noMetrics, silentLogger } from './ports/telemetry.ts'
export { applyOp, type RecordState } from './records/apply.ts'
export { type ExactJson, parseExact, stringifyExact } from './records/exact-json.ts'
export { recordFromLine } from './records/json-lines.ts'
export { metadataFromJson, metadataToPlain } from './records/index.ts'
export { parseMetadata } from './records/metadata.ts'
export type { Authenticator, Identity } from './chroma/options.ts'
export { HYBRID_LIST, MEANING_LIST, noLimits, parseSearch, prepare } from './search/index.ts'
export { tokenAuthenticator } from './server/auth.ts'
export { loadDeletions } from './snapshot/open-segment.ts'
export { Analyzer } from './text/analyzer.ts'
export { chromaBm25Query } from './text/chroma-bm25.ts'
export { parseForFilter } from './records/parse-for-filter.ts'
export { WordIndexBuilder } from './word-index/builder.ts'
export { documentSource, type WantedIndexes } from './word-index/word-source.ts'
export { keyOfTerm } from './word-index/count-terms.ts'
export { WordDictionary } from './word-index/dictionary/word-dictionary.ts'
export { dimensionKey } from './word-index/keys.ts'
export { listBoundaries, verifyWordIndexes } from './word-index/verify-word-index.ts'
export { WordIndex } from './word-index/word-index.ts'
export type { McpScope } from './server/mcp.ts'
