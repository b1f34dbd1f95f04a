/** How processing stands, for users. */
import type { HistoryEntry, ObjectState, ObjectVersion, StoredProgress, StoredStep } from './state.ts'

/**
 * `queued`: waits for a worker. `running`, `done`. `failed`: will be tried again. `dead`: will not, for the reason in `error`.
 * `gone`: deleted, with its records. `unprocessed`: no rule wants it.
 */
export type Progress = StoredProgress | 'unprocessed'

export interface ObjectStatus {
  bucket: string
  key: string
  progress: Progress
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
  /** Each step of the processor, with the reason if it was skipped. */
  steps: Record<string, StoredStep>
  attempt: number
  /** RFC 3339. */
  retryAt?: string
  error?: { code: string; message: string }
  changedAt?: string
  history: HistoryEntry[]
}

export const isFinal = ({ progress }: ObjectStatus): boolean =>
  progress === 'done' || progress === 'dead' || progress === 'gone' || progress === 'unprocessed'

export function statusOf(
  bucket: string,
  key: string,
  state: ObjectState | undefined,
  object: ObjectVersion | undefined,
  isWanted: boolean,
): ObjectStatus {
  const isCurrent = (state?.object?.version ?? null) === (object?.version ?? null)
  const version = object?.version ?? null
  if (state === undefined)
    return {
      bucket,
      key,
      progress: object === undefined ? 'gone' : isWanted ? 'queued' : 'unprocessed',
      version,
      records: 0,
      collections: [],
      steps: {},
      attempt: 0,
      history: [],
    }
  const { records, collections, contentType, processor, claim, steps, attempt, retryAtMs, error } = state
  return {
    bucket,
    key,
    // A deletion, or a new version, that no worker has seen yet.
    progress: isCurrent ? state.progress : 'queued',
    version,
    records,
    collections,
    ...(contentType !== null && { contentType }),
    ...(processor && { processor: `${processor.name}@${processor.version}` }),
    ...(claim && { step: claim.step }),
    steps,
    attempt,
    ...(retryAtMs !== null && { retryAt: new Date(retryAtMs).toISOString() }),
    ...(error && { error }),
    changedAt: new Date(state.changedAtMs).toISOString(),
    history: state.history,
  }
}
