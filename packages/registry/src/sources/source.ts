/** The port of sources: where artifacts come from. Each driver is behind it: `hub`, `github` and `upload`. */
import type { Commit, HubFacts, JsonObject, ReviewedCommit, SourceFile } from '../evidence/evidence.ts'

export interface Description {
  /** As the source names it now: another name than it was asked by if it has moved. `owner/name`. */
  repository?: string
  /** Commit id; null: the source has no versions. */
  revision: string | null
  files: readonly SourceFile[]
  /** What is missing of the files, if something is. */
  filesLimits?: string
  /** Front matter of the README as data, if the source reads it itself. */
  card?: JsonObject
  facts?: HubFacts
  /** As the source names it, from its own inspection of LICENSE. */
  licence?: string
}

/** A list, and what is missing of it, if something is. */
export interface Listed<T> {
  items: readonly T[]
  limits?: string
}

/** One repository. All methods throw SiltstoneErrors: `not-found`, `unauthorized`, `forbidden`, `unavailable`, `invalid`. */
export interface Source {
  /** For people: the address that is asked. */
  readonly label: string
  describe(): Promise<Description>
  /** Text at the described revision; undefined: there is no such file. Files larger than `MAX_TEXT_BYTES` are `unavailable`. */
  read(path: string): Promise<string | undefined>
  /** Commits of the branch, newest first; undefined: the source keeps no history. */
  history(): Promise<Listed<Commit> | undefined>
  /** Undefined: the source has no reviews. */
  reviews(): Promise<Listed<ReviewedCommit> | undefined>
}

export const MAX_TEXT_BYTES = 4_000_000
export const MAX_FILES = 50_000
