import type { View } from '../log/view.ts'
import type { SearchOptions } from '../model/read.ts'
import type { Space } from '../model/collection.ts'

/** What a reader knows of a collection beside its records. */
export interface Described {
  name: string
  space: Space
  /** Exact JSON text of an object. */
  metadata: string | null
  configuration: Record<string, unknown>
  schema: Record<string, unknown> | null
}

/** Where a read-only collection comes from. */
export interface ReadSource {
  readonly described: Described
  /** How much of the index a search reads that does not say. Default: the library's. */
  readonly effort?: SearchOptions
  /** The snapshot that is read now. */
  view(): Promise<View>
  /** Looks for a newer snapshot. @returns whether there was one */
  refresh(): Promise<boolean>
  /**
   * Called when stored bytes turned out to be missing or damaged.
   * @returns whether the read may succeed when it begins again
   */
  recover(error: unknown): Promise<boolean>
  /** Embeds texts of queries. @throws SiltstoneError `invalid` (embedding-function-unsupported) */
  embed(texts: readonly string[]): Promise<Float32Array[]>
  close(): Promise<void>
}
