/**
 * Brings the records of one key in line with its object. This is the protocol of processing.
 *
 * The object decides: its newest version, or its absence. A message about a key only says "look at this key", so the order,
 * repetition and delay of messages do not matter, and a sweep over all keys makes up for messages that were lost. To look at
 * a key is to:
 * 1. Read the state of the key (`state.ts`), then the head of the object, then decide (`decide.ts`). The order matters: a
 *    worker that saw a newer object has written the state first, so its work is never undone, not even for a moment.
 * 2. Claim: replace the state by `running` with a new claim, by compare-and-swap. One of several workers succeeds; the
 *    others look again. A claim for another version is taken over at once, a claim for the same version when its lease has
 *    ended. From now on the state names the collection, before anything is written there.
 * 3. If the previous claim did not end properly, fence it (`records.ts`): its later writes are refused.
 * 4. Process the version, or remove the records. Each write of records is conditional on the claim.
 * 5. Replace the state by `done`, `failed`, `dead` or `gone`, by compare-and-swap, and begin again at 1, because the object
 *    may have changed in the meantime.
 *
 * What a crash leaves:
 * - Before 2: nothing. The message is delivered again, or a sweep finds the key.
 * - Between 2 and 5: a claim that ends with its lease. The next worker repeats all of it. The same records get the same ids,
 *    and its last commit deletes everything else that the earlier run wrote, so the records of exactly one run remain.
 * - A worker that stalls, and continues later, finds its claim lost at its next write (`records.ts`) or at 5.
 * - If one object kills its process again and again, it is `dead` with code `worker-lost` after `maxAttempts` more claims.
 *   Objects that were processed beside it do not count the failure (`nextTry` of `decide.ts`).
 *
 * Some of a run's records can be searched before its end: `early.ts`.
 *
 * If an object was deleted because of its age, its records stay: the state becomes `expired` by one compare-and-swap. This
 * also holds while a replay is requested or running: until a run has written a part of its records, those of the previous
 * run are complete (`isWhole`). A run announces its first write by compare-and-swap, so either the run or the expiry comes
 * first. The last commit of a run may follow the expiry; it replaces one complete set of records by another. If a message
 * says that a client deleted the object, the records are removed after all.
 *
 * An object that this worker cannot process is handed to workers of another tier (`hand-over.ts`).
 *
 * The state is kept after its object is gone: the object store has no conditional deletion, and without the state a deleted
 * object could not be distinguished from one that no worker has seen yet.
 */
import {
  type BlobInfo,
  type BlobStore,
  type Clock,
  type Collection,
  type Embedder,
  type Ids,
  isDiskFull,
  isSiltstoneError,
  type Logger,
  type Metrics,
  noMetrics,
  type Random,
} from 'siltstone/internal'
import type { ProcessContext } from '@siltstone/processors'
import { headOf, removeBelow, versionOf } from './bucket-view.ts'
import { claimedState, expiredState } from './claimed-state.ts'
import { type Decision, decide } from './decide.ts'
import { publishesEarly } from './early.ts'
import { handedOver, type HandOverOptions, NotOurs, tell, Tiers } from './hand-over.ts'
import { ClaimLost, HeldClaim } from './held-claim.ts'
import type { JobSlots } from './job-slots.ts'
import { objectAccess, Superseded } from './object-access.ts'
import { isPermanent, type Pipeline } from './pipeline.ts'
import { ObjectRecords } from './records.ts'
import { nextAttempt, retryMs } from './retry-time.ts'
import type { ProcessingRules } from './rules.ts'
import { derivedPrefixOf, runObject } from './run-object.ts'
import { haveChanged, mayBeStale, readersOf, SideCars } from './side-cars.ts'
import { errorOf, newState, type ObjectState, objectIdOf, type ObjectVersion } from './state.ts'
import type { ReadState, StateStore } from './state-store.ts'

/** The collections of the store that records go to. */
export interface Collections {
  /** Made when it is missing. */
  open(name: string): Promise<Collection>
  /** Undefined if it is missing. */
  find(name: string): Promise<Collection | undefined>
  embedder(collection: Collection): Promise<Embedder>
}

