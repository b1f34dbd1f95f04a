/**
 * Reads what the answer will need while other reads are under way, so that a cold query makes fewer dependent rounds:
 * directories of columns while the indexes are opened, and columns of likely winners while their vectors are read.
 */
import type { Include } from '../model/read.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'

export class ColumnPrefetch {
  readonly #names: readonly ('metadata' | 'documents' | 'uris')[]

  constructor(include: Include) {
    this.#names = [
      ...(include.metadatas ? (['metadata'] as const) : []),
      ...(include.documents ? (['documents'] as const) : []),
      ...(include.uris ? (['uris'] as const) : []),
    ]
  }

  /** @throws SiltstoneError `corrupt` */
  async directories(segment: OpenSegment): Promise<void> {
    await segment.reader.prepare(['ids', ...this.#names])
  }

  /** Reads the rows' columns into the block cache. @throws SiltstoneError `corrupt` */
  async rows(segment: OpenSegment, rows: readonly number[]): Promise<void> {
    await Promise.all([segment.reader.ids(rows), ...this.#names.map((name) => segment.column(name, rows))])
  }
}
