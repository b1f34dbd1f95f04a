/**
 * The layout of a segment's filter indexes. docs/reference/format.md describes the bytes, docs/decisions/0006 the reasons.
 *
 * The section `metadata-values` consists of parts. The reference to a part holds its checksum. The directory, in JSON,
 * names the parts of each key. The parts that are needed before lists and pages can be read, namely dictionaries,
 * directories of runs and the directory itself, form the head at the end of the section (`params.headBytes`), which takes
 * one request.
 */
import type { ValueKind } from '../model/schema.ts'

export const METADATA_VALUES = { name: 'metadata-values', type: 'terms-and-runs' } as const
export const TRIGRAMS = { name: 'trigrams', type: 'trigram-lists' } as const

/** A key with more different strings than this has a run of hashes instead of one list per string. */
export const MAX_TERMS = 4_096
/** The most keys that are indexed. */
export const MAX_KEYS = 1_000
/** Pairs of a value and a row in one page of a run. */
export const PAGE_PAIRS = 4_096

/** Bytes of a section; `offset` is relative to the start of the section. */
export interface Part {
  offset: number
  length: number
  crc32: string
}

/** Pairs (f64 value, u32 row), sorted by value, then row. A page holds its values, then its rows, compressed. */
export interface RunPart {
  offset: number
  pairs: number
  /** For each page: f64 first value, u32 CRC-32 of the stored page, u32 its length in bytes. */
  pages: Part
}

/** The index of one key: of its scalar values, or of the members of its arrays. */
export interface KeyParts {
  /** JSON: `[[term, offset, length, crc32, rows], …]`. A list is a portable Roaring bitmap. */
  terms?: Part
  /** Hashes of strings, when there are too many different ones for `terms`. */
  hashes?: RunPart
  numbers?: RunPart
  /** Some integer does not fit into a double, and is in `numbers` as the nearest one: equal values have to be tested. */
  rounded?: true
}

export interface IndexedKey {
  scalar?: KeyParts
  member?: KeyParts
  /**
   * Types of the values and of the members of arrays; `int` is a number without a fraction, which may be a float. Not
   * written by the first release.
   */
  kinds?: ValueKind[]
}

export interface IndexDirectory {
  keys: [key: string, IndexedKey][]
  /** False if keys that are not named here may have values. */
  complete: boolean
}

export type TermRow = [term: string, offset: number, length: number, crc32: string, rows: number]

export const PAIR_BYTES = 12
export const pageBytes = (pairs: number): number => pairs * PAIR_BYTES

/** The term of a string or boolean: a letter for the type, then the value. */
export function termOf(value: string | boolean): string {
  return typeof value === 'string' ? `s${value}` : value ? 'bt' : 'bf'
}
