/**
 * The compactor of one store. It folds a collection's log into segments (`fold.ts`) and merges its segments (`merge.ts`)
 * until neither is due. Several processes fold different parts of a long log at a time (`fold-ranges.ts`), and make different merges
 * (`merge-claims.ts`). Between calls a compactor keeps only caches, its pace, and which other processes it has noticed, so any
 * number of compactors may run, on any machine.
 *
 * Every fold and every merge is a bounded step that commits by itself, so the work of an invocation that ends early is
 * lost by one step at most. With a deadline, a fold takes as much of the log as it can move in the time that is left,
 * and a merge begins only if it is expected to end in that time.
 */
import type { CompactionOutcome } from '../model/store.ts'
import type { Manifest } from '../format/manifest.ts'
import { CollectionState } from '../log/collection-state.ts'
import type { LogLimits } from '../log/log-limits.ts'
import { LogWriter } from '../log/writer.ts'
import type { Environment } from '../ports/environment.ts'
import { forwardingStore } from '../ports/forwarding-store.ts'
import { BlockCache } from '../snapshot/block-cache.ts'
import { ManifestStore } from '../snapshot/manifest-store.ts'
import { SegmentPool } from '../snapshot/open-segment.ts'
import { foldBeside, foldOnce, type FoldContext, type FoldResult } from './fold.ts'
import { foldLease, withLease } from '../ports/lease-guard.ts'
import type { CompactLimits } from './compact-limits.ts'
import { mergeOnce, type Trial } from './merge.ts'
import type { NotBegun } from './merge-choice.ts'
import { scheduleGcAfterFold } from './gc-schedule.ts'
import { SeenHelpers } from './seen-helpers.ts'
import type { Room } from './step-cost.ts'
import { StepPace } from './step-pace.ts'
import { WatchedScratch } from './watched-scratch.ts'

const LOST_COMMITS = 50
/** A step begins only if this many times its estimate is left. */
const SAFETY = 1.5
/** What an invocation has for a merge that begins at once; the rest goes to its start and a look at the log. */
const WHOLE_SHARE = 0.9
/** A fold reads a part of the log, writes it as a segment with its indexes, and reads that back. */
const FOLD_MOVES = 6
/** Before the pace was measured, a fold takes this share of what it could, so that it ends on a slow machine, too. */
const UNMEASURED_SHARE = 1 / 4
/** The share of the free scratch disk that a merge may use. */
const SCRATCH_SHARE = 0.9

export interface CompactorOptions {
  env: Environment
  log: LogLimits
  limits: CompactLimits
  /** Name of the compactor, for leases and manifests. Unique per process. */
  name: string
  /** Work even if another process holds the lease: for the simulation and emergencies. */
  withoutLease?: boolean
}

/** When the work must have ended, because its host ends then. */
export interface Deadline {
  /** By `Clock.monotonicMs`. The signal should be aborted then. */
  endsAtMs: number
  /** How long a whole invocation lasts. */
  lengthMs: number
}

export interface CompactOptions {
  /** False: only fold. */
  merge?: boolean
  /** Merge as many segments as a step may take, whether or not a merge is due. */
  full?: boolean
  /** Stop at the next safe point. */
  signal?: AbortSignal
  deadline?: Deadline
  /** Called after each fold and each merge that was committed, also if a later one fails. */
  onCommit?: () => void
}

export class Compactor {
  readonly #options: CompactorOptions
  readonly #cache: BlockCache
  readonly #pace: StepPace
  readonly #helpers: SeenHelpers

  constructor(options: CompactorOptions) {
    this.#options = options
    this.#cache = new BlockCache(options.limits.cacheBytes)
    this.#pace = new StepPace(options.limits.pace)
    this.#helpers = new SeenHelpers(options.env.clock)
  }

