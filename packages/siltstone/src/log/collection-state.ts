/**
 * One process's knowledge of one collection: the current manifest and the log above it, kept up to date by `sync`.
 * Readers, the writer and the fold all stand on it; each of its steps runs alone (`run`).
 *
 * ## A strong read
 * 1. The pointer, conditionally. 2. The manifest if it is new, and beside it the listing of the log after its watermark,
 * which stands in the manifest's name.
 * 3. The entries and unsequenced deltas not known yet. Everything acknowledged before step 1 is then seen: an
 * acknowledged entry is above the watermark and listed, or folded into the manifest; an acknowledged delta is in the
 * inbox listing, or sequenced by one of those entries, or folded.
 *
 * ## When the parts do not fit
 * A gap in the numbers, an entry or delta that vanished between listing and reading, or a span between pointer and
 * listing so long that folded entries may have been collected: read the pointer again. If it moved, a compaction did
 * it, and we begin again from its manifest. If it did not, the object is missing from the truth: `corrupt`, naming it.
 */
import { corrupt, notFound, unavailable } from '../errors.ts'
import type { LogEntry } from '../format/entry.ts'
import { inboxKey, parseKey } from '../format/keys.ts'
import type { Manifest } from '../format/manifest.ts'
import type { Environment } from '../ports/environment.ts'
import { BaseState } from '../snapshot/base-state.ts'
import { ManifestStore, type PointerState } from '../snapshot/manifest-store.ts'
import type { SegmentPool } from '../snapshot/open-segment.ts'
import { AppliedLog, dimensionClash, type RefusedInLog } from './applied-log.ts'
import { DeltaCache } from './delta-cache.ts'
import { LogOverlay } from './log-overlay.ts'
import type { LogLimits } from './log-limits.ts'
import { cutAtGap, type InboxObject, listInbox, listTail, type TailListing } from './listing.ts'
import { Mutex } from './mutex.ts'
import { pastView } from './past-view.ts'
import { asVanished, countVanished, missingObject, type Vanished } from './vanished.ts'
import { View } from './view.ts'

const SYNC_TRIES = 8

/** How old knowledge of the log's end is: the larger of both clocks' differences. */
export interface Stamp {
  wallMs: number
  monotonicMs: number
}

interface Listed {
  /** When the request was sent. */
  sent: Stamp
  listing: TailListing
}

export interface StateOptions {
  env: Environment
  path: string
  pool: SegmentPool
  limits: LogLimits
  /** False: the collection takes no bare producers. */
  inbox: boolean
}

export class CollectionState {
  readonly path: string
  readonly env: Environment
  readonly limits: LogLimits
  readonly takesInbox: boolean
  readonly manifests: ManifestStore
  readonly deltas: DeltaCache
  readonly #pool: SegmentPool
  readonly #mutex = new Mutex()

  readonly #log: AppliedLog
  pointer: PointerState | 'none' = 'none'
  /** When the request was sent that told the log's end; undefined: nothing is known. */
  knowledge: Stamp | undefined
  #inbox: InboxObject[] = []
  #layer: { name: string; view: View } | undefined
  #sequenced: { view: View; overlay: LogOverlay; operations: number } | undefined
  /** The current snapshot without the log, once somebody asked for it. */
  #snapshot: View | undefined
  #loaded = false
  #queuedSync: Promise<View> | undefined
  #lastView: { view: View; at: Stamp } | undefined

  constructor(options: StateOptions) {
    this.env = options.env
    this.path = options.path
    this.limits = options.limits
    this.#pool = options.pool
    this.takesInbox = options.inbox
    this.manifests = new ManifestStore(options.env, options.path)
    this.deltas = new DeltaCache(options.env.store, options.path, options.limits.deltaBytes)
    const { env, path, pool } = options
    this.#log = new AppliedLog({ store: env.store, path, pool, manifests: this.manifests, deltas: this.deltas })
  }

  run<T>(task: () => Promise<T>): Promise<T> {
    return this.#mutex.run(task)
  }

  stamp(): Stamp {
    return { wallMs: this.env.clock.nowMs(), monotonicMs: this.env.clock.monotonicMs() }
  }

  ageMs(since: Stamp): number {
    return Math.max(this.env.clock.nowMs() - since.wallMs, this.env.clock.monotonicMs() - since.monotonicMs)
  }

  get manifest(): Manifest {
    return this.#log.manifest
  }

  get overlay(): LogOverlay {
    return this.#log.overlay
  }

  /** Number of the last entry applied. */
  get end(): number {
    return this.#log.end
  }

  /** The collection was deleted. */
  get closed(): boolean {
    return this.#log.closed
  }

  get refused(): readonly RefusedInLog[] {
    return this.#log.refused
  }

  get unfoldedBytes(): number {
    return this.#log.unfoldedBytes
  }

  get unfoldedEntries(): number {
    return this.#log.size
  }

  /** Entries above the watermark. */
  entries(): LogEntry[] {
    return this.#log.entries()
  }

  /** An entry by number, folded or not; undefined when it is not kept any more. */
  readEntry(number: number): Promise<LogEntry | undefined> {
    return this.#log.readEntry(number)
  }

