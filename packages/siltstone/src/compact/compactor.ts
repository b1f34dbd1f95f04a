/**
 * The compactor of one store: folds and merges whatever collection it is told of. Stateless between calls but for
 * caches; any number may run anywhere.
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
const MEMORY_OF_BLOCKS = 64 * 1024 * 1024

export interface CompactorOptions {
  env: Environment
  log: LogLimits
  limits: CompactLimits
  /** Who compacts, for leases and manifests. Unique per process. */
  name: string
  /** Simulation and emergencies: do the work whoever else does it. */
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
  readonly #cache = new BlockCache(MEMORY_OF_BLOCKS)

  constructor(options: CompactorOptions) {
    this.#options = options
  }

  /** Open segments of one collection; the cache of blocks beneath is shared. */
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

  /** Merges while a merge is due; runs beside folds. Throws as `compact` does. */
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
    if (outcome.busy) env.metrics.count('LockAcquisitionFailed')
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
    outcome.busy = false
    for (let lost = 0; lost < LOST_COMMITS && !signal.aborted; ) {
      const startedMs = env.clock.monotonicMs()
      const result = await foldOnce({ state, writer, pool, limits, name }, signal)
      outcome.watermark = await state.run(async ({ log }) => log.manifest.watermark)
      if (result === null) return
      if (result === 'lost') {
        lost++
        continue
      }
      outcome.folds++
      outcome.entriesFolded += result.entries
      outcome.recordsFolded += result.operations
      outcome.bytesWritten += result.bytesWritten
      outcome.watermark = result.manifest.watermark
      this.#report('fold', path, result.manifest, env.clock.monotonicMs() - startedMs, result.entries)
      await scheduleGcAfterFold(env, path, log)
    }
    // Somebody took the lease, or is faster each time: the rest is theirs, and may not be folded yet.
    outcome.busy = true
  }

  async #mergeAll(path: string, full: boolean, outcome: CompactionOutcome, signal: AbortSignal): Promise<void> {
    const { env, limits, name } = this.#options
    const pool = this.newPool()
    const manifests = new ManifestStore(env, path)
    outcome.busy = false
    for (let lost = 0; lost < LOST_COMMITS && !signal.aborted; ) {
      const startedMs = env.clock.monotonicMs()
      const result = await mergeOnce({ env, path, manifests, pool, limits, name, full }, signal)
      if (result === null) return
      if (result === 'lost') {
        lost++
        continue
      }
      outcome.merges++
      outcome.bytesWritten += result.bytesWritten
      this.#report('merge', path, result.manifest, env.clock.monotonicMs() - startedMs, 0)
    }
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
