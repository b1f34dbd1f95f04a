/** What is to be done for one key: a function of its stored state, its object and the time. */
import type { Expiry } from './rules.ts'
import type { ObjectState, ObjectVersion, ProcessingError, Tier } from './state.ts'

export type Decision =
  | { do: 'nothing' }
  /** Somebody else works on it, or it waits for its next attempt. */
  | { do: 'wait'; untilMs: number }
  | { do: 'process'; object: ObjectVersion; attempt: number }
  /** Its process ended too often in the middle of the work, or nobody took it over: then `error` says why. */
  | { do: 'bury'; object: ObjectVersion; attempt: number; error?: ProcessingError }
  /** Workers of another tier have to be told. */
  | { do: 'hand-over'; object: ObjectVersion; attempt: number; tier: Tier }
  | { do: 'remove'; attempt: number }
  /** The object was deleted because of its age: its records stay. */
  | { do: 'expire' }

export interface Facts {
  state: ObjectState | undefined
  /** The newest version; undefined: there is no object, or a delete marker is on top. */
  object: ObjectVersion | undefined
  /** Whether a rule wants the object to be processed. */
  isWanted: boolean
  nowMs: number
  maxAttempts: number
  /** Whether files beside the object are others than the ones that its last run found. */
  isStale?: boolean
  /** The tier that has to work on the state's version, if that is not this worker's. */
  tier?: Tier | undefined
  /** A tier that may go on where the processes of the present one end. */
  above?: Tier | undefined
  /** What a message said of the object's end. */
  deleted?: 'removed' | 'expired' | undefined
  /** Of the rule for the key. */
  expiry?: Expiry | undefined
}

export function decide(facts: Facts): Decision {
  const { state, object, isWanted, nowMs, maxAttempts } = facts
  // Rules say what is processed from now on. They take nothing away from what was processed.
  const isKept = isWanted || (object !== undefined && state?.object?.version === object.version)
  const target = object !== undefined && isKept ? object : undefined
  if (state === undefined)
    return target === undefined ? { do: 'nothing' } : { do: 'process', object: target, attempt: 1 }
  if (object === undefined && state.progress === 'expired' && facts.deleted !== 'removed') return { do: 'nothing' }
  if (object === undefined && hasExpired(state, facts)) return { do: 'expire' }
  const isSame = (state.object?.version ?? null) === (target?.version ?? null)
  // What no rule wants any more stays as it is.
  const isStale = facts.isStale === true && isWanted
  if (isSame) {
    if (!isStale && (state.progress === 'done' || state.progress === 'dead' || state.progress === 'gone'))
      return { do: 'nothing' }
    if (state.claim !== null && state.claim.leaseUntilMs > nowMs)
      return { do: 'wait', untilMs: state.claim.leaseUntilMs }
    if (state.retryAtMs !== null && state.retryAtMs > nowMs) return { do: 'wait', untilMs: state.retryAtMs }
    if (isTold(state) && facts.tier !== undefined && state.handOver.untilMs > nowMs)
      return { do: 'wait', untilMs: state.handOver.untilMs }
  }
  const attempt = isSame && !isStale ? attemptOf(state, facts) : 1
  // Nothing to remove was ever written, when the key has no object and had none.
  if (target === undefined) return { do: 'remove', attempt }
  if (isSame && attempt > maxAttempts) {
    const { above } = facts
    if (above !== undefined && state.progress === 'running')
      return { do: 'hand-over', object: target, attempt: 1, tier: above }
    return { do: 'bury', object: target, attempt, ...reasonOf(state) }
  }
  if (isSame && facts.tier !== undefined) return { do: 'hand-over', object: target, attempt, tier: facts.tier }
  return { do: 'process', object: target, attempt }
}

type Told = ObjectState & { handOver: NonNullable<ObjectState['handOver']> }

/** Whether it waits for a worker of its tier, which was told or is to be told now. */
const isTold = (state: ObjectState): state is Told => state.progress === 'queued' && state.handOver !== null

function attemptOf(state: ObjectState, { tier }: Facts): number {
  if (!isTold(state)) return state.progress === 'queued' ? 1 : state.attempt + 1
  // It was counted when the tier was told.
  return tier === undefined ? Math.max(1, state.attempt) : state.attempt + 1
}

function reasonOf(state: ObjectState): { error?: ProcessingError } {
  if (state.error !== null) return { error: state.error }
  if (!isTold(state)) return {}
  const { tier } = state.handOver
  const message = `No worker of the tier ${tier} began, though ${state.attempt} times one was told: see whether its function or task starts.`
  return { error: { code: 'worker-missing', message } }
}

/**
 * Whether an object that is gone was deleted because of its age, and its records stay: also where another run of it was asked
 * for, or has begun, but was not told in time. If no message said so, its age decides:
 * a deletion by somebody, of an object that was due, is taken for an expiry if its message was lost.
 */
function hasExpired({ isWhole, object }: ObjectState, { deleted, expiry, nowMs }: Facts): boolean {
  if (!isWhole || object === null || deleted === 'removed' || expiry?.keepsRecords === false) return false
  return deleted === 'expired' || (expiry !== undefined && nowMs - object.modifiedAtMs >= expiry.ageMs)
}
