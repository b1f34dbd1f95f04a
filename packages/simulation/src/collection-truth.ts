/** What is known of one collection from every change of its objects. */
import { isHandover, type LogEntry, type Manifest, type RecordOp } from 'siltstone/internal'
import { emptyState, type ModelState } from './log-model.ts'

export interface InboxDelta {
  ulid: string
  etag: string
  createdMs: number
  sizeBytes: number
  /** null: the delta breaks the rules of the format. */
  records: readonly RecordOp[] | null
}

export interface TrueEntry {
  entry: LogEntry
  createdMs: number
  /** The state after the deltas that the entry sequences, before its own records. */
  between: ModelState
  /** Deltas that no earlier entry mentions. */
  deltas: InboxDelta[]
  state: ModelState
}

export interface TrueManifest {
  key: string
  path: string
  manifest: Manifest
  /** Keys of those of its lists that are separate objects. */
  lists: string[]
}

export interface Commit {
  atMs: number
  by: string
  published: TrueManifest
}

export class CollectionTruth {
  readonly path: string
  /** The state before the first entry; a fork begins with the state of its source. */
  base: ModelState = emptyState
  readonly log: TrueEntry[] = []
  readonly inbox = new Map<string, InboxDelta>()
  /** ULID to the number of the entry that mentions it first. */
  readonly mentioned = new Map<string, number>()
  readonly commits: Commit[] = []
  /** Markers of applied writes, and where each was applied. */
  readonly applied = new Map<string, string>()
  closed = false
  /** The number of collected entries and inbox deltas, which points in time need. */
  deleted = 0

  constructor(path: string) {
    this.path = path
  }

  get end(): number {
    return this.log.length
  }

  get current(): TrueManifest | undefined {
    return this.commits.at(-1)?.published
  }

  get watermark(): number {
    return this.current?.manifest.watermark ?? 0
  }

  /** @param version 0 to `end` */
  state(version: number): ModelState {
    return version === 0 ? this.base : (this.log[version - 1] as TrueEntry).state
  }

  /** Deltas of bare producers that no entry up to `version` mentions, in ULID order. */
  unsequenced(version: number): InboxDelta[] {
    return [...this.inbox.values()]
      .filter(({ ulid }) => !isHandover(ulid) && (this.mentioned.get(ulid) ?? Number.POSITIVE_INFINITY) > version)
      .sort((a, b) => (a.ulid < b.ulid ? -1 : 1))
  }

  endAt(atMs: number): number {
    let end = this.log.length
    while (end > 0 && (this.log[end - 1] as TrueEntry).createdMs > atMs) end--
    return end
  }
}

/**
 * An id that begins with it carries no record: an update of an id that never exists, which names the write that it is
 * part of.
 */
export const MARKER = '~'
