/**
 * How the processing of users' objects stands. `@siltstone/objects` gives it; the HTTP API under `/api/siltstone/v1/objects`,
 * the library and the command line (`--json`) show these shapes.
 */

/**
 * `queued`: waits for a worker. `running`, `done`. `failed`: will be tried again. `dead`: will not, for the reason in `error`.
 * `gone`: deleted, with its records. `expired`: deleted because of its age; its records stay. `unprocessed`: no rule wants it.
 */
export const OBJECT_PROGRESS = [
  'queued',
  'running',
  'done',
  'failed',
  'dead',
  'gone',
  'expired',
  'unprocessed',
] as const
export type ObjectProgress = (typeof OBJECT_PROGRESS)[number]

/** A step of a processor. */
export interface ObjectStep {
  state: 'done' | 'skipped'
  /** Why it was skipped. */
  reason?: string
  records?: number
  durationMs?: number
}

/** How the work on an earlier version, or an earlier attempt, ended. */
export interface ObjectHistoryEntry {
  version: string | null
  run: number
  ended: Exclude<ObjectProgress, 'unprocessed'> | 'superseded'
  atMs: number
  code?: string
}

export interface ObjectStatus {
  bucket: string
  key: string
  progress: ObjectProgress
  /** Of the object now; null: there is none. */
  version: string | null
  /** Records that searches find now; while a new version waits, those of the old one. */
  records: number
  collections: string[]
  contentType?: string
  /** The processor that was chosen: `pdf@1`. */
  processor?: string
  /** What is done now. */
  step?: string
  /** Each step of the processor, with the reason if it was skipped; of work that runs, those whose records can be searched already. */
  steps: Record<string, ObjectStep>
  attempt: number
  /** RFC 3339. */
  retryAt?: string
  error?: { code: string; message: string }
  changedAt?: string
  history: ObjectHistoryEntry[]
}

export interface ObjectStatesQuery {
  /** Default: all buckets, in the order of their names. */
  bucket?: string
  /** Keys that begin so. */
  prefix?: string
  progress?: ObjectProgress
  /** 1 to 1,000. */
  limit: number
  /** Of the page before. */
  cursor?: string
}

export interface ObjectStatesPage {
  /**
   * Of each bucket in the order of the keys; then those of objects that are deleted and still have records. May be fewer than
   * the limit, or none, on any page: a request looks at a bounded number of objects.
   */
  objects: ObjectStatus[]
  /** Null: this was the last page. */
  cursor: string | null
}

export interface ObjectStates {
  /** Whether objects are made searchable by this process: `on`, or `off` and why. */
  readonly processing: string
  buckets(): Promise<string[]>
  /** @throws SiltstoneError `not-found` (no-such-bucket), `invalid` (bad-cursor) */
  page(query: ObjectStatesQuery): Promise<ObjectStatesPage>
  /** @throws SiltstoneError `not-found` (no-such-bucket) */
  status(bucket: string, key: string): Promise<ObjectStatus>
  /**
   * Has objects processed again; their records stay until the new ones are there.
   * @param filter.dead only those that were given up
   * @returns how many
   * @throws SiltstoneError `not-found` (no-such-bucket)
   */
  replay(bucket: string, filter: { key?: string; prefix?: string; dead?: boolean }): Promise<number>
}
