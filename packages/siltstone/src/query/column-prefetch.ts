/**
 * Reads what the answer will need while other reads are under way, so that a cold query makes fewer dependent rounds:
 * directories of columns while the indexes are opened, and columns of likely winners while their vectors are read.
 */
import type { Include } from '../model/read.ts'
import type { TextColumn } from '../format/segment/reader.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'

export class ColumnPrefetch {
  readonly #names: readonly TextColumn[]

  /** @param include null: not even ids will be answered */
  constructor(include: Include | null) {
    if (!include) {
      this.#names = []
      return
    }
    this.#names = [
      'ids',
      ...(include.metadatas ? (['metadata'] as const) : []),
      ...(include.documents ? (['documents'] as const) : []),
      ...(include.uris ? (['uris'] as const) : []),
    ]
  }

  get isWanted(): boolean {
    return this.#names.length > 0
  }

  /** @throws SiltstoneError `corrupt` */
  async directories(segment: OpenSegment): Promise<void> {
    await segment.reader.prepare(this.#names)
  }

  /** Reads the rows' columns, and their places in the order of insertion, into the block cache. @throws SiltstoneError `corrupt` */
  async placed(segment: OpenSegment, rows: readonly number[]): Promise<void> {
    await Promise.all([this.rows(segment, rows), rows.length > 1 && segment.ordinals(rows)])
  }

  /** Reads the rows' columns into the block cache. @throws SiltstoneError `corrupt` */
  async rows(segment: OpenSegment, rows: readonly number[]): Promise<void> {
    await Promise.all(
      this.#names.map((name) => (name === 'ids' ? segment.reader.ids(rows) : segment.column(name, rows))),
    )
  }
}
