/** What is to be done for one key: a function of its stored state, its object and the time. */
import type { Expiry } from './rules.ts'
import type { ObjectState, ObjectVersion, ProcessingError, Tier } from './state.ts'

export type Decision =
  | { do: 'nothing' }
  /** Somebody else works on it, or it waits for its next attempt. */
  | { do: 'wait'; untilMs: number }
  | ({ do: 'process'; object: ObjectVersion } & Tries)
  /** Its process ended too often in the middle of the work, or no worker took it over: then `error` says why. */
  | ({ do: 'bury'; object: ObjectVersion; error?: ProcessingError } & Tries)
  /** Workers of another tier have to be told. */
  | ({ do: 'hand-over'; object: ObjectVersion; tier: Tier } & Tries)
  | ({ do: 'remove' } & Tries)
  /** The object was deleted because of its age: its records stay. */
  | { do: 'expire' }

/** As of `ObjectState`. */
export type Tries = Pick<ObjectState, 'attempt' | 'lost'>

/** A claim is in one of these steps before and after its processor works, and says so from the second run on. */
export const BEFORE_PROCESSOR = ['start', 'waits']
export const AFTER_PROCESSOR = 'commit'
/** How often a process may end beside an object for each time that it may end while the object's processor works. */
const LOST_PER_ATTEMPT = 6
const FIRST: Tries = { attempt: 1, lost: 0 }

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
  if (state === undefined) return target === undefined ? { do: 'nothing' } : { do: 'process', object: target, ...FIRST }
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
  const tries = isSame && !isStale ? nextTry(state, facts) : FIRST
  // Nothing to remove was ever written, when the key has no object and had none.
  if (target === undefined) return { do: 'remove', ...tries }
  if (isSame && (tries.attempt > maxAttempts || tries.lost > maxAttempts * LOST_PER_ATTEMPT)) {
    const { above } = facts
    if (above !== undefined && state.progress === 'running')
      return { do: 'hand-over', object: target, ...FIRST, tier: above }
    return { do: 'bury', object: target, ...tries, ...reasonOf(state) }
  }
  if (isSame && facts.tier !== undefined) return { do: 'hand-over', object: target, ...tries, tier: facts.tier }
  return { do: 'process', object: target, ...tries }
}

type Told = ObjectState & { handOver: NonNullable<ObjectState['handOver']> }

/** Whether it waits for a worker of its tier, which was told or is to be told now. */
const isTold = (state: ObjectState): state is Told => state.progress === 'queued' && state.handOver !== null

/**
 * A process that is killed has many keys under way, and most of them have nothing to do with it. So only those whose processor was
 * at work have tried; the others are counted apart.
 */
function nextTry(state: ObjectState, { tier }: Facts): Tries {
  const { progress, claim, attempt, lost } = state
  // It was counted when the tier was told.
  if (isTold(state)) return { attempt: tier === undefined ? Math.max(1, attempt) : attempt + 1, lost }
  if (progress === 'queued') return FIRST
  const wasBeside = claim !== null && [...BEFORE_PROCESSOR, AFTER_PROCESSOR].includes(claim.step)
  return progress === 'running' && wasBeside ? { attempt, lost: lost + 1 } : { attempt: attempt + 1, lost }
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