  /**
   * A view that holds every write acknowledged before the call. Calls that wait together share one check, which
   * begins after all of them.
   * @throws SiltstoneError `not-found` (deleted), `corrupt`, `unavailable`
   */
  strongView(): Promise<View> {
    this.#queuedSync ??= this.standing(async () => {
      this.#queuedSync = undefined
      const at = this.stamp()
      await this.#syncOpen()
      const view = await this.#currentView()
      this.#lastView = { view, at }
      return view
    })
    return this.#queuedSync
  }

  /** A view at most `maxAgeMs` old. */
  async boundedView(maxAgeMs: number): Promise<View> {
    if (this.#lastView && this.ageMs(this.#lastView.at) <= maxAgeMs) return this.#lastView.view
    return this.strongView()
  }

  /** The snapshot alone, without the log. */
  indexView(): Promise<View> {
    return this.standing(async () => {
      await this.#readPointer()
      if (this.closed) throw this.missing()
      if (this.#snapshot && this.#snapshot.manifestKey === this.#manifestKey) return this.#snapshot
      const base = await BaseState.open(this.#pool, this.manifest)
      this.#snapshot = new View({
        version: this.manifest.watermark,
        manifestKey: this.#manifestKey,
        manifest: this.manifest,
        overlay: new LogOverlay(base).view(),
        unsequenced: [],
      })
      return this.#snapshot
    })
  }

  /** Runs alone, and again when the snapshot below was collected meanwhile. */
  standing<T>(work: () => Promise<T>): Promise<T> {
    return this.run(async () => {
      for (let attempt = 1; ; attempt++)
        try {
          return await work()
        } catch (error) {
          if (attempt === SYNC_TRIES || !(await this.overtaken(error))) throw error
        }
    })
  }

  /**
   * Call within `run`. Whether an error only says that the snapshot it stood on was collected: then the pointer has
   * moved, and the next sync stands on its manifest.
   */
  async overtaken(error: unknown, manifestKey = this.#manifestKey): Promise<boolean> {
    const missing = asVanished(error)
    if (!missing) return false
    countVanished(this.env.metrics, missing.key)
    this.#loaded = false
    this.knowledge = undefined
    const now = await this.manifests.readPointer()
    return typeof now !== 'string' && now.manifestKey !== manifestKey
  }

  get #manifestKey(): string | null {
    return this.pointer === 'none' ? null : this.pointer.manifestKey
  }

  /**
   * Call within `run`. Brings everything up to date; the inbox listing is kept when it is asked for. A deleted
   * collection is no error here: `closed` tells.
   * @param options.applyBytes stop applying entries once this much is unfolded (the fold's bound on memory)
   */
  async sync(options: { inbox: boolean; applyBytes?: number }): Promise<void> {
    let failure: Vanished | undefined
    // What it stood on when something was missing.
    let failedAt: string | null = null
    for (let attempt = 0; attempt < SYNC_TRIES; attempt++) {
      const began = this.stamp()
      try {
        const early = await this.#readPointer({ inbox: options.inbox })
        // The second look: the pointer did not move, so what is missing is missing from the truth.
        if (failure && failedAt === this.#manifestKey) throw missingObject(failure.key, this.path)
        if (this.closed) return
        const { sent, listing } = early ?? (await this.#list(this.manifest.watermark, options.inbox))
        if (this.ageMs(began) > this.limits.readSpanMs) continue
        await cutAtGap(this.env.store, this.path, this.manifest.watermark, listing)
        await this.#log.extend(listing.entries, options.applyBytes)
        // So late an entry may have been folded and collected, and a stray may lie under its number: look again.
        if (this.ageMs(began) > this.limits.readSpanMs) continue
        // A part of the log tells nothing about its end.
        this.knowledge = this.end === (listing.entries.at(-1)?.number ?? this.end) ? sent : undefined
        if (options.inbox) this.#inbox = listing.inbox
        return
      } catch (error) {
        // Entries may be half applied: stand on the manifest anew next time, before anything is written.
        this.#loaded = false
        this.knowledge = undefined
        const missing = asVanished(error)
        if (!missing) throw error
        countVanished(this.env.metrics, missing.key)
        if (failure && failedAt === this.#manifestKey) throw missingObject(failure.key, this.path)
        failure = missing
        failedAt = this.#manifestKey
      }
    }
    if (failure) throw missingObject(failure.key, this.path)
    throw unavailable(
      'reads-too-slow',
      `reading the log of ${this.path} took longer than ${this.limits.readSpanMs} ms each time; retry`,
    )
  }

  /** @throws SiltstoneError `not-found` when the collection is deleted */
  async #syncOpen(): Promise<void> {
    await this.sync({ inbox: this.takesInbox })
    if (this.closed) throw this.missing()
  }

  /** Call within `run`, after the group is sealed: the inbox as it is now, without what is sequenced. */
  async unsequenced(): Promise<InboxObject[]> {
    this.#inbox = await listInbox(this.env.store, this.path)
    return this.#unsequencedKnown()
  }

  /** Call within `run`: applies an entry that this process appended, unless a sync met it first. */
  async appended(entry: LogEntry, sizeBytes: number, sent: Stamp): Promise<void> {
    try {
      if (this.end === entry.number - 1) await this.#log.apply(entry, sizeBytes)
      if (this.end === entry.number) this.knowledge = sent
    } catch (error) {
      // The entry is durable, whatever kept us from applying it: its writers are answered, we stand on the manifest anew.
      this.#loaded = false
      this.knowledge = undefined
      this.env.log.warn('appended_entry_not_applied', { collection: this.path, error: String(error) })
    }
  }

  /** Call within `run`: nothing is known any more about the log's end. */
  forgetEnd(): void {
    this.knowledge = undefined
  }

  /** Call within `run`. The state without the unsequenced deltas: exactly the log up to `end`. */
  sequencedView(): View {
    // The same state is the same view: what searches derive from one is kept as long as nothing is written.
    const { overlay, end } = this
    const { operations } = overlay
    const known = this.#sequenced
    if (known?.overlay === overlay && known.operations === operations && known.view.version === end)
      if (known.view.manifestKey === this.#manifestKey) return known.view
    const view = new View({
      version: end,
      manifestKey: this.#manifestKey,
      manifest: this.manifest,
      overlay: overlay.view(),
      unsequenced: [],
    })
    this.#sequenced = { view, overlay, operations }
    return view
  }

  /** A state of the past: see `pastView`. */
  viewAt(manifestKey: string | null, version: number, unsequenced: readonly InboxObject[]): Promise<View> {
    const { path, manifests, deltas } = this
    return pastView(
      { store: this.env.store, path, manifests, deltas, pool: this.#pool },
      { manifestKey, version, unsequenced },
    )
  }

  async #list(watermark: number, inbox: boolean): Promise<Listed> {
    const sent = this.stamp()
    return { sent, listing: await listTail(this.env.store, this.path, watermark, inbox) }
  }

  /**
   * Reads the pointer and stands on its manifest. A tombstone sets `closed`.
   * @param ahead list the log while a new manifest is being read
   * @returns that listing, if there is one and it belongs to the manifest
   */
  async #readPointer(ahead?: { inbox: boolean }): Promise<Listed | undefined> {
    const answer = await this.manifests.readPointer(this.pointer === 'none' ? undefined : this.pointer.etag)
    if (answer === 'unchanged' || (answer === 'none' && this.pointer === 'none')) {
      if (!this.#loaded) await this.#install(this.manifest)
      return undefined
    }
    if (answer === 'none')
      throw corrupt('pointer-missing', `the pointer of ${this.path} is gone. Run "siltstone repair".`)
    const named = ahead && parseKey(answer.manifestKey)
    const [listed, followed] = await Promise.allSettled([
      named?.kind === 'manifest' ? this.#list(named.watermark, ahead?.inbox === true) : undefined,
      this.manifests.follow(answer),
    ])
    if (followed.status === 'rejected') throw followed.reason
    const { pointer, manifest } = followed.value
    this.pointer = pointer
    await this.#install(manifest)
    // The manifest was collected, and it is a later one: its own listing is shorter.
    if (pointer.manifestKey !== answer.manifestKey) return undefined
    if (listed.status === 'rejected') throw listed.reason
    return listed.value
  }

  missing() {
    return notFound('collection-missing', `Collection [${this.path.slice(-36)}] does not exist.`)
  }

  async #install(manifest: Manifest): Promise<void> {
    const known = this.end
    this.#loaded = false
    this.#layer = undefined
    await this.#log.install(manifest)
    if (this.end < known) this.knowledge = undefined
    this.#loaded = true
  }

  #unsequencedKnown(): InboxObject[] {
    return this.#inbox.filter(({ ulid }) => !this.#log.isMentioned(ulid))
  }

  async #currentView(): Promise<View> {
    const unsequenced = this.#unsequencedKnown()
    if (unsequenced.length === 0) return this.sequencedView()
    const name = `${this.#manifestKey} ${this.end} ${unsequenced.map(({ ulid, etag }) => `${ulid}${etag}`).join(' ')}`
    if (this.#layer?.name === name) return this.#layer.view
    const overlay = this.overlay.fork()
    const shown: InboxObject[] = []
    for (const object of unsequenced) {
      const delta = await this.deltas.get(object.ulid, object.etag, object.sizeBytes)
      // Deleted between listing and reading: only a fold of an hour ago allows that, and the pointer has moved since.
      if (delta.status === 'gone' || delta.status === 'changed') {
        countVanished(this.env.metrics, inboxKey(this.path, object.ulid))
        await this.#syncOpen()
        return this.#currentView()
      }
      shown.push(object)
      if (delta.status === 'ok' && !dimensionClash(delta.records, overlay.dimension))
        await overlay.apply(delta.records, this.end + 1)
    }
    const view = new View({
      version: this.end,
      manifestKey: this.#manifestKey,
      manifest: this.manifest,
      overlay: overlay.view(),
      unsequenced: shown,
    })
    this.#layer = { name, view }
    return view
  }
}
