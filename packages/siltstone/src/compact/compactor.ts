/**
 * The compactor of one store. It folds a collection's log into segments (`fold.ts`) and merges its segments (`merge.ts`)
 * until neither is due, each kind of work under a lease of its own. Between calls it keeps only caches, so any number of
 * compactors may run, on any machine.
 */
import type { CompactionOutcome } from '../model/store.ts'
import type { Manifest } from '../format/manifest.ts'
import { CollectionState } from '../log/collection-state.ts'
import type { LogLimits } from '../log/log-limits.ts'
import { LogWriter } from '../log/writer.ts'
import type { Environment } from '../ports/environment.ts'
import { BlockCache } from '../snapshot/block-cache.ts'
import { ManifestStore } from '../snapshot/manifest-store.ts'
import { SegmentPool } from '../snapshot/open-segment.ts'
import { foldOnce } from './fold.ts'
import { foldLease, mergeLease, withLease } from '../ports/lease-guard.ts'
import type { CompactLimits } from './compact-limits.ts'
import { mergeOnce } from './merge.ts'
import { scheduleGcAfterFold } from './gc-schedule.ts'

const LOST_COMMITS = 50
const BLOCK_CACHE_BYTES = 64 * 1024 * 1024

export interface CompactorOptions {
  env: Environment
  log: LogLimits
  limits: CompactLimits
  /** Name of the compactor, for leases and manifests. Unique per process. */
  name: string
  /** Work even if another process holds the lease: for the simulation and emergencies. */
  withoutLease?: boolean
}

export interface CompactOptions {
  /** False: only fold. */
  merge?: boolean
  /** Merge all segments into one, whether or not a merge is due. */
  full?: boolean
  /** Stop at the next safe point. */
  signal?: AbortSignal
}

export class Compactor {
  readonly #options: CompactorOptions
  readonly #cache = new BlockCache(BLOCK_CACHE_BYTES)

  constructor(options: CompactorOptions) {
    this.#options = options
  }

  /** A pool for the segments of one collection. All pools share one block cache. */
  newPool(): SegmentPool {
    return new SegmentPool(this.#options.env.store, this.#cache, { readsMost: true })
  }

  /**
   * Folds what the log holds, then merges while a merge is due.
   * @throws SiltstoneError `corrupt` when the collection's objects do not fit together; nothing is published then
   */
  async compact(path: string, options: CompactOptions = {}): Promise<CompactionOutcome> {
    const outcome = await this.fold(path, options.signal)
    if (options.merge === false || outcome.busy) return outcome
    const merged = await this.merge(path, options)
    return {
      ...outcome,
      merges: merged.merges,
      bytesWritten: outcome.bytesWritten + merged.bytesWritten,
      busy: merged.busy,
    }
  }

  /** Folds what the log holds. Throws as `compact` does. */
  fold(path: string, signal?: AbortSignal): Promise<CompactionOutcome> {
    return this.#work(path, foldLease(path), signal, (outcome, inner) => this.#foldAll(path, outcome, inner))
  }

  /** Merges while a merge is due; folds may run at the same time. Throws as `compact` does. */
  merge(path: string, { full = false, signal }: CompactOptions = {}): Promise<CompactionOutcome> {
    return this.#work(path, mergeLease(path), signal, (outcome, inner) => this.#mergeAll(path, full, outcome, inner))
  }

  async #work(
    path: string,
    lease: string,
    signal: AbortSignal | undefined,
    task: (outcome: CompactionOutcome, signal: AbortSignal) => Promise<void>,
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
      watermark: 0,
    }
    try {
      if ((await this.#guarded(lease, signal, (inner) => task(outcome, inner))) === 'busy') outcome.busy = true
    } catch (error) {
      if (signal?.aborted !== true) env.metrics.count('CompactionErrors')
      throw error
    }
    // A busy merge is ordinary: one merge takes minutes, and each message in that time finds its lease taken.
    if (outcome.busy && lease === foldLease(path)) env.metrics.count('LockAcquisitionFailed')
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

  async #foldAll(path: string, outcome: CompactionOutcome, signal: AbortSignal): Promise<void> {
    const { env, log, limits, name } = this.#options
    const pool = this.newPool()
    const state = new CollectionState({ env, path, pool, limits: log, inbox: true })
    const writer = new LogWriter(state, name, () => {})
    const fold = async () => {
      const result = await foldOnce({ state, writer, pool, limits, name }, signal)
      outcome.watermark = await state.run(async (locked) => locked.log.manifest.watermark)
      return result
    }
    await this.#repeat(outcome, signal, fold, async (result, durationMs) => {
      outcome.folds++
      outcome.entriesFolded += result.entries
      outcome.recordsFolded += result.operations
      outcome.bytesWritten += result.bytesWritten
      outcome.watermark = result.manifest.watermark
      this.#report('fold', path, result.manifest, durationMs, result.entries)
      await scheduleGcAfterFold(env, path, log)
    })
  }

  async #mergeAll(path: string, full: boolean, outcome: CompactionOutcome, signal: AbortSignal): Promise<void> {
    const { env, limits, name } = this.#options
    const pool = this.newPool()
    const manifests = new ManifestStore(env, path)
    const merge = () => mergeOnce({ env, path, manifests, pool, limits, name, full }, signal)
    await this.#repeat(outcome, signal, merge, (result, durationMs) => {
      outcome.merges++
      outcome.bytesWritten += result.bytesWritten
      this.#report('merge', path, result.manifest, durationMs, 0)
    })
  }

  /** Repeats a step until nothing is due (null). If it stops earlier, the outcome is `busy`. */
  async #repeat<R extends object>(
    outcome: CompactionOutcome,
    signal: AbortSignal,
    step: () => Promise<R | null | 'lost'>,
    done: (result: R, durationMs: number) => void | Promise<void>,
  ): Promise<void> {
    const { clock } = this.#options.env
    outcome.busy = false
    for (let lost = 0; lost < LOST_COMMITS && !signal.aborted; ) {
      const startedMs = clock.monotonicMs()
      const result = await step()
      if (result === null) return
      if (result === 'lost') lost++
      else await done(result, clock.monotonicMs() - startedMs)
    }
    // Another process took the lease, or was faster each time. It does the rest, which may not be folded yet.
    outcome.busy = true
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
