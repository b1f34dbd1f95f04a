/**
 * One process's knowledge of one collection, shared by its readers and its writer. How a read proceeds and what it
 * promises is told in `synced-log.ts`.
 *
 * What changes the knowledge, or depends on it staying as it is, needs the lock: `run` hands out the log and its views,
 * one task at a time.
 */
import type { Environment } from '../ports/environment.ts'
import { ManifestStore } from '../snapshot/manifest-store.ts'
import type { SegmentPool } from '../snapshot/open-segment.ts'
import { CurrentViews } from './current-views.ts'
import { DeltaCache } from './delta-cache.ts'
import type { InboxObject } from './listing.ts'
import type { LogContext } from './log-context.ts'
import type { LogLimits } from './log-limits.ts'
import { Mutex } from './mutex.ts'
import { pastView } from './past-view.ts'
import { ageMs, type Stamp, stampNow } from './stamp.ts'
import { SYNC_ATTEMPTS, SyncedLog } from './synced-log.ts'
import { asVanished, overtaken } from './vanished.ts'
import type { View } from './view.ts'

export interface StateOptions {
  env: Environment
  path: string
  pool: SegmentPool
  limits: LogLimits
  /** Whether bare producers may drop deltas into the collection's inbox. */
  inbox: boolean
}

/** What only the holder of a collection's lock may use, and only until its task ends. */
export interface Locked {
  readonly log: SyncedLog
  readonly views: CurrentViews
}

export class CollectionState {
  readonly path: string
  readonly env: Environment
  readonly limits: LogLimits
  readonly manifests: ManifestStore
  readonly deltas: DeltaCache
  readonly #context: LogContext
  readonly #mutex: Mutex<Locked>
  #queuedSync: Promise<View> | undefined
  #lastView: { view: View; at: Stamp } | undefined

  constructor({ env, path, pool, limits, inbox }: StateOptions) {
    this.env = env
    this.path = path
    this.limits = limits
    this.manifests = new ManifestStore(env, path)
    this.deltas = new DeltaCache(env.store, path, limits.deltaBytes)
    const { manifests, deltas } = this
    this.#context = { env, path, pool, limits, takesInbox: inbox, manifests, deltas }
    const log = new SyncedLog(this.#context)
    this.#mutex = new Mutex({ log, views: new CurrentViews(this.#context, log) })
  }

  /** Runs a task that needs the lock. A task that calls `run` itself never ends. */
  run<T>(task: (locked: Locked) => Promise<T>): Promise<T> {
    return this.#mutex.run(task)
  }

  /** As `run`, and again as long as the task fails because the snapshot that it read has been collected. */
  runWithRetry<T>(task: (locked: Locked) => Promise<T>): Promise<T> {
    return this.run(async (locked) => {
      let missingKey: string | undefined
      for (let attempt = 1; ; attempt++)
        try {
          return await task(locked)
        } catch (error) {
          const key = asVanished(error)?.key
          // As in a sync: what a later snapshot needs, too, was not collected.
          if (key === undefined || key === missingKey || !(await locked.log.snapshotWasCollected(error))) throw error
          missingKey = key
          if (attempt === SYNC_ATTEMPTS) throw overtaken(this.path, error)
        }
    })
  }

  /**
   * A view that holds every write acknowledged before the call. Calls that wait at the same time share one check, which
   * begins after all of them.
   * @throws SiltstoneError `not-found` (deleted), `corrupt`, `unavailable`
   */
  strongView(): Promise<View> {
    this.#queuedSync ??= this.runWithRetry(async ({ log, views }) => {
      this.#queuedSync = undefined
      const at = stampNow(this.env.clock)
      await log.syncOpen()
      const view = await views.current()
      this.#lastView = { view, at }
      return view
    })
    return this.#queuedSync
  }

  /** A view at most `maxAgeMs` old. Throws as `strongView` does. */
  async boundedView(maxAgeMs: number): Promise<View> {
    const last = this.#lastView
    return last && ageMs(this.env.clock, last.at) <= maxAgeMs ? last.view : this.strongView()
  }

  /** The snapshot alone, without the log. Throws as `strongView` does. */
  indexView(): Promise<View> {
    return this.runWithRetry(({ views }) => views.snapshot())
  }

  /** Brings what is known of the log up to date if some of it waits to be folded, and forgets older views. */
  async followCommit(): Promise<void> {
    await this.run(async ({ log, views }) => {
      if (log.entries.length === 0) return
      await log.sync()
      views.forget()
      this.#lastView = undefined
    })
  }

  /** A past state: see `pastView`. */
  viewAt(manifestKey: string | null, version: number, unsequenced: readonly InboxObject[]): Promise<View> {
    return pastView(this.#context, { manifestKey, version, unsequenced })
  }
}
