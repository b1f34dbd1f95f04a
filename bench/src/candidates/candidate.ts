/**
 * A library that answers nearest-neighbour queries. Each candidate runs in a child process, so that memory and garbage
 * are measured separately, and the parent lets the candidates take turns.
 */

/** The knob for recall: its name, and its values, cheapest first. */
export interface Knob {
  name: string
  values: readonly number[]
}

export interface BuildResult {
  seconds: number
  /** Written into the index on disk. */
  bytes: number
  /** Seconds of each step, for the table. */
  steps: Record<string, number>
}

/** Numbers of rows, or ids. */
export type Found = readonly number[] | readonly string[]

export interface Candidate {
  build(source: BuildSource): Promise<BuildResult>
  open(): Promise<void>
  /** Prepares a query before the clock starts. */
  prepare(vector: Float32Array): unknown
  /** Prepares a filter before the clock starts; undefined if the library has no filters. */
  filter?(filter: FilterSpec): unknown
  set(value: number | undefined): void | Promise<void>
  search(query: unknown, k: number, filter: unknown): Found | Promise<Found>
  close(): Promise<void>
}

export interface BuildSource {
  vectors: string
  count: number
  dimension: number
  /** Columns for filters, one row per record. */
  columns: string
}

/** A filter in each language, and the rows that it admits. */
export interface FilterSpec {
  where: unknown
  sql: string
  rows: readonly number[]
}

export interface CandidateOptions {
  /** The candidate's own path, which `build` writes and `open` reads. */
  directory: string
  count: number
  dimension: number
  /** For Siltstone: the fields that a query returns. */
  include: { documents: boolean; metadatas: boolean }
}

/** File of JSON lines with the columns that filters test. */
export interface FilterColumns {
  section: string
  installed_kb: number
  bucket: number
}
