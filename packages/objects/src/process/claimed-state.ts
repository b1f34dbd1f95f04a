/** The states that a claim and an expiry write: functions of the state before. */
import type { Decision } from './decide.ts'
import { type Claim, type ObjectState, withHistory } from './state.ts'

export interface NewClaim extends Claim {
  decision: Extract<Decision, { do: 'process' | 'bury' | 'remove' }>
  /** Where its records go. */
  collection: string
  nowMs: number
  /** Whether there was no state before. */
  isFirst: boolean
}

export function claimedState(
  before: ObjectState,
  { decision, collection, nowMs, isFirst, ...claim }: NewClaim,
): ObjectState {
  const object = decision.do === 'remove' ? null : decision.object
  const isOther = before.object?.version !== object?.version
  const isTakenOver = before.progress === 'running'
  const isProcessed = decision.do === 'process'
  return {
    ...before,
    progress: 'running',
    object,
    run: before.run + 1,
    attempt: decision.attempt,
    lost: decision.lost,
    claim,
    mustFence: isTakenOver || before.mustFence,
    retryAtMs: null,
    error: null,
    ...(isOther && { processor: null, contentType: null, steps: {}, handOver: null }),
    collections: [...new Set([...before.collections, ...(isProcessed ? [collection] : [])])],
    // Of a run that goes to another collection, one part after the other would be there.
    isWhole: before.isWhole && !isOther && before.collections.every((name) => name === collection),
    derivedRuns: isProcessed ? [...before.derivedRuns, claim.id] : before.derivedRuns,
    startedAtMs: nowMs,
    changedAtMs: nowMs,
    history: isFirst ? [] : withHistory(before, isTakenOver ? 'superseded' : before.progress, nowMs),
  }
}

/** Of an object that was deleted because of its age: its records stay. */
export const expiredState = (before: ObjectState, nowMs: number): ObjectState => ({
  ...before,
  progress: 'expired',
  object: null,
  claim: null,
  mustFence: before.mustFence || before.progress === 'running',
  retryAtMs: null,
  error: null,
  handOver: null,
  changedAtMs: nowMs,
  history: withHistory(before, 'expired', nowMs),
})
