/** What users ask about the processing of a bucket's objects: how it stands, to wait for it, to do it again. */
import {
  type BlobStore,
  type Clock,
  isSiltstoneError,
  type ObjectProgress,
  type ObjectStatus,
  type ObjectStore,
  unavailable,
} from 'siltstone/internal'
import { headOf, listOf, versionOf } from './bucket-view.ts'
import type { Notify } from './notifying-buckets.ts'
import { requeue } from './requests.ts'
import { DERIVED_PREFIX, type ProcessingRules } from './rules.ts'
import type { StateStore } from './state-store.ts'
import { isFinal, statusOf } from './status.ts'
import { storedRules } from './stored-rules.ts'

export interface TrackerOptions {
  bucket: string
  blobs: BlobStore
  states: StateStore
  /** Where the worker keeps its rules. */
  store: ObjectStore
  notify: Notify
  clock: Clock
  /** Objects or states that one page looks at: 1 to 1,000. Default 1,000. */
  looksAtMost?: number
}

export interface ReplayFilter {
  /** All keys that begin so. Default: all. */
  prefix?: string
  /** One key. */
  key?: string
  /** Only those that are dead. */
  dead?: boolean
}

/** Where a page begins: after a key among the objects, or after a name among the states of what is deleted. */
export interface StatusPosition {
  phase: 'objects' | 'states'
  after?: string
}

export interface StatusQuery {
  prefix: string
  /** Only those. `gone`: also objects whose records are gone; by default they are left out. */
  progress?: ObjectProgress
  limit: number
  at: StatusPosition
}

export interface StatusPage {
  statuses: ObjectStatus[]
  /** Undefined: there is none. */
  next: StatusPosition | undefined
}

/** As much as one listing returns. */
const LOOKS_AT_MOST = 1_000
const FIRST_POLL_MS = 50
const LAST_POLL_MS = 1_000
const READS_AT_ONCE = 16

export class ObjectTracker {
  readonly #options: TrackerOptions

  constructor(options: TrackerOptions) {
    this.#options = options
  }

  async status(key: string): Promise<ObjectStatus> {
    return this.#status(key, await storedRules(this.#options.store))
  }

  /** Of all objects below a prefix in the order of their keys, then of those that are deleted and still have records. */
  async *statuses(prefix = ''): AsyncGenerator<ObjectStatus> {
    for (let at: StatusPosition | undefined = { phase: 'objects' }; at !== undefined; ) {
      const page: StatusPage = await this.page({ prefix, at, limit: LOOKS_AT_MOST })
      yield* page.statuses
      at = page.next
    }
  }

