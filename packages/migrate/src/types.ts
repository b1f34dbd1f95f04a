/**
 * What is migrated from. A source names its collections and reads each in pages, in a fixed order, from any page on; the
 * copying (`copy.ts`), the comparison and their state know nothing of where records come from.
 */
import type { RecordState, Space } from 'siltstone/internal'

/** A record as the source has it. `metadata` is exact JSON text without nulls, or null; see `records/types.ts`. */
export interface SourceRecord extends RecordState {
  id: string
}

export interface SourceCollection {
  /** As the source calls it. */
  name: string
  /** A name that Siltstone accepts; the same where it is one. */
  targetName: string
  space: Space
  /** Exact JSON text of an object of scalars, or null. */
  metadata: string | null
  /** Chroma's `configuration.hnsw`, kept and shown; only the space has an effect here. */
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
  /** Hand it to `pages` to go on after this page. Opaque text. */
  cursor: string
}

export interface SourceReader {
  readonly collection: SourceCollection
  /** Records now, those that will be skipped included; null when only a whole reading tells. */
  count(): Promise<number | null>
  /** The same as long as nothing changed; null when the source cannot tell (it is live). */
  fingerprint(): Promise<string | null>
  /** @param after of an earlier page, null for all */
  pages(after: string | null): AsyncIterable<SourcePage>
  /** Of a live source, which may change while it is read: all ids, in its order. */
  ids?(): AsyncIterable<string[]>
  /** Present ones, read again from the source, for verification. */
  fetch(ids: readonly string[]): Promise<Map<string, SourceRecord>>
  close(): Promise<void>
}

export interface MigrationSource {
  /** For people: `the Chroma directory ./chroma`. */
  readonly description: string
  /** Tells sources apart in states: kind and place. */
  readonly identity: string
  collections(): Promise<SourceCollection[]>
  open(collection: SourceCollection): Promise<SourceReader>
  close(): Promise<void>
}
