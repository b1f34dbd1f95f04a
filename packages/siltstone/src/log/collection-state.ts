/**
 * One process's knowledge of one collection: the current manifest and the log above it, kept up to date by `sync`.
 * Readers, the writer and the fold all stand on it; each of its steps runs alone (`run`).
 *
 * ## A strong read
 * 1. The pointer, conditionally. 2. The manifest if it is new, and the listing of the log after its watermark.
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
import { decodeEntry, type LogEntry, type SequencedDelta } from '../format/entry.ts'
import { logEntryKey, parseKey } from '../format/keys.ts'
import { emptyManifest, type Manifest, type StatePart } from '../format/manifest.ts'
import type { Environment } from '../platform/environment.ts'
import { BaseState } from '../snapshot/base-state.ts'
import { ManifestStore, type PointerState } from '../snapshot/manifest-store.ts'
import type { SegmentPool } from '../snapshot/open-segment.ts'
import { DeltaCache } from './delta-cache.ts'
import { FreshState } from './fresh-state.ts'
import type { LogLimits } from './limits.ts'
import { type InboxObject, listInbox, listTail, type TailListing } from './listing.ts'
import { Mutex } from './mutex.ts'
import { View } from './view.ts'

const SYNC_TRIES = 8
const PARALLEL_FETCHES = 16

export interface RefusedInLog {
  key: string
  entry: number
  reason: string
}

/** How old knowledge of the log's end is: the larger of both clocks' differences. */
export interface Stamp {
  wallMs: number
  monotonicMs: number
}

export interface StateOptions {
  env: Environment
  path: string
  pool: SegmentPool
  limits: LogLimits
  /** False: the collection takes no bare producers. */
  inbox: boolean
}

interface Tail {
  entry: LogEntry
  /** With the deltas that it sequences. */
  sizeBytes: number
  fileBytes: number
}

/** Something that should be there is not: only a second look at the pointer tells what that means. */
class Vanished {
  readonly key: string
  constructor(key: string) {
    this.key = key
  }
}

export class CollectionState {
  readonly path: string
  readonly env: Environment
  readonly limits: LogLimits
  readonly manifests: ManifestStore
  readonly deltas: DeltaCache
  readonly #pool: SegmentPool
  readonly #takesInbox: boolean
  readonly #mutex = new Mutex()

  pointer: PointerState | 'none' = 'none'
  manifest: Manifest
  /** Entries above the watermark that are applied, by number. */
  readonly #tail = new Map<number, Tail>()
  #fresh!: FreshState
  /** Number of the last entry applied. */
  end = 0
  closed = false
  unfoldedBytes = 0
  refused: RefusedInLog[] = []
  /** ULIDs that an entry or the manifest mentions: a later mention of one is void. */
  #mentioned = new Set<string>()
  /** When the request was sent that told the log's end; undefined: nothing is known. */
  knowledge: Stamp | undefined
  #inbox: InboxObject[] = []
  #layer: { name: string; view: View } | undefined
  #loaded = false
  #queuedSync: Promise<View> | undefined
  #lastView: { view: View; at: Stamp } | undefined