  /**
   * The next statuses in the order of `statuses`. It looks at a bounded number of objects, so a page may have fewer than
   * `limit`, or none.
   */
  async page(query: StatusQuery): Promise<StatusPage> {
    const rules = await storedRules(this.#options.store)
    if (query.at.phase === 'states') return this.#deletedPage(query, rules)
    const { statuses, next } = await this.#objectsPage(query, rules)
    const left = query.limit - statuses.length
    // A short bucket is told in one page.
    if (next?.phase !== 'states' || left === 0) return { statuses, next }
    const rest = await this.#deletedPage({ ...query, limit: left, at: next }, rules)
    return { statuses: [...statuses, ...rest.statuses], next: rest.next }
  }

  async #objectsPage({ prefix, progress, limit, at }: StatusQuery, rules: ProcessingRules): Promise<StatusPage> {
    const { blobs, looksAtMost = LOOKS_AT_MOST } = this.#options
    const start = at.after === undefined ? {} : { startAfter: at.after }
    const { blobs: found, continuation } = await listOf(blobs, { prefix, ...start, limit: looksAtMost })
    const statuses: ObjectStatus[] = []
    for (let k = 0; k < found.length; k += READS_AT_ONCE) {
      const keys = found.slice(k, k + READS_AT_ONCE).map(({ key }) => key)
      const looked = await Promise.all(
        keys.map(async (key) => (key.startsWith(DERIVED_PREFIX) ? undefined : this.#status(key, rules))),
      )
      for (const [j, status] of looked.entries()) {
        if (status !== undefined && (progress ?? status.progress) === status.progress) statuses.push(status)
        if (statuses.length === limit) return { statuses, next: { phase: 'objects', after: keys[j] as string } }
      }
    }
    const last = found.at(-1)?.key
    const more = continuation !== undefined && last !== undefined
    return { statuses, next: more ? { phase: 'objects', after: last } : { phase: 'states' } }
  }

  /** Of objects that are deleted. */
  async #deletedPage({ prefix, progress, limit, at }: StatusQuery, rules: ProcessingRules): Promise<StatusPage> {
    const { bucket, states, blobs, looksAtMost = LOOKS_AT_MOST } = this.#options
    const after = at.after === undefined ? {} : { after: at.after }
    const { found, next } = await states.page(bucket, { ...after, limit: looksAtMost, gone: progress === 'gone' })
    const statuses: ObjectStatus[] = []
    for (const { name, key } of found) {
      if (!key.startsWith(prefix) || (await headOf(blobs, key)) !== undefined) continue
      const status = await this.#status(key, rules)
      if ((progress ?? status.progress) === status.progress) statuses.push(status)
      if (statuses.length === limit) return { statuses, next: { phase: 'states', after: name } }
    }
    return { statuses, next: next === undefined ? undefined : { phase: 'states', after: next } }
  }

  async #status(key: string, rules: ProcessingRules): Promise<ObjectStatus> {
    const { bucket, states, blobs } = this.#options
    const isWanted = rules.collectionOf(bucket, key) !== undefined
    try {
      const read = await states.read(bucket, key)
      const info = await headOf(blobs, key)
      return statusOf(bucket, key, read?.state, info && versionOf(info), isWanted)
    } catch (error) {
      if (!isSiltstoneError(error, 'corrupt')) throw error
      // The next worker that looks at the object makes the state again.
      const info = await headOf(blobs, key)
      const { code, message } = error
      return { ...statusOf(bucket, key, undefined, info && versionOf(info), isWanted), error: { code, message } }
    }
  }

  /**
   * Resolves when the newest version is searchable, or never will be: `done`, `dead`, `gone` or `unprocessed`.
   * @throws SiltstoneError `unavailable` (wait-timeout)
   */
  async wait(
    key: string,
    { timeoutMs = 60_000, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<ObjectStatus> {
    const { clock } = this.#options
    const endMs = clock.monotonicMs() + timeoutMs
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(LAST_POLL_MS, pollMs * 1.5)) {
      const status = await this.status(key)
      if (isFinal(status)) return status
      if (clock.monotonicMs() >= endMs)
        throw unavailable(
          'wait-timeout',
          `The object ${JSON.stringify(key)} is ${status.progress} after ${timeoutMs} ms. A worker runs with "siltstone serve --objects" or "siltstone objects work".`,
          { key },
        )
      await clock.sleep(Math.min(pollMs, Math.max(1, endMs - clock.monotonicMs())), signal)
    }
  }

  /** Has objects processed again; their records stay until the new ones are there. @returns how many */
  async replay({ prefix = '', key, dead = false }: ReplayFilter = {}): Promise<number> {
    const { bucket, states, notify, clock } = this.#options
    let replayed = 0
    const again = async (one: string) => {
      if (!(await requeue(states, bucket, one, clock.nowMs(), dead ? ['dead'] : undefined))) return
      replayed++
      await notify({ bucket, key: one })
    }
    if (key !== undefined) await again(key)
    else for await (const state of states.all(bucket)) if (state.key.startsWith(prefix)) await again(state.key)
    return replayed
  }

  /** Objects that will not be tried again, each with its reason. */
  async *dead(prefix = ''): AsyncGenerator<ObjectStatus> {
    const { bucket, states } = this.#options
    for await (const { key, progress } of states.all(bucket))
      if (progress === 'dead' && key.startsWith(prefix)) {
        const status = await this.status(key)
        // A new version may have come since.
        if (status.progress === 'dead') yield status
      }
  }
}