export interface ReconcilerOptions {
  blobs: (bucket: string) => BlobStore
  scheme: 'siltstone' | 's3'
  states: StateStore
  collections: Collections
  rules: ProcessingRules
  pipeline: Pipeline
  withScratch: <T>(work: (scratch: ProcessContext['scratch']) => Promise<T>) => Promise<T>
  clock: Clock
  random: Random
  ids: Ids
  log: Logger
  /** `objects_done`, `objects_failed`, `objects_dead`, `objects_removed`. Default: nothing is counted. */
  metrics?: Metrics
  /** Default: all processors that are asked work at the same time. */
  jobs?: JobSlots
  /** For people who look at a state. */
  owner: string
  /** Default 30 s. */
  leaseMs?: number
  /** Default 5. */
  maxAttempts?: number
  /** Default: this worker processes whatever it is told of. */
  handOver?: HandOverOptions
}

export interface ReconcileCall {
  /** Called while the work goes on. */
  alive?: () => Promise<void>
  /**
   * Gives the work up; another worker does it again. If the reason is a SiltstoneError, the object has failed with it: the
   * attempt counts.
   */
  signal?: AbortSignal
  /** What a message said of the object's end. */
  deleted?: 'removed' | 'expired'
}

/** `wait`: look again at that time. */
export type Outcome = { status: 'settled' } | { status: 'wait'; untilMs: number }

const LEASE_MS = 30_000
const ATTEMPTS = 5
const NO_RECORDS = { collections: [], records: 0, steps: {}, derivedRuns: [] }

