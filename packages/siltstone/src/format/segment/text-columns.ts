/** What the readers of texts have in common. */

/** The texts of consecutive rows. */
export interface Texts {
  readonly firstRow: number
  readonly rows: number
  /** @param row of the segment */
  get(row: number): string | null
}

/** A column of texts by row. */
export interface ColumnReader {
  /** Reads the directory unless it is in memory: one request that can run before the rows are known. */
  prepare(): Promise<void>
  /** Reads what tells where some rows lie, where that is not in the directory. */
  prepareRows?(rows: ArrayLike<number>): Promise<void>
  /** Values of rows, in any order; each block is read once. @throws SiltstoneError `corrupt` (`block-damaged` …) */
  values(rows: ArrayLike<number>): Promise<(string | null)[]>
  /** Reads all blocks, in order, into the cache, until `isOver`. */
  cacheAll?(isOver: () => boolean): Promise<void>
  /** All blocks in order, without the cache, reading ahead. */
  scan(): AsyncGenerator<Texts>
}
