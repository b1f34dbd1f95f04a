/** What users ask about the processing of a bucket's objects: how it stands, to wait for it, to do it again. */
import { type BlobStore, type Clock, type ObjectStore, unavailable } from 'siltstone/internal'
import type { Notify } from './notifying-buckets.ts'
import { headOf, versionOf } from './reconciler.ts'
import { requeue } from './requests.ts'
import { DERIVED_PREFIX } from './rules.ts'
import type { StateStore } from './state-store.ts'
import { isFinal, type ObjectStatus, statusOf } from './status.ts'
import { storedRules } from './stored-rules.ts'

export interface TrackerOptions {
  bucket: string
  blobs: BlobStore
  states: StateStore
  /** Where the worker keeps its rules. */
  store: ObjectStore
  notify: Notify
  clock: Clock
}

export interface ReplayFilter {
  /** All keys that begin so. Default: all. */
  prefix?: string
  /** One key. */
  key?: string
  /** Only those that are dead. */
  dead?: boolean
}

const FIRST_POLL_MS = 50
const LAST_POLL_MS = 1_000
const READS_AT_ONCE = 16

export class ObjectTracker {
  readonly #options: TrackerOptions

  constructor(options: TrackerOptions) {
    this.#options = options
  }

  async status(key: string): Promise<ObjectStatus> {
    const { bucket, states, blobs, store } = this.#options
    const rules = await storedRules(store)
    const read = await states.read(bucket, key)
    const info = await headOf(blobs, key)
    return statusOf(bucket, key, read?.state, info && versionOf(info), rules.collectionOf(bucket, key) !== undefined)
  }

  /** Of all objects below a prefix in the order of their keys, then of those that are deleted and still have records. */
  async *statuses(prefix = ''): AsyncGenerator<ObjectStatus> {
    const { bucket, states, blobs } = this.#options
    for (let continuation: string | undefined, more = true; more; ) {
      const page = await blobs.list({ prefix, ...(continuation !== undefined && { continuation }) })
      const keys = page.blobs.map(({ key }) => key).filter((key) => !key.startsWith(DERIVED_PREFIX))
      for (let at = 0; at < keys.length; at += READS_AT_ONCE)
        yield* await Promise.all(keys.slice(at, at + READS_AT_ONCE).map((key) => this.status(key)))
      continuation = page.continuation
      more = continuation !== undefined
    }
    for await (const { key } of states.all(bucket))
      if (key.startsWith(prefix) && (await headOf(blobs, key)) === undefined) yield this.status(key)
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
