/**
 * Objects that one kind of worker hands over to another: a function from a zip reads documents and hands recordings over to one
 * that has ffmpeg and a model of speech; what a function cannot do in its time goes to a task, which may take as long as it needs.
 *
 * The state of a key says which tier has to work on it (`handOver`), and workers below that tier leave it alone:
 * 1. A worker that finds that an object is not its own, from its processor and its size, or because its time is over, ends its
 *    claim with a hand-over that no other worker was told of yet.
 * 2. The next worker that looks at the key, usually the same one, writes the state before it tells: until `untilMs` the key is in the hands
 *    of the tier, so of several lookers one tells.
 * 3. It tells the recipient: a message to the queue of the tier, or a task that is started for this key.
 * 4. It writes the state after it told: what was started, or the failure, with the time of the next attempt.
 * 5. A worker of the tier claims the key as every worker does.
 *
 * What a crash leaves: between 1 and 2, and between 2 and 3, a key that no worker works on. Its message is delivered again, or the sweep comes,
 * and tells when `untilMs` is over; so it does when a message is lost, or a task never begins. Each telling counts as an attempt, so a tier
 * that never begins ends in `dead`. If a task begins late, when another one was started, both look at the key and one claims it.
 * A failed attempt of a tier is repeated by the tier.
 */
import type { Clock, Logger, Random } from 'siltstone/internal'
import type { Decision } from './decide.ts'
import { retryMs } from './retry-time.ts'
import { errorOf, type ObjectState, objectIdOf, type Tier, TIERS, withHistory } from './state.ts'
import type { ReadState, StateStore } from './state-store.ts'

export interface HandOverOrder {
  bucket: string
  key: string
  /** The same for repetitions of one telling: 64 letters, digits and dashes at most. */
  id: string
}

/** Has a worker of a tier look at a key. @returns the name of what it started, for people */
export type Recipient = (order: HandOverOrder) => Promise<string | undefined>

export interface HandOverOptions {
  /** Of this worker. */
  own: Tier
  recipients: Partial<Record<Tier, Recipient>>
  /** Recordings that are larger begin at a task. Default: all begin at `media`. */
  taskAboveBytes?: number
}

/** Until a queue has delivered and a task has started. */
export const HAND_OVER_MS = 10 * 60_000

const rank = (tier: Tier): number => TIERS.indexOf(tier)

/** Which objects are whose. Without options all are this worker's. */
export class Tiers {
  readonly #options: HandOverOptions | undefined

  constructor(options?: HandOverOptions) {
    this.#options = options
  }

  /** The tier that works on the key and is told by this worker; undefined: this worker works on it itself. */
  ofState({ handOver }: Pick<ObjectState, 'handOver'>): Tier | undefined {
    return handOver === null ? undefined : this.#atLeast(rank(handOver.tier))
  }

  /** Where an object of a processor belongs; undefined: here. */
  ofObject(processor: string, sizeBytes: number): Tier | undefined {
    if (processor !== 'media') return undefined
    const isLarge = sizeBytes > (this.#options?.taskAboveBytes ?? Number.POSITIVE_INFINITY)
    return this.#atLeast(rank(isLarge ? 'task' : 'media'))
  }

  /** Who can go on where the time or the processes of a tier, by default this worker's, were not enough. */
  above({ handOver }: Pick<ObjectState, 'handOver'>): Tier | undefined {
    return this.#options && this.#atLeast(Math.max(rank(this.#options.own), rank(handOver?.tier ?? 'function')) + 1)
  }

  recipient(tier: Tier): Recipient | undefined {
    return this.#options?.recipients[tier]
  }

  /** The lowest tier that can be told, unless this worker is as high. */
  #atLeast(least: number): Tier | undefined {
    const { own, recipients } = this.#options ?? { own: 'task', recipients: {} }
    if (rank(own) >= least) return undefined
    return TIERS.find((tier) => rank(tier) >= least && recipients[tier] !== undefined)
  }
}

/** Ends the work on an object that another tier has to do. */
export class NotOurs extends Error {
  readonly tier: Tier

  constructor(tier: Tier) {
    super(`the object is for a worker of the tier ${tier}`)
    this.tier = tier
  }
}

/** The end of a claim on an object that is for another tier, which is told next. */
export const handedOver = (tier: Tier): Pick<ObjectState, 'progress' | 'attempt' | 'lost' | 'handOver'> => ({
  progress: 'queued',
  attempt: 0,
  lost: 0,
  handOver: { tier, untilMs: 0, recipient: null },
})

export interface Telling {
  states: StateStore
  clock: Clock
  random: Random
  log: Logger
  recipient: Recipient
}

/** Steps 2 to 4. A worker that changes the state in between takes over. */
export async function tell(
  { state, etag }: ReadState,
  { tier, object, attempt, lost }: Extract<Decision, { do: 'hand-over' }>,
  { states, clock, random, log, recipient }: Telling,
): Promise<void> {
  const { bucket, key, run } = state
  const nowMs = clock.nowMs()
  const told: ObjectState = {
    ...state,
    progress: 'queued',
    object,
    attempt,
    lost,
    claim: null,
    mustFence: state.mustFence || state.progress === 'running',
    retryAtMs: null,
    error: null,
    handOver: { tier, untilMs: nowMs + HAND_OVER_MS, recipient: null },
    changedAtMs: nowMs,
    ...(state.progress === 'running' && { history: withHistory(state, 'superseded', nowMs) }),
  }
  const written = await states.write(told, { state, etag })
  if (written === undefined) return
  try {
    const name = await recipient({ bucket, key, id: `${objectIdOf(bucket, key)}-${run}-${attempt}` })
    log.info('object_handed_over', { bucket, key, tier, attempt, ...(name !== undefined && { recipient: name }) })
    if (name !== undefined) await states.write(withRecipient(written.state, name), written)
  } catch (error) {
    log.warn('object_not_handed_over', { bucket, key, tier, attempt, error })
    const failed: ObjectState = {
      ...written.state,
      progress: 'failed',
      error: errorOf(error),
      retryAtMs: nowMs + retryMs(attempt, random),
    }
    await states.write(failed, written)
  }
}

const withRecipient = (state: ObjectState, recipient: string): ObjectState => ({
  ...state,
  handOver: state.handOver && { ...state.handOver, recipient },
})