  constructor(options: StateOptions) {
    this.env = options.env
    this.path = options.path
    this.limits = options.limits
    this.#pool = options.pool
    this.#takesInbox = options.inbox
    this.manifests = new ManifestStore(options.env, options.path)
    this.deltas = new DeltaCache(options.env.store, options.path, options.limits.deltaBytes)
    this.manifest = emptyManifest(options.path)
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

  get fresh(): FreshState {
    return this.#fresh
  }

  get takesInbox(): boolean {
    return this.#takesInbox
  }

  get unfoldedEntries(): number {
    return this.#tail.size
  }

  entries(): LogEntry[] {
    return [...this.#tail.values()].map(({ entry }) => entry)
  }

  entrySize(number: number): number {
    return this.#tail.get(number)?.sizeBytes ?? 0
  }

  isMentioned(ulid: string): boolean {
    return this.#mentioned.has(ulid)
  }

  /**
   * A view that holds every write acknowledged before the call. Calls that wait together share one check, which
   * begins after all of them.
   * @throws SiltstoneError `not-found` (deleted), `corrupt`, `unavailable`
   */
  strongView(): Promise<View> {
    this.#queuedSync ??= this.run(async () => {
      this.#queuedSync = undefined
      const at = this.stamp()
      await this.sync({ inbox: this.#takesInbox })
      if (this.closed) throw this.missing()
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
    return this.run(async () => {
      await this.#readPointer()
      if (this.closed) throw this.missing()
      const base = await BaseState.open(this.#pool, this.manifest)
      const fresh = new FreshState(base).view()
      return new View({
        version: this.manifest.watermark,
        manifestKey: this.#manifestKey,
        manifest: this.manifest,
        fresh,
        unsequenced: [],
      })
    })
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
    for (let attempt = 0; attempt < SYNC_TRIES; attempt++) {
      const began = this.stamp()
      const before = this.#manifestKey
      try {
        await this.#readPointer()
        // The second look: the pointer did not move, so what is missing is missing from the truth.
        if (failure && before === this.#manifestKey) throw missingObject(failure.key, this.path)
        if (this.closed) return
        const sent = this.stamp()
        const listing = await listTail(this.env.store, this.path, this.manifest.watermark, options.inbox)
        if (this.ageMs(began) > this.limits.readSpanMs) continue
        await this.#confirmContiguous(listing)
        await this.#extend(listing.entries, options.applyBytes)
        this.knowledge = sent
        if (options.inbox) this.#inbox = listing.inbox
        return
      } catch (error) {
        // Entries may be half applied: stand on the manifest anew next time.
        this.#loaded = false
        if (!(error instanceof Vanished)) throw error
        if (failure && before === this.#manifestKey) throw missingObject(failure.key, this.path)
        failure = error
      }
    }
    if (failure) throw missingObject(failure.key, this.path)
    throw unavailable(
      'reads-too-slow',
      `reading the log of ${this.path} took longer than ${this.limits.readSpanMs} ms each time; retry`,
    )
  }

  /** Call within `run`, after the group is sealed: the inbox as it is now, without what is sequenced. */
  async unsequenced(): Promise<InboxObject[]> {
    this.#inbox = await listInbox(this.env.store, this.path)
    return this.#unsequencedKnown()
  }

  /** Call within `run`: applies an entry that this process appended, unless a sync met it first. */
  async appended(entry: LogEntry, sizeBytes: number, sent: Stamp): Promise<void> {
    if (this.end === entry.number - 1) await this.#applyEntry(entry, sizeBytes)
    if (this.end === entry.number) this.knowledge = sent
  }

  /** Call within `run`: nothing is known any more about the log's end. */
  forgetEnd(): void {
    this.knowledge = undefined
  }

  /** Call within `run`. The state without the unsequenced deltas: exactly the log up to `end`. */
  sequencedView(): View {
    return new View({
      version: this.end,
      manifestKey: this.#manifestKey,
      manifest: this.manifest,
      fresh: this.#fresh.view(),
      unsequenced: [],
    })
  }

  /** A state of the past, rebuilt from a kept manifest and the entries after it. */
  async viewAt(
    manifestKey: string | null,
    version: number,
    ulids: readonly { ulid: string; etag: string; sizeBytes: number }[],
  ): Promise<View> {
    const gone = () => notFound('gone', `version ${version} of ${this.path} is no longer kept`)
    const manifest = manifestKey === null ? emptyManifest(this.path) : await this.manifests.load(manifestKey)
    if (!manifest || manifest.watermark > version) throw gone()
    const past = new CollectionState({
      env: this.env,
      path: this.path,
      pool: this.#pool,
      limits: this.limits,
      inbox: false,
    })
    past.pointer = manifestKey === null ? 'none' : { manifestKey, etag: '' }
    await past.#install(manifest)
    const listing = await listTail(this.env.store, this.path, manifest.watermark, false)
    const wanted = listing.entries.filter((entry) => entry.number <= version)
    try {
      if (wanted.length !== version - manifest.watermark) throw gone()
      await past.#extend(wanted, undefined)
      for (const { ulid, etag, sizeBytes } of ulids) {
        if (past.#mentioned.has(ulid)) continue
        const delta = await past.deltas.get(ulid, etag, sizeBytes)
        if (delta.status === 'gone' || delta.status === 'changed') throw gone()
        if (delta.status === 'ok') await past.#fresh.apply(delta.records, version + 1)
      }
    } catch (error) {
      if (error instanceof Vanished) throw gone()
      throw error
    }
    return new View({ version, manifestKey, manifest, fresh: past.#fresh.view(), unsequenced: ulids })
  }

  /** Reads the pointer and stands on its manifest. A tombstone sets `closed`. */
  async #readPointer(): Promise<void> {
    const answer = await this.manifests.readPointer(this.pointer === 'none' ? undefined : this.pointer.etag)
    if (answer === 'unchanged' || (answer === 'none' && this.pointer === 'none')) {
      if (!this.#loaded) await this.#install(this.manifest)
      return
    }
    if (answer === 'none')
      throw corrupt('pointer-missing', `the pointer of ${this.path} is gone. Run "siltstone repair".`)
    const manifest = await this.manifests.loadExisting(answer.manifestKey)
    this.pointer = answer
    if (manifest.state === 'closed') this.closed = true
    await this.#install(manifest)
  }

  missing() {
    return notFound('collection-missing', `Collection [${this.path.slice(-36)}] does not exist.`)
  }

  /** Stands on another manifest; entries above its watermark that are known already are applied again. */
  async #install(manifest: Manifest): Promise<void> {
    this.#loaded = false
    const kept = [...this.#tail.values()].filter(({ entry }) => entry.number > manifest.watermark)
    const known = this.end
    this.manifest = manifest
    this.#tail.clear()
    this.unfoldedBytes = 0
    this.refused = []
    this.#mentioned = new Set(manifest.sequenced.flatMap((group) => group.ulids))
    this.deltas.retain((ulid) => !this.#mentioned.has(ulid))
    this.#pool.retain([manifest])
    this.#layer = undefined
    this.#fresh = new FreshState(await BaseState.open(this.#pool, manifest))
    this.end = manifest.watermark
    // Only an unbroken continuation can be reused.
    if (kept[0]?.entry.number === manifest.watermark + 1)
      for (const { entry, fileBytes } of kept) await this.#applyEntry(entry, fileBytes, kept.at(-1)?.entry.number)
    if (this.end < known) this.knowledge = undefined
    this.#loaded = true
  }

  async #confirmContiguous(listing: TailListing): Promise<void> {
    let expected = this.manifest.watermark + 1
    for (const { number } of listing.entries) {
      if (number !== expected) {
        // A listing without a point in time can miss an entry that a later one proves: look for it by name.
        const head = await this.env.store.head(logEntryKey(this.path, expected))
        if (!head) throw new Vanished(logEntryKey(this.path, expected))
        const again = await listTail(this.env.store, this.path, this.manifest.watermark, false)
        listing.entries = again.entries
        if (again.entries.some((entry, i) => entry.number !== this.manifest.watermark + 1 + i))
          throw new Vanished(logEntryKey(this.path, expected))
        return
      }
      expected++
    }
  }

  async #extend(
    listed: readonly { number: number; sizeBytes: number }[],
    applyBytes: number | undefined,
  ): Promise<void> {
    const wanted = listed.filter(({ number }) => number > this.end)
    for (let i = 0; i < wanted.length; i += PARALLEL_FETCHES) {
      const batch = await Promise.all(wanted.slice(i, i + PARALLEL_FETCHES).map(({ number }) => this.#fetch(number)))
      for (const { entry, sizeBytes } of batch) {
        if (applyBytes !== undefined && this.unfoldedBytes >= applyBytes) return
        await this.#applyEntry(entry, sizeBytes, wanted.at(-1)?.number)
      }
    }
  }

  /** Whether an entry after `number` voids the mention of this inbox key. */
  async #isVoided(key: string, number: number, last: number): Promise<boolean> {
    for (let later = number + 1; later <= last; later++) {
      const { control } = (await this.#fetch(later)).entry
      if (control?.kind === 'void' && control.keys.includes(key)) return true
    }
    return false
  }

  /** An entry by number, folded or not; undefined when it is not kept any more. */
  async readEntry(number: number): Promise<LogEntry | undefined> {
    return (await this.#tryFetch(number))?.entry
  }

  async #fetch(number: number): Promise<Tail> {
    const tail = await this.#tryFetch(number)
    if (!tail) throw new Vanished(logEntryKey(this.path, number))
    return tail
  }

  async #tryFetch(number: number): Promise<Tail | undefined> {
    const key = logEntryKey(this.path, number)
    const got = await this.env.store.get(key)
    if (got.status !== 'ok') return undefined
    const entry = decodeEntry(got.body, key)
    if (entry.number !== number || entry.collection !== this.path)
      throw corrupt('entry-misplaced', `${key} says it is entry ${entry.number} of ${entry.collection}`, { key })
    return { entry, sizeBytes: got.sizeBytes, fileBytes: got.sizeBytes }
  }

  /** @param last number of the last entry known to exist: a void mention may stand in one up to it */
  async #applyEntry(entry: LogEntry, entryBytes: number, last = entry.number): Promise<void> {
    let sizeBytes = entryBytes
    for (const mention of entry.sequenced) {
      const parsed = parseKey(mention.key)
      if (parsed?.kind !== 'inbox' || parsed.path !== this.path)
        throw corrupt(
          'bad-mention',
          `entry ${entry.number} of ${this.path} sequences ${mention.key}, which is not in its inbox`,
          { key: logEntryKey(this.path, entry.number) },
        )
      if (this.#mentioned.has(parsed.ulid)) continue
      const reason = await this.#applyDelta(parsed.ulid, mention, entry.number, last)
      if (reason !== undefined) this.refused.push({ key: mention.key, entry: entry.number, reason })
      this.#mentioned.add(parsed.ulid)
      sizeBytes += mention.sizeBytes
    }
    for (const bad of await this.#fresh.apply(entry.records, entry.number))
      this.refused.push({
        key: logEntryKey(this.path, entry.number),
        entry: entry.number,
        reason: `record ${JSON.stringify(bad.id)}: ${bad.reason}`,
      })
    if (entry.control?.kind === 'closed') this.closed = true
    if (entry.control?.kind === 'reset') await this.#reset(entry.control.manifestKey)
    this.#tail.set(entry.number, { entry, sizeBytes, fileBytes: entryBytes })
    this.unfoldedBytes += sizeBytes
    this.end = entry.number
  }

  /** @returns why it was refused */
  async #applyDelta(ulid: string, mention: SequencedDelta, number: number, last: number): Promise<string | undefined> {
    const delta = await this.deltas.get(ulid, mention.etag, mention.sizeBytes)
    if (delta.status === 'gone' || delta.status === 'changed') {
      if (await this.#isVoided(mention.key, number, last))
        return 'it vanished or changed after it was sequenced; a repair voided it'
      throw new Vanished(mention.key)
    }
    if (delta.status === 'refused') return delta.reason
    const clash = dimensionClash(delta.records, this.#fresh.dimension)
    if (clash === undefined) await this.#fresh.apply(delta.records, number)
    return clash
  }

  async #reset(manifestKey: string): Promise<void> {
    const target: StatePart =
      manifestKey === '' ? emptyManifest(this.path) : await this.manifests.loadExisting(manifestKey)
    // Ordinals never go back: a record inserted after the reset comes behind everything that ever was.
    const nextOrdinal = Math.max(target.nextOrdinal, this.#fresh.nextOrdinal)
    const operations = this.#fresh.operations
    this.#fresh = new FreshState(await BaseState.open(this.#pool, target), { dimension: target.dimension, nextOrdinal })
    this.#fresh.operations = operations
  }

  #unsequencedKnown(): InboxObject[] {
    return this.#inbox.filter(({ ulid }) => !this.#mentioned.has(ulid))
  }

  async #currentView(): Promise<View> {
    const unsequenced = this.#unsequencedKnown()
    if (unsequenced.length === 0) return this.sequencedView()
    const name = `${this.#manifestKey} ${this.end} ${unsequenced.map(({ ulid, etag }) => `${ulid}${etag}`).join(' ')}`
    if (this.#layer?.name === name) return this.#layer.view
    const fresh = this.#fresh.fork()
    const shown: InboxObject[] = []
    for (const object of unsequenced) {
      const delta = await this.deltas.get(object.ulid, object.etag, object.sizeBytes)
      // Deleted between listing and reading: only a fold of an hour ago allows that, and the pointer has moved since.
      if (delta.status === 'gone' || delta.status === 'changed') {
        await this.sync({ inbox: this.#takesInbox })
        return this.#currentView()
      }
      shown.push(object)
      if (delta.status === 'ok' && !dimensionClash(delta.records, fresh.dimension))
        await fresh.apply(delta.records, this.end + 1)
    }
    const view = new View({
      version: this.end,
      manifestKey: this.#manifestKey,
      manifest: this.manifest,
      fresh: fresh.view(),
      unsequenced: shown,
    })
    this.#layer = { name, view }
    return view
  }
}

function missingObject(key: string, path: string) {
  const message = `${key} does not exist although the log of ${path} refers to it. Run "siltstone verify", then "siltstone repair".`
  return corrupt('object-missing', message, { key })
}

/** A delta whose vectors disagree with the collection (or the first of them) is refused as a whole. */
export function dimensionClash(
  records: readonly { vector: Float32Array | null }[],
  dimension: number | null,
): string | undefined {
  let expected = dimension
  for (const { vector } of records) {
    if (!vector) continue
    expected ??= vector.length
    if (vector.length !== expected)
      return `its vectors have ${vector.length} dimensions, the collection has ${expected}`
  }
  return undefined
}
