/**
 * The port behind which all sources stand. A source lists its collections and reads each one page by page, in a fixed
 * order, starting at any page. The copy (`copy.ts`), the comparison (`verify.ts`) and the state (`state.ts`) depend on
 * this port alone.
 */
import type { RecordState, Space } from 'siltstone/internal'

/** A record of the source. `metadata` is exact JSON text (`1` is an integer, `1.0` a float) without nulls, or null. */
export interface SourceRecord extends RecordState {
  id: string
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
}

/** A record that cannot be migrated. */
export interface Skipped {
  id: string
  reason: string
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
  close(): Promise<void>
}

export interface MigrationSource {
  /** For messages: `the Chroma directory ./chroma`. */
  readonly description: string
  /** Kind and place of the source; identifies it in saved states. */
  readonly identity: string
  collections(): Promise<SourceCollection[]>
  open(collection: SourceCollection): Promise<SourceReader>
  close(): Promise<void>
}
