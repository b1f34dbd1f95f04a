/** A group of requests that is evaluated at one state of the log and answered together. */
import { unavailable } from '../errors.ts'
import type { EntryControl } from '../format/entry.ts'
import type { RecordOp } from '../model/record.ts'
import { isMissing } from '../snapshot/manifest-store.ts'
import { type EvaluationState, StateMoved, type WriteBatch } from './write-batch.ts'

export interface Evaluated<T> {
  records: readonly RecordOp[]
  control?: EntryControl
  result: T
}

export type Evaluate<T> = (state: EvaluationState) => Evaluated<T> | Promise<Evaluated<T>>

export interface Appended<T> {
  version: number
  result: T
}

export interface AppendOptions {
  /** Rough size of its records, for grouping and back-pressure. */
  sizeBytes: number
  /** What `evaluate` gives at any state at which it does not throw: then the request may be handed over. */
  records?: readonly RecordOp[]
  /** It only has the inbox sequenced. */
  onlySequences?: true
}

export interface Request extends AppendOptions {
  evaluate: Evaluate<unknown>
  resolve(answer: Appended<unknown>): void
  reject(error: unknown): void
}

/** A request that failed or has nothing to write. Its outcome holds only if the state is still current. */
export interface Settled {
  request: Request
  outcome: { error: unknown } | { result: unknown }
}

export interface Evaluation {
  records: RecordOp[]
  control: EntryControl | null
  written: { request: Request; result: unknown }[]
  settled: Settled[]
  /**
   * Requests that failed or have nothing to write because of what the entry takes from the inbox, or of what earlier
   * ones of the group write: settled by the entry.
   */
  dependent: Settled[]
}

/** @throws StateMoved, and SiltstoneError `corrupt` for a missing object: these concern the group, not one request */
export async function evaluateGroup(group: readonly Request[], batch: WriteBatch): Promise<Evaluation> {
  const records: RecordOp[] = []
  const written: Evaluation['written'] = []
  const settled: Settled[] = []
  const dependent: Settled[] = []
  // step: refusal-waits-for-what-caused-it
  const settle = (one: Settled) => (written.length > 0 || batch.sequenced.length > 0 ? dependent : settled).push(one)
  let control: EntryControl | null = null
  for (const request of group) {
    try {
      if (control) throw unavailable('busy', 'the collection is being changed; retry', { retryAfterMs: 50 })
      const evaluated = await request.evaluate(batch)
      if (evaluated.control) control = evaluated.control
      if (evaluated.records.length === 0 && !evaluated.control) {
        settle({ request, outcome: { result: evaluated.result } })
        continue
      }
      batch.add(evaluated.records)
      for (const record of evaluated.records) records.push(record)
      written.push({ request, result: evaluated.result })
    } catch (error) {
      if (error instanceof StateMoved || isMissing(error)) throw error
      settle({ request, outcome: { error } })
    }
  }
  return { records, control, written, settled, dependent }
}

export function answer(request: Request, outcome: Settled['outcome'], version: number): void {
  if ('error' in outcome) request.reject(outcome.error)
  else request.resolve({ version, result: outcome.result })
}
