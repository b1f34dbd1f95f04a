/**
 * Something that answers nearest-neighbour queries in its own process. Each candidate lives in a child process, so that
 * its memory and its garbage are its own, and the parent lets them take turns.
 */

/** What to turn for more recall: the name of the knob, and its values, cheapest first. */
export interface Knob {
  name: string
  values: readonly number[]
}

export interface BuildResult {
  seconds: number
  /** Kept by the index on disk. */
  bytes: number
  /** Steps apart, for the table. */
  steps: Record<string, number>
}

/** Rows' numbers, or their ids. */
export type Found = readonly number[] | readonly string[]

export interface Candidate {
  build(source: BuildSource): Promise<BuildResult>
  open(): Promise<void>
  /** What a query is before the clock starts. */
  prepare(vector: Float32Array): unknown
  /** What a filter is before the clock starts; undefined when it has none. */
  filter?(filter: FilterSpec): unknown
  set(value: number | undefined): void | Promise<void>
  search(query: unknown, k: number, filter: unknown): Found | Promise<Found>
  close(): Promise<void>
}

export interface BuildSource {
  vectors: string
  count: number
  dimension: number
  /** Columns for filters, a row each. */
  columns: string
}

/** A filter in each language, and the rows that it admits. */
export interface FilterSpec {
  where: unknown
  sql: string
  rows: readonly number[]
}

export interface CandidateOptions {
  /** Its own place: what `build` writes and `open` reads. */
  directory: string
  count: number
  dimension: number
  /** Of Siltstone: what a query brings along. */
  include: { documents: boolean; metadatas: boolean }
}

/** Columns of the data set that filters look at, as a file of JSON lines. */
export interface FilterColumns {
  section: string
  installed_kb: number
  bucket: number
}