export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #leaseMs: number
  readonly #maxAttempts: number
  readonly #metrics: Metrics
  readonly #tiers: Tiers

  constructor(options: ReconcilerOptions) {
    this.#options = options
    this.#leaseMs = options.leaseMs ?? LEASE_MS
    this.#maxAttempts = options.maxAttempts ?? ATTEMPTS
    this.#metrics = options.metrics ?? noMetrics
    this.#tiers = new Tiers(options.handOver)
  }

  /** @throws the reason of the signal; what the stores throw: then the state is as a crash leaves it */
  async reconcile(bucket: string, key: string, call: ReconcileCall = {}): Promise<Outcome> {
    for (;;) {
      const { read, decision, info } = await this.look(bucket, key, call.deleted)
      if (decision.do === 'nothing') return { status: 'settled' }
      if (decision.do === 'wait') return { status: 'wait', untilMs: decision.untilMs }
      if (decision.do === 'expire' || decision.do === 'hand-over') {
        await this.#change(read as ReadState, decision)
        continue
      }
      // After its time a worker begins nothing more, but still tells who goes on.
      call.signal?.throwIfAborted()
      const claim = await this.#claim(bucket, key, read, decision)
      if (claim === undefined) continue
      try {
        if (claim.mustFence) await this.#fence(claim)
        if (decision.do === 'process') await this.#process(claim, decision.object, info as BlobInfo, call)
        else await this.#remove(claim, decision)
      } catch (error) {
        if (!(error instanceof ClaimLost)) throw error
        this.#options.log.info('object_claim_lost', { bucket, key })
      }
    }
  }

  /** What is to be done for a key now. */
  async look(
    bucket: string,
    key: string,
    deleted?: 'removed' | 'expired',
  ): Promise<{ read: ReadState | undefined; decision: Decision; info: BlobInfo | undefined }> {
    const { rules, clock } = this.#options
    const read = await this.#read(bucket, key)
    const info = await headOf(this.#options.blobs(bucket), key)
    const decision = decide({
      state: read?.state,
      object: info && versionOf(info),
      isWanted: rules.collectionOf(bucket, key) !== undefined,
      nowMs: clock.nowMs(),
      maxAttempts: this.#maxAttempts,
      deleted,
      expiry: rules.expiryOf(bucket, key),
      isStale: read !== undefined && info !== undefined && (await this.#isStale(read)),
      tier: read && this.#tiers.ofState(read.state),
      above: read && this.#tiers.above(read.state),
    })
    return { read, decision, info }
  }

  /** Objects that have to be looked at after this one: recordings that it lies beside. */
  readersOf(bucket: string, key: string): Promise<string[]> {
    return readersOf(key, bucket, this.#options.blobs(bucket), this.#options.states)
  }

  async #isStale({ state }: ReadState): Promise<boolean> {
    const { bucket, sideCars } = state
    if (!mayBeStale(state)) return false
    return haveChanged(sideCars, this.#options.blobs(bucket), async (key) => {
      const { read, decision } = await this.look(bucket, key)
      return read?.state.progress === 'expired' || decision.do === 'expire'
    })
  }

  /** Without a claim, because nothing but the state changes. If it comes too late, what is there now is looked at. */
  async #change(read: ReadState, decision: Extract<Decision, { do: 'expire' | 'hand-over' }>): Promise<void> {
    const { states, clock, random, log } = this.#options
    if (decision.do === 'expire') {
      await states.write(expiredState(read.state, clock.nowMs()), read)
      return
    }
    const recipient = this.#tiers.recipient(decision.tier)
    if (recipient) await tell(read, decision, { states, clock, random, log, recipient })
  }

  /** A damaged state is replaced: what it said is found out again. */
  async #read(bucket: string, key: string): Promise<ReadState | undefined> {
    const { states, log } = this.#options
    try {
      return await states.read(bucket, key)
    } catch (error) {
      if (!isSiltstoneError(error, 'corrupt')) throw error
      log.error('object_state_damaged', { bucket, key, error })
      await states.replaceDamaged(bucket, key)
      return states.read(bucket, key)
    }
  }

  async #claim(
    bucket: string,
    key: string,
    read: ReadState | undefined,
    decision: Extract<Decision, { do: 'process' | 'bury' | 'remove' }>,
  ): Promise<HeldClaim | undefined> {
    const { clock, ids, owner, states } = this.#options
    const before = read?.state ?? newState(bucket, key)
    const nowMs = clock.nowMs()
    const lease = { id: ids.ulid(), owner, leaseUntilMs: nowMs + this.#leaseMs, step: 'start' }
    const claimed = claimedState(before, {
      ...lease,
      decision,
      collection: this.#collectionFor(before),
      nowMs,
      isFirst: read === undefined,
    })
    const written = await states.write(claimed, read)
    return written && new HeldClaim(written, states, clock, this.#leaseMs)
  }

  /** What no rule wants any more is processed on demand, to where it was. */
  #collectionFor({ bucket, key, collections }: ObjectState): string {
    return this.#options.rules.collectionOf(bucket, key) ?? collections.at(-1) ?? bucket
  }

  async #fence(claim: HeldClaim): Promise<void> {
    for (const name of claim.state.collections) await (await this.#records(name, claim))?.fence()
  }

  async #records(name: string, claim: HeldClaim): Promise<ObjectRecords | undefined> {
    const collection = await this.#options.collections.find(name)
    return collection && new ObjectRecords(collection, objectIdOf(claim.state.bucket, claim.state.key), claim.check)
  }

  async #process(claim: HeldClaim, object: ObjectVersion, info: BlobInfo, call: ReconcileCall): Promise<void> {
    const { pipeline, collections, log, clock, random, scheme, withScratch, jobs } = this.#options
    const { bucket, key } = claim.state
    const blobs = this.#options.blobs(bucket)
    const sideCars = new SideCars(blobs, key)
    const name = this.#collectionFor(claim.state)
    const objectId = objectIdOf(bucket, key)
    const stop = new AbortController()
    const onAbort = () => stop.abort(call.signal?.reason)
    call.signal?.addEventListener('abort', onAbort)
    const heartbeat = async (step: string) => {
      try {
        await call.alive?.()
        await claim.beat(step)
      } catch (error) {
        stop.abort(error)
        throw error
      }
    }
    try {
      const collection = await collections.open(name)
      const records = new ObjectRecords(collection, objectId, claim.check)
      const result = await withScratch((scratch) =>
        runObject({
          source: objectAccess(blobs, key, object, info.versionId),
          storedType: info.head.contentType ?? '',
          lineage: { scheme, bucket, key, object, objectId, run: claim.id },
          pipeline,
          records,
          blobs,
          sideCars,
          embedder: () => collections.embedder(collection),
          scratch,
          signal: stop.signal,
          heartbeat,
          publishes: () => publishesEarly(claim.state, name),
          onPublished: (published) => claim.note(published),
          onPartial: claim.notWhole,
          inTurn: (work) => claim.inTurn(work, heartbeat, jobs),
          onProcessor: (processor) => {
            const tier = this.#tiers.ofObject(processor.name, object.sizeBytes)
            if (tier !== undefined) throw new NotOurs(tier)
            claim.remember({ processor, contentType: info.head.contentType ?? null })
          },
        }),
      )
      for (const other of claim.state.collections)
        if (other !== name) await (await this.#records(other, claim))?.removeAll()
      await this.#removeDerived(claim)
      const { summary, derived, processor } = result
      await claim.end({
        progress: 'done',
        handOver: null,
        processor,
        contentType: summary.contentType,
        steps: summary.steps,
        collections: [name],
        records: result.records,
        isWhole: true,
        sideCars: sideCars.found,
        derivedRuns: derived > 0 ? [claim.id] : [],
      })
      this.#metrics.count('objects_done')
      log.info('object_processed', { bucket, key, records: result.records, collection: name, run: claim.state.run })
    } catch (error) {
      if (error instanceof ClaimLost || stop.signal.reason instanceof ClaimLost) throw new ClaimLost()
      // A worker that stops leaves the work to another one. One whose time is over has tried.
      if (call.signal?.aborted === true && !isSiltstoneError(call.signal.reason)) {
        await claim.end({ progress: 'queued' })
        throw call.signal.reason
      }
      const above = call.signal?.aborted === true ? this.#tiers.above(claim.state) : undefined
      const tier = error instanceof NotOurs ? error.tier : above
      if (tier !== undefined) return await claim.end(handedOver(tier))
      // What is there now is looked at next. The attempt counts, in case that it is the same version.
      if (error instanceof Superseded) return claim.end({ progress: 'failed', error: errorOf(error), retryAtMs: null })
      const { attempt } = claim.state
      const cause: unknown = call.signal?.aborted === true ? call.signal.reason : error
      const shown = errorOf(cause)
      const isDead = isPermanent(cause) || (attempt >= this.#maxAttempts && !isDiskFull(cause))
      log.warn('object_failed', { bucket, key, attempt, code: shown.code, error: cause, isDead })
      this.#metrics.count('objects_failed')
      if (isDead) return this.#bury(claim, shown, sideCars.found)
      await claim.end({ progress: 'failed', error: shown, ...nextAttempt(attempt, cause, clock.nowMs(), random) })
    } finally {
      call.signal?.removeEventListener('abort', onAbort)
    }
  }

  /** The last resort: the version has no records, and none of another version stay in its place. */
  async #bury(claim: HeldClaim, error: ObjectState['error'], sideCars: SideCars['found'] = []): Promise<void> {
    await this.#removeRecords(claim)
    this.#metrics.count('objects_dead')
    await claim.end({ ...NO_RECORDS, progress: 'dead', error, handOver: null, sideCars })
  }

  async #remove(claim: HeldClaim, decision: Extract<Decision, { do: 'remove' | 'bury' }>): Promise<void> {
    const { bucket, key } = claim.state
    const { log, clock, random } = this.#options
    try {
      if (decision.do === 'bury')
        return await this.#bury(
          claim,
          decision.error ?? {
            code: 'worker-lost',
            message: `The process that worked on it ended ${decision.attempt - 1 + decision.lost} times before it was done.`,
          },
        )
      await this.#removeRecords(claim)
      const noProcessor = { processor: null, contentType: null }
      await claim.end({ ...NO_RECORDS, ...noProcessor, progress: 'gone', handOver: null, sideCars: [] })
      this.#metrics.count('objects_removed')
      log.info('object_removed', { bucket, key })
    } catch (error) {
      if (error instanceof ClaimLost) throw error
      log.error('object_not_removed', { bucket, key, error })
      const retryAtMs = clock.nowMs() + retryMs(decision.attempt, random)
      await claim.end({ progress: 'failed', error: errorOf(error), retryAtMs })
    }
  }

  async #removeRecords(claim: HeldClaim): Promise<void> {
    await claim.notWhole()
    for (const name of claim.state.collections) await (await this.#records(name, claim))?.removeAll()
    await this.#removeDerived(claim, true)
  }

  /** Of earlier runs; with `own`, of this one as well. */
  async #removeDerived(claim: HeldClaim, own = false): Promise<void> {
    const { bucket, key, derivedRuns } = claim.state
    const blobs = this.#options.blobs(bucket)
    for (const run of derivedRuns) {
      if (run === claim.id && !own) continue
      await removeBelow(blobs, derivedPrefixOf(objectIdOf(bucket, key), run))
    }
  }
}
