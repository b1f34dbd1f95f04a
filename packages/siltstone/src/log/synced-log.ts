/**
 * What one process knows of one collection's log: the current manifest and the entries above it, brought up to date by
 * `sync`. A `CollectionState` guards it with its lock.
 *
 * ## A strong read
 * 1. Read the pointer, conditionally.
 * 2. Read the manifest if it is new, and at the same time list the log after its watermark, which the manifest's name
 *    tells. From a distant store the log is listed during step 1 already, after the watermark that is known; if the pointer has
 *    moved, that listing is not used.
 * 3. Read the entries and the unsequenced deltas that are not known yet.
 *
 * A listing during step 1 is as good as one after it if the pointer has not moved: what is above the watermark of the current
 * manifest is not folded, so it was not collected, whichever of the two answers was made first.
 *
 * Everything that was acknowledged before step 1 is then seen: an acknowledged entry is above the watermark and listed,
 * or folded into the manifest; an acknowledged delta is in the listing of the inbox, or sequenced by one of those
 * entries, or folded (`take-inbox.ts` proves it). A delta that is gone when it is read is looked up in the entries after
 * those that were listed.
 *
 * ## When the parts do not fit together
 * There are three cases: a gap in the numbers; an entry that vanished between listing and reading; so much
 * time between reading the pointer and the end of the reading that folded entries may have been collected. In each of
 * them the pointer is read again. If it moved, a compaction is the cause, and the sync begins again from its manifest.
 * If it did not move, an object is missing that must exist: `corrupt`, naming the object. So is one that is missing again after
 * the pointer has moved: what a pointer needs that was read after the first look is not collected before it. When something else is
 * missing each time, the process is too slow: `unavailable`.
 */
import { corrupt, notFound, unavailable } from '../errors.ts'
import { type LogEntry, withVectorsOf } from '../format/entry.ts'
import type { KeptEntry } from './entry-vectors.ts'
import { parseKey } from '../format/keys.ts'
import type { Manifest } from '../format/manifest.ts'
import type { PointerState } from '../snapshot/manifest-store.ts'
import { type AppliedEntry, AppliedLog, readEntry, type RefusedInLog } from './applied-log.ts'
import { cutAtGap, type InboxObject, type ListedEntry, listInbox, listTail, type TailListing } from './listing.ts'
import type { LogContext } from './log-context.ts'
import type { LogOverlay } from './log-overlay.ts'
import { ageMs, type Stamp, stampNow } from './stamp.ts'
import { asVanished, countVanished, missingObject, overtaken, type Vanished } from './vanished.ts'

/** Attempts to read a state before its parts are taken for damaged. */
export const SYNC_ATTEMPTS = 8

export interface SyncOptions {
  /** Whether to list the inbox. Default: if the collection takes bare producers. */
  inbox?: boolean
  /** Stop applying entries once this much is unfolded: the fold's bound on memory. */
  applyBytes?: number
  /** Apply nothing more if at least this much is unfolded, as far as the listing tells. */
  unlessBytes?: number
  /**
   * Entries up to this number are applied first, without their vectors where that costs little. `applyBytes` is then the bound of
   * those after them, of which none is applied if these are more than `bytes`.
   */
  ahead?: { to: number; bytes: number }
}

interface Listed {
  /** When the request was sent. */
  sent: Stamp
  listing: TailListing
}

export class SyncedLog {
  readonly #context: LogContext
  readonly #applied: AppliedLog
  pointer: PointerState | 'none' = 'none'
  /** When the request was sent whose answer told the end of the log; undefined when the end is not known. */
  knowledge: Stamp | undefined
  /** Listed entries that the bounds of the last sync left out. */
  waiting: readonly ListedEntry[] = []
  #inbox: InboxObject[] = []
  #isInstalled = false

  constructor(context: LogContext) {
    this.#context = context
    this.#applied = new AppliedLog(context)
  }

  get manifest(): Manifest {
    return this.#applied.manifest
  }

  get manifestKey(): string | null {
    return this.pointer === 'none' ? null : this.pointer.manifestKey
  }

  get overlay(): LogOverlay {
    return this.#applied.overlay
  }

  /** Number of the last entry applied. */
  get end(): number {
    return this.#applied.end
  }

  /** Whether the collection was deleted. */
  get isClosed(): boolean {
    return this.#applied.isClosed
  }

  get refused(): readonly RefusedInLog[] {
    return this.#applied.refused
  }

  get unfoldedBytes(): number {
    return this.#applied.unfoldedBytes
  }

  /** The entries from a number on, as far as they are applied or waiting, with their sizes: of the latter as listed. */
  sizesFrom(first: number): ListedEntry[] {
    const applied = this.applied.map(({ entry, sizeBytes }) => ({ number: entry.number, sizeBytes }))
    return [...applied, ...this.waiting].filter(({ number }) => number >= first && number > this.manifest.watermark)
  }

