/**
 * The port behind which all sources stand. A source lists its collections and reads each one page by page, in a fixed
 * order, starting at any page. The copy (`copy.ts`), the comparison (`verify.ts`) and the state (`state.ts`) depend on
 * this port alone.
 */
import type { RecordState, SiltstoneError, Space } from 'siltstone/internal'

/** A record of the source. `metadata` is exact JSON text (`1` is an integer, `1.0` a float) without nulls, or null. */
export interface SourceRecord extends RecordState {
  id: string
  /** Why `vector` is null: it cannot be read in the source. */
  vectorProblem?: string
}

export interface SourceCollection {
  /** In the source. */
  name: string
  /** The same name if Siltstone accepts it, else a similar one that it accepts. */
  targetName: string
  space: Space
  /** Exact JSON text of an object of scalars, or null. */
  metadata: string | null
  /** Chroma's `configuration.hnsw`. It is kept and shown; only the space has an effect. */
  hnsw: Record<string, unknown> | null
  /** Chroma's `configuration.embedding_function`. */
  embeddingFunction: Record<string, unknown> | null
  dimension: number | null
  /** Parts of the collection itself that cannot be migrated, such as one key of its metadata. */
  faults?: readonly Skipped[]
  /** Why no part of the collection can be migrated. */
  problem?: SiltstoneError
}

/**
 * | kind                 | what is left out                                                                    |
 * |----------------------|-------------------------------------------------------------------------------------|
 * | no-vector            | a record whose vector is missing or cannot be read                                  |
 * | vector-length        | a record whose vector has another length than the collection's                      |
 * | vector-value         | a record whose vector holds NaN or an infinity                                      |
 * | metadata-key         | a record with a metadata key that is not allowed here                               |
 * | metadata-value       | a record with a metadata value that is not allowed here or of an unknown type       |
 * | too-large            | a record beyond a bound of this store (`RecordLimits`)                              |
 * | id                   | a record without a usable id                                                        |
 * | record               | a record that the source cannot return or that cannot be understood                 |
 * | file                 | the rest of a file that cannot be read                                              |
 * | collection-metadata  | a key of the collection's metadata                                                  |
 * | configuration        | the collection's configuration                                                      |
 */
export type SkippedKind =
  | 'no-vector'
  | 'vector-length'
  | 'vector-value'
  | 'metadata-key'
  | 'metadata-value'
  | 'too-large'
  | 'id'
  | 'record'
  | 'file'
  | 'collection-metadata'
  | 'configuration'

/** A record, or another part of a collection, that cannot be migrated. */
export interface Skipped {
  /** Of the record, or the name of the part. */
  id: string
  kind: SkippedKind
  reason: string
  /** The records that it stands for; default 1. */
  records?: number
}

export interface SourcePage {
  records: SourceRecord[]
  skipped: Skipped[]
  /** Opaque text; pass it to `pages` to continue after this page. */
  cursor: string
}

export interface SourceReader {
  readonly collection: SourceCollection
  /** The current number of records, including records that will be skipped; null when the source cannot tell. */
  count(): Promise<number | null>
  /** Unchanged as long as the source is unchanged; null when the source cannot tell (a live server). */
  fingerprint(): Promise<string | null>
  /** @param after cursor of an earlier page, null for the first page */
  pages(after: string | null): AsyncIterable<SourcePage>
  /** All ids, in the source's order. Only live sources have it, which may change while they are read. */
  ids?(): AsyncIterable<string[]>
  /** Reads records again, by id; ids without a record are missing in the result. */
  fetch(ids: readonly string[]): Promise<Map<string, SourceRecord>>
  /** False when no vector of the collection can be read. Default true. */
  hasVectors?(): boolean
  /** What a reader of the report should know, for example that a damaged value was recognised and not used. */
  readonly notes?: readonly string[]
  close(): Promise<void>
}

export interface OtherDatabase {
  tenant: string
  database: string
  /** How many. */
  collections: number
}

export interface MigrationSource {
  /** For messages: `the Chroma directory ./chroma`. */
  readonly description: string
  /** Kind and place of the source; identifies it in saved states. */
  readonly identity: string
  collections(): Promise<SourceCollection[]>
  /** Databases of the source that have collections too, and were not asked for. */
  elsewhere?(): Promise<OtherDatabase[]>
  open(collection: SourceCollection): Promise<SourceReader>
  close(): Promise<void>
}