  /** A pool for the segments of one collection. All pools share one block cache. */
  newPool({ store }: Pick<Environment, 'store'> = this.#options.env): SegmentPool {
    return new SegmentPool(store, this.#cache, { readsMost: true })
  }

  /**
   * Folds what the log holds, then merges while a merge is due.
   * @throws SiltstoneError `corrupt` when the collection's objects do not fit together; nothing is published then
   */
  async compact(path: string, options: CompactOptions = {}): Promise<CompactionOutcome> {
    const outcome = await this.fold(path, options)
    // While another process folds, this one can merge.
    if (options.merge === false) return outcome
    const merged = await this.merge(path, options)
    return {
      ...outcome,
      merges: merged.merges,
      bytesWritten: outcome.bytesWritten + merged.bytesWritten,
      busy: outcome.busy || merged.busy,
      unfinished: merged.unfinished,
    }
  }

  /** Folds what the log holds. Throws as `compact` does. */
  fold(
    path: string,
    options: Pick<CompactOptions, 'signal' | 'deadline' | 'onCommit'> = {},
  ): Promise<CompactionOutcome> {
    return this.#work(path, options.signal, async (outcome) => {
      let runs = 0
      const fold = (signal: AbortSignal) => {
        // It runs again because another process asked for the lease.
        if (runs++ > 0) this.#helpers.noticed(path)
        return this.#foldAll(path, options, outcome, signal, foldOnce)
      }
      for (let tries = 0; tries < LOST_COMMITS; tries++) {
        const status = await this.#guarded(foldLease(path), options.signal, fold)
        this.#helpers.foldLeaseWas(path, status === 'busy')
        if (status === 'done') return
        // Who held the lease may have left the rest to this process meanwhile.
        if (!(await this.#foldBeside(path, options, outcome))) break
      }
      // Who holds the lease has little left to fold, and will merge soon.
      if (outcome.folds > 0) this.#helpers.foldLeaseWas(path, false)
      outcome.busy = true
      this.#options.env.metrics.count('LockAcquisitionFailed')
    })
  }

  /** Merges while a merge is due; folds may run at the same time. Throws as `compact` does. */
  merge(path: string, options: CompactOptions = {}): Promise<CompactionOutcome> {
    return this.#work(path, options.signal, async (outcome) => {
      await this.#mergeAll(path, options, outcome, options.signal ?? new AbortController().signal)
    })
  }

  async #work(
    path: string,
    signal: AbortSignal | undefined,
    task: (outcome: CompactionOutcome) => Promise<void>,
  ): Promise<CompactionOutcome> {
    const { env } = this.#options
    const outcome: CompactionOutcome = {
      collection: path,
      folds: 0,
      merges: 0,
      entriesFolded: 0,
      recordsFolded: 0,
      bytesWritten: 0,
      busy: false,
      unfinished: null,
      watermark: 0,
    }
    try {
      await task(outcome)
    } catch (error) {
      if (signal?.aborted !== true) env.metrics.count('CompactionErrors')
      throw error
    }
    return outcome
  }

  async #guarded(
    lease: string,
    outer: AbortSignal | undefined,
    task: (signal: AbortSignal) => Promise<void>,
  ): Promise<'busy' | 'done'> {
    const { env, limits, name, withoutLease } = this.#options
    const join = (inner: AbortSignal) => (outer ? AbortSignal.any([outer, inner]) : inner)
    if (withoutLease) {
      await task(outer ?? new AbortController().signal)
      return 'done'
    }
    const guarded = await withLease(env, lease, name, limits.leaseTtlMs, ({ signal }) => task(join(signal)))
    return guarded.status
  }

  /**
   * Folds what follows the entries that others fold now, as long as there are enough.
   * @returns whether it folded any, or lost what it folded: who holds the lease may have ended
   */
  async #foldBeside(
    path: string,
    options: Pick<CompactOptions, 'signal' | 'deadline' | 'onCommit'>,
    outcome: CompactionOutcome,
  ): Promise<boolean> {
    const signal = options.signal ?? new AbortController().signal
    let hasWorked = false
    if (this.#sharing === undefined || this.#options.limits.aheadBytes === 0) return hasWorked
    await this.#foldAll(path, options, outcome, signal, async (context) => {
      const result = await foldBeside(context, signal)
      if (result !== null && result !== 'busy') hasWorked = true
      return result
    })
    return hasWorked && !signal.aborted
  }

  get #sharing(): FoldContext['sharing'] {
    const { limits, withoutLease } = this.#options
    if (withoutLease) return undefined
    return { ttlMs: limits.leaseTtlMs, rangeBytes: limits.foldBytes }
  }

  async #foldAll(
    path: string,
    { deadline, onCommit }: Pick<CompactOptions, 'deadline' | 'onCommit'>,
    outcome: CompactionOutcome,
    signal: AbortSignal,
    foldNext: (context: FoldContext, signal: AbortSignal) => Promise<FoldResult | null | 'lost' | 'busy'>,
  ): Promise<void> {
    const { log, limits, name } = this.#options
    const sharing = this.#sharing
    const env = endedBy(signal, this.#options.env)
    const pool = this.newPool(env)
    // A fold needs each vector several times.
    const kept = { ...log, keptVectorBytes: limits.heldVectorBytes }
    const state = new CollectionState({ env, path, pool, limits: kept, inbox: true })
    const writer = new LogWriter(state, name, () => {})
    const fold = async () => {
      const share = this.#pace.isMeasured ? 1 : UNMEASURED_SHARE
      const leftBytes = (share * this.#leftMs(deadline) * this.#pace.current.bytesPerSecond) / (1_000 * FOLD_MOVES)
      const bounded = { ...limits, foldBytes: Math.max(1, Math.min(limits.foldBytes, leftBytes)) }
      const context = { state, writer, pool, limits: bounded, name, ...(sharing && { sharing }) }
      const result = await this.#paced(() => foldNext(context, signal), deadline, signal)
      outcome.watermark = await state.run(async (locked) => locked.log.manifest.watermark)
      return result
    }
    await this.#repeat(outcome, signal, fold, async (result, durationMs) => {
      onCommit?.()
      outcome.folds++
      outcome.entriesFolded += result.entries
      outcome.recordsFolded += result.operations
      outcome.bytesWritten += result.bytesWritten
      outcome.watermark = result.manifest.watermark
      this.#report('fold', path, result.manifest, durationMs, result.entries)
      await scheduleGcAfterFold(env, path, log)
    })
  }

  async #mergeAll(
    path: string,
    { full = false, deadline, onCommit }: CompactOptions,
    outcome: CompactionOutcome,
    signal: AbortSignal,
  ): Promise<void> {
    const { limits, name, withoutLease } = this.#options
    const claims = withoutLease ? {} : { claims: { ttlMs: limits.leaseTtlMs }, helpers: this.#helpers }
    const scratch = this.#options.env.scratch && new WatchedScratch(this.#options.env.scratch)
    const env = endedBy(signal, { ...this.#options.env, ...(scratch && { scratch }) })
    const pool = this.newPool(env)
    const manifests = new ManifestStore(env, path)
    let scratchLimitBytes = Infinity
    let wholeMs = deadline ? (WHOLE_SHARE * deadline.lengthMs) / SAFETY : Infinity
    const merge = async () => {
      const scratchBytes = Math.min(scratchLimitBytes, SCRATCH_SHARE * ((await scratch?.freeBytes()) ?? Infinity))
      const common = { memoryBytes: limits.memoryBytes, scratchBytes }
      const left = { ...common, timeMs: this.#leftMs(deadline) }
      const whole = { ...common, timeMs: wholeMs }
      const [pace, mayTry] = [this.#pace.current, deadline !== undefined && !this.#pace.isMeasured]
      let plannedBytes = 0
      const onBegin = (cost: Room) => {
        plannedBytes = cost.scratchBytes
      }
      try {
        const context = { env, path, manifests, pool, limits, name, full, room: { left, whole }, pace, mayTry, onBegin }
        return await this.#paced(() => mergeOnce({ ...context, ...claims }, signal), deadline, signal)
      } catch (error) {
        if (scratch?.wasFull !== true) throw error
        // The estimate was too low, or another process fills the disk: the next plan must need less than half.
        env.log.warn('merge_filled_scratch', { collection: path, plannedBytes: Math.round(plannedBytes) })
        scratch.wasFull = false
        scratchLimitBytes = plannedBytes / 2
        return 'lost'
      }
    }
    const mergeAfterTrial = async () => {
      const result = await merge()
      if (typeof result !== 'object' || !result || !('isTrial' in result)) return result
      // The next process begins with a trial, too, so what does not fit now never will.
      wholeMs = Math.min(wholeMs, this.#leftMs(deadline))
      return (await merge()) as Exclude<typeof result, Trial>
    }
    await this.#repeat(outcome, signal, mergeAfterTrial, (result, durationMs) => {
      onCommit?.()
      outcome.merges++
      outcome.bytesWritten += result.bytesWritten
      this.#report('merge', path, result.manifest, durationMs, 0)
    })
  }

  /** Does a step, and measures the pace by it. */
  async #paced<R>(step: () => Promise<R>, deadline: Deadline | undefined, signal: AbortSignal): Promise<R> {
    const { clock } = this.#options.env
    const startedMs = clock.monotonicMs()
    try {
      const result = await step()
      if (typeof result === 'object' && result !== null && 'assumedMs' in result)
        this.#pace.ended(result.assumedMs as number, clock.monotonicMs() - startedMs)
      return result
    } catch (error) {
      if (deadline && signal.aborted) this.#pace.cut()
      throw error
    }
  }

  /** Repeats a step until nothing is due (null). If it stops earlier, the outcome is `busy`. */
  async #repeat<R extends { manifest: Manifest }>(
    outcome: CompactionOutcome,
    signal: AbortSignal,
    step: () => Promise<R | null | 'lost' | 'busy' | NotBegun>,
    done: (result: R, durationMs: number) => void | Promise<void>,
  ): Promise<void> {
    const { clock } = this.#options.env
    outcome.busy = false
    for (let lost = 0; lost < LOST_COMMITS && !signal.aborted; ) {
      const startedMs = clock.monotonicMs()
      const result = await step()
      if (result === null) return
      if (result === 'busy') break
      if (result === 'lost') lost++
      else if (typeof result === 'string') {
        outcome.unfinished = result
        return
      } else await done(result, clock.monotonicMs() - startedMs)
    }
    // Other processes do the rest, which may not be folded yet: they took the lease, claimed it, or were faster each time.
    // step: unfinished-work-is-reported
    outcome.busy = true
  }

  /** The time in which a step must end by its estimate. */
  #leftMs(deadline: Deadline | undefined): number {
    if (!deadline) return Infinity
    return Math.max(0, (deadline.endsAtMs - this.#options.env.clock.monotonicMs()) / SAFETY)
  }

  #report(kind: 'fold' | 'merge', path: string, manifest: Manifest, durationMs: number, entries: number): void {
    const { env } = this.#options
    const sizeBytes = manifest.segments.reduce((sum, { segment }) => sum + segment.sizeBytes, 0)
    env.metrics.observe('CompactionDuration', durationMs, { kind })
    env.metrics.count('DeltasProcessed', entries)
    env.metrics.gauge('SnapshotSize', sizeBytes, { collection: path })
    env.log.info('compacted', {
      kind,
      collection: path,
      watermark: manifest.watermark,
      entries,
      segments: manifest.segments.length,
      liveRecords: manifest.liveRecords,
      sizeBytes,
      durationMs: Math.round(durationMs),
    })
  }
}

/** The environment, but nothing more is read once the signal is aborted. A write that has begun is still settled. */
function endedBy(signal: AbortSignal, env: Environment): Environment {
  const { store } = env
  const unlessEnded = <T>(read: () => Promise<T>): Promise<T> =>
    signal.aborted ? Promise.reject(signal.reason as Error) : read()
  return {
    ...env,
    store: forwardingStore(store, {
      get: (key, options) => unlessEnded(() => store.get(key, options)),
      head: (key) => unlessEnded(() => store.head(key)),
      list: (prefix, options) => unlessEnded(() => store.list(prefix, options)),
    }),
  }
}
