/**
 * Filter indexes of a segment. The bytes are described in docs/reference/format.md, the reasons in docs/decisions/0006.
 *
 * `metadata-values`: parts one after another, each with its checksum where it is named; the directory, JSON, names the
 * parts of each key. What is read before lists and pages lies together at the end: the head (`params.headBytes`), dictionaries,
 * directories of runs, and the directory itself, one request.
 */
export const METADATA_VALUES = { name: 'metadata-values', type: 'terms-and-runs' } as const
export const TRIGRAMS = { name: 'trigrams', type: 'trigram-lists' } as const

/** A key with more different strings than this gets a run of hashes instead of a list for each. */
export const MAX_TERMS = 4_096
/** Further keys are not indexed. */
export const MAX_KEYS = 1_000
/** Pairs of value and row in a page of a run. */
export const PAGE_PAIRS = 4_096

/** Bytes of the section; `offset` counts from its start. */
export interface Part {
  offset: number
  length: number
  crc32: string
}

/** Pairs (f64 value, u32 row) sorted by value, then row, in pages: all values of a page, then all rows; compressed. */
export interface RunPart {
  offset: number
  pairs: number
  /** Per page: f64 first value, u32 CRC-32 of the stored page, u32 its length. */
  pages: Part
}

/** What is known of one key, of its scalar values or of the members of its arrays. */
export interface KeyParts {
  /** JSON: `[[term, offset, length, crc32, rows], …]`. A list is a portable Roaring bitmap. */
  terms?: Part
  /** Of strings, when there are too many for terms. */
  hashes?: RunPart
  numbers?: RunPart
  /** Some integer has more digits than a double, and is in `numbers` as the nearest double: equal ones are looked at. */
  rounded?: true
}

export interface IndexDirectory {
  keys: [key: string, { scalar?: KeyParts; member?: KeyParts }][]
  /** False: some keys that are not named here have values. */
  complete: boolean
}

export type TermRow = [term: string, offset: number, length: number, crc32: string, rows: number]

export const pageBytes = (pairs: number): number => pairs * 12

/** Strings and booleans that are listed: a letter for the kind, then the value. */
export function termOf(value: string | boolean): string {
  return typeof value === 'string' ? `s${value}` : value ? 'bt' : 'bf'
}
