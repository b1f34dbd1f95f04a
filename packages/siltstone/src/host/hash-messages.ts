/** The messages between a process and its threads that hash. Each body has a number in its process. */
import type { BodyHashes, WantedHashes } from './blob-checksum.ts'

export type ToHashThread =
  | { kind: 'open'; body: number; wanted: WantedHashes }
  /** The first `length` bytes of memory that both sides share, and that stay until the answer. */
  | { kind: 'update'; body: number; block: SharedArrayBuffer; length: number }
  | { kind: 'digest'; body: number }
  /** Forgets the body; without an answer. */
  | { kind: 'close'; body: number }

/** Answers to `update` and `digest` of a body, in their order. */
export interface FromHashThread {
  body: number
  /** Of `digest`. */
  hashes?: BodyHashes
}