  /** Entries above the watermark, with what they left. */
  get applied(): readonly AppliedEntry[] {
    return this.#applied.applied
  }

  /** Entries above the watermark. */
  get entries(): readonly KeptEntry[] {
    return this.#applied.entries
  }

  /** Whether the end of the log is known, and recently enough to append after it. */
  get knowsEnd(): boolean {
    const { env, limits } = this.#context
    return this.knowledge !== undefined && ageMs(env.clock, this.knowledge) <= limits.writerStalenessMs
  }

  /** @throws SiltstoneError `not-found` when the collection is deleted */
  requireOpen(): void {
    if (this.isClosed)
      throw notFound('collection-missing', `Collection [${this.#context.path.slice(-36)}] does not exist.`)
  }

  /** As `sync`; throws `not-found` when the collection is deleted. */
  async syncOpen(): Promise<void> {
    await this.sync()
    this.requireOpen()
  }

  /**
   * Brings everything up to date. A deleted collection is no error here: `isClosed` tells.
   * @throws SiltstoneError `corrupt`, `unavailable`
   */
  async sync({ inbox = this.#context.takesInbox, ...bounds }: SyncOptions = {}): Promise<void> {
    const { env, path, limits } = this.#context
    let failure: Vanished | undefined
    // The manifest under which something was missing.
    let failedAt: string | null = null
    for (let attempt = 0; attempt < SYNC_ATTEMPTS; attempt++) {
      const began = stampNow(env.clock)
      try {
        const early = await this.#readPointer({ inbox })
        // This is the second look. The pointer did not move, so the object should exist.
        if (failure && failedAt === this.manifestKey) throw missingObject(failure.key)
        if (this.isClosed) return
        const { sent, listing } = early ?? (await this.#list(this.manifest.watermark, inbox))
        if (ageMs(env.clock, began) > limits.readSpanMs) continue
        await cutAtGap(env.store, path, this.manifest.watermark, listing)
        await this.#extend(listing.entries, bounds)
        // Entries read this late may have been folded and collected, and strays may have taken their numbers.
        if (ageMs(env.clock, began) > limits.readSpanMs) continue
        // A part of the log does not tell where it ends.
        this.knowledge = this.end === (listing.entries.at(-1)?.number ?? this.end) ? sent : undefined
        this.waiting = listing.entries.filter(({ number }) => number > this.end)
        if (inbox) this.#inbox = listing.inbox
        return
      } catch (error) {
        // An entry may be half applied: the manifest is installed again before anything is written.
        this.#invalidate()
        const missing = asVanished(error)
        if (!missing) throw error
        countVanished(env.metrics, missing.key)
        if (failure && (failedAt === this.manifestKey || failure.key === missing.key)) throw missingObject(failure.key)
        failure = missing
        failedAt = this.manifestKey
      }
    }
    if (failure) throw overtaken(path, failure)
    throw unavailable(
      'reads-too-slow',
      `reading the log of ${path} took longer than ${limits.readSpanMs} ms in ${SYNC_ATTEMPTS} attempts; retry`,
    )
  }

  async #extend(
    listed: readonly ListedEntry[],
    { applyBytes, unlessBytes = Infinity, ahead }: Omit<SyncOptions, 'inbox'>,
  ): Promise<void> {
    const newBytes = sizeOf(listed.filter(({ number }) => number > this.end))
    if (this.unfoldedBytes + newBytes >= unlessBytes) return
    if (!ahead || ahead.to <= this.manifest.watermark) return this.#applied.extend(listed, applyBytes)
    const isAhead = ({ number }: { number: number }) => number <= ahead.to
    await this.#applied.extend(listed.filter(isAhead), ahead.bytes, false)
    if (this.end < ahead.to) return
    const aheadBytes = sizeOf(this.applied.filter(({ entry }) => isAhead(entry)))
    await this.#applied.extend(listed, applyBytes === undefined ? undefined : aheadBytes + applyBytes)
  }

  /** Reads the pointer and its manifest, but not the log. */
  async followPointer(): Promise<void> {
    await this.#readPointer()
  }

  /**
   * Whether an error only means that the snapshot below was collected: then the pointer has moved, and the next sync
   * installs its manifest.
   * @param manifestKey the snapshot that the failed work was based on
   */
  async snapshotWasCollected(error: unknown, manifestKey = this.manifestKey): Promise<boolean> {
    const missing = asVanished(error)
    if (!missing) return false
    countVanished(this.#context.env.metrics, missing.key)
    this.#invalidate()
    const now = await this.#context.manifests.readPointer()
    // step: later-snapshot-is-sought
    return typeof now !== 'string' && now.manifestKey !== manifestKey
  }

  /**
   * Applies the entries after the end, one by one, until one mentions this delta. The end stays as well known as it was.
   * @returns false when no entry does, or when what is known of the end is too old to tell entries from strays: sync
   */
  async follow(ulid = ''): Promise<boolean> {
    const { env, path, limits } = this.#context
    try {
      while (!this.#applied.isMentioned(ulid)) {
        const found = await readEntry(env.store, path, this.end + 1)
        if (!found || !this.knowledge || ageMs(env.clock, this.knowledge) > limits.readSpanMs) return false
        await this.#applied.apply(this.#applied.keep(found.entry, found.body), found.sizeBytes)
      }
      return true
    } catch (error) {
      this.#invalidate()
      if (asVanished(error)) return false
      throw error
    }
  }

  /**
   * Lists the inbox. Returns the deltas that no entry has sequenced.
   * @param always also in a collection without bare producers, where only writers hand deltas over
   */
  async listInbox(always = false): Promise<InboxObject[]> {
    const { env, path, takesInbox } = this.#context
    if (!takesInbox && !always) return []
    // step: inbox-is-listed
    this.#inbox = await listInbox(env.store, path)
    return this.unsequenced
  }

  isMentioned(ulid: string): boolean {
    return this.#applied.isMentioned(ulid)
  }

  /** The deltas that no entry has sequenced, as of the last listing. */
  get unsequenced(): InboxObject[] {
    return this.#inbox.filter(({ ulid }) => !this.#applied.isMentioned(ulid))
  }

  /**
   * Applies an entry that this process appended, unless a sync has applied it already.
   * @param bytes the entry as it was put
   * @param sent when its put was sent
   */
  async appended(entry: LogEntry, bytes: Uint8Array, sent: Stamp): Promise<void> {
    try {
      if (this.end === entry.number - 1) {
        const kept = this.#applied.keep(withVectorsOf(entry, bytes), bytes)
        await this.#applied.apply(kept, bytes.length)
      }
      if (this.end === entry.number) this.knowledge = sent
    } catch (error) {
      // The entry is durable, so its writers are answered; the manifest is installed again before the next append.
      this.#invalidate()
      this.#context.env.log.warn('appended_entry_not_applied', {
        collection: this.#context.path,
        error: String(error),
      })
    }
  }

  /** The end of the log is not known any more: the outcome of a put is open. */
  forgetEnd(): void {
    this.knowledge = undefined
  }

  #invalidate(): void {
    this.#isInstalled = false
    this.knowledge = undefined
  }

  /** The listing that is needed if the pointer has not moved; undefined: it is made when that is known. */
  #listExpected(inbox: boolean): Promise<Listed> | undefined {
    if (this.pointer === 'none' || this.#context.env.store.capabilities.isLocal) return undefined
    const listed = this.#list(this.manifest.watermark, inbox)
    // If the pointer has moved, the answer is not needed.
    listed.catch(() => undefined)
    return listed
  }

  async #list(watermark: number, inbox: boolean): Promise<Listed> {
    const { env, path } = this.#context
    const sent = stampNow(env.clock)
    return { sent, listing: await listTail(env.store, path, watermark, inbox) }
  }

  /**
   * Reads the pointer and installs its manifest. A tombstone sets `isClosed`.
   * @param ahead list the log while a new manifest is being read, and from a distant store while the pointer is
   * @returns that listing, if it was made and belongs to the manifest
   */
  async #readPointer(ahead?: { inbox: boolean }): Promise<Listed | undefined> {
    const { manifests, path } = this.#context
    const expected = ahead && this.#listExpected(ahead.inbox)
    const answer = await manifests.readPointer(this.pointer === 'none' ? undefined : this.pointer.etag)
    if (answer === 'unchanged' || (answer === 'none' && this.pointer === 'none')) {
      if (!this.#isInstalled) await this.#install(this.manifest)
      return expected
    }
    if (answer === 'none') throw corrupt('pointer-missing', `the pointer of ${path} is gone. Run "siltstone repair".`)
    const named = ahead && parseKey(answer.manifestKey)
    const [listed, followed] = await Promise.allSettled([
      named?.kind === 'manifest' ? this.#list(named.watermark, ahead?.inbox === true) : undefined,
      manifests.follow(answer),
    ])
    if (followed.status === 'rejected') throw followed.reason
    const { pointer, manifest } = followed.value
    this.pointer = pointer
    await this.#install(manifest)
    // The named manifest was collected and this is a later one, whose listing is shorter.
    if (pointer.manifestKey !== answer.manifestKey) return undefined
    if (listed.status === 'rejected') throw listed.reason
    return listed.value
  }

  async #install(manifest: Manifest): Promise<void> {
    const known = this.end
    this.#isInstalled = false
    await this.#applied.install(manifest)
    if (this.end < known) this.knowledge = undefined
    this.#isInstalled = true
  }
}

function sizeOf(entries: readonly { sizeBytes: number }[]): number {
  return entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}
