/**
 * The log above one manifest, applied in order: entries with the deltas that they sequence become records.
 *
 * A delta counts at its first mention only: a mention of a delta that an earlier entry or the manifest's list names is
 * void. A delta that breaks its format's rules or disagrees with the dimension is refused as a whole, by every reader
 * alike. An object that a mention needs and that vanished, or is not the version that was sequenced, stops every reader
 * until a later entry voids the mention.
 */
import { corrupt } from '../errors.ts'
import { decodeEntry, type LogEntry, type SequencedDelta } from '../format/entry.ts'
import { logEntryKey, parseKey } from '../format/keys.ts'
import { emptyManifest, type Manifest, type StatePart } from '../format/manifest.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { BaseState } from '../snapshot/base-state.ts'
import { type KeptEntry, vectorBytes, withoutVectors } from './entry-vectors.ts'
import type { LogContext } from './log-context.ts'
import { LogOverlay, type LogOverlayView } from './log-overlay.ts'
import { contentOf, objectOf } from './mention.ts'
import { Vanished } from './vanished.ts'

const PARALLEL_FETCHES = 16

export interface RefusedInLog {
  key: string
  entry: number
  reason: string
}

export interface AppliedEntry {
  entry: KeptEntry
  /** Size of the entry and of the objects that it refers to. */
  sizeBytes: number
  fileBytes: number
  /** The state that this entry left. */
  after: LogOverlayView
}

export class AppliedLog {
  readonly #context: LogContext

  manifest: Manifest
  /** Applied entries, all above the watermark, in ascending order. */
  #entries: AppliedEntry[] = []
  overlay!: LogOverlay
  /** Number of the last entry applied. */
  end = 0
  /** Whether the collection was deleted. */
  isClosed = false
  unfoldedBytes = 0
  /** Of the entries' vectors: what is in memory. */
  #vectorBytes = 0
  refused: RefusedInLog[] = []
  /** ULIDs that an entry or the manifest mentions: a later mention of one is void. */
  #mentioned = new Set<string>()

  constructor(context: LogContext) {
    this.#context = context
    this.manifest = emptyManifest(context.path)
  }

  get entries(): KeptEntry[] {
    return this.#entries.map(({ entry }) => entry)
  }

  /** Applied entries above the watermark, in order. */
  get applied(): readonly AppliedEntry[] {
    return this.#entries
  }

  isMentioned(ulid: string): boolean {
    return this.#mentioned.has(ulid)
  }

  /** Starts over from another manifest. Known entries above its watermark are applied again, not read again. */
  async install(manifest: Manifest): Promise<void> {
    const known = this.#entries.filter(({ entry }) => entry.number > manifest.watermark)
    this.manifest = manifest
    // An entry after the watermark may close the log, too. Until it has been applied again, nothing that it mentions is known either.
    this.isClosed = manifest.state === 'closed'
    this.#entries = []
    this.unfoldedBytes = 0
    this.#vectorBytes = 0
    this.refused = []
    this.#mentioned = new Set(manifest.sequenced.flatMap((group) => group.ulids))
    this.#context.deltas.forget(this.#mentioned)
    this.#context.pool.closeUnused([manifest])
    this.overlay = new LogOverlay(await BaseState.open(this.#context.pool, manifest))
    this.end = manifest.watermark
    // Only entries without a gap after the watermark can be applied.
    if (known[0]?.entry.number === manifest.watermark + 1)
      for (const { entry, fileBytes } of known) await this.apply(entry, fileBytes, known.at(-1)?.entry.number)
  }

  /**
   * Applies listed entries that are not applied yet.
   * @param applyBytes stop once this much is unfolded
   * @param withVectors false: vectors are left in the entries where that costs little
   * @throws Vanished
   */
  async extend(
    listed: readonly { number: number; sizeBytes: number }[],
    applyBytes?: number,
    withVectors = true,
  ): Promise<void> {
    const wanted = listed.filter(({ number }) => number > this.end)
    for (let i = 0; i < wanted.length; ) {
      const some = startOf(wanted.slice(i, i + PARALLEL_FETCHES), (applyBytes ?? Infinity) - this.unfoldedBytes)
      if (some.length === 0) return
      i += some.length
      const batch = await Promise.all(some.map(({ number }) => this.#fetch(number)))
      for (const { entry, sizeBytes, body } of batch) {
        if (applyBytes !== undefined && this.unfoldedBytes >= applyBytes) return
        await this.apply(this.keep(entry, body, withVectors), sizeBytes, wanted.at(-1)?.number)
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

  /**
   * What to keep of an entry that is to be applied next: all of it, or all but its vectors.
   * @param body the entry as it is stored
   */
  keep(entry: LogEntry, body: Uint8Array, withVectors = true): KeptEntry {
    const { env, path, limits } = this.#context
    // From a bucket, each search would ask for them again.
    const isFew = withVectors && this.#vectorBytes + vectorBytes(entry) <= limits.keptVectorBytes
    if (isFew || !env.store.capabilities.isLocal) return entry
    return withoutVectors(entry, logEntryKey(path, entry.number), body, env.store)
  }

  async #fetch(number: number): Promise<ReadEntry> {
    const found = await readEntry(this.#context.env.store, this.#context.path, number)
    if (!found) throw new Vanished(logEntryKey(this.#context.path, number))
    return found
  }

  /** @param last number of the last entry known to exist: an entry up to it may void a mention */
  async apply(entry: KeptEntry, entryBytes: number, last = entry.number): Promise<void> {
    let sizeBytes = entryBytes
    // step: taken-deltas-come-first
    sizeBytes += await this.#applyDeltas(entry, last)
    // step: own-records-come-last
    await this.#applyRecords(entry)
    if (entry.control?.kind === 'closed') this.isClosed = true
    if (entry.control?.kind === 'reset') await this.#reset(entry.control.manifestKey)
    this.#entries.push({ entry, sizeBytes, fileBytes: entryBytes, after: this.overlay.view() })
    this.unfoldedBytes += sizeBytes
    this.#vectorBytes += vectorBytes(entry)
    this.end = entry.number
  }

  async #applyRecords({ records, number }: KeptEntry): Promise<void> {
    const key = logEntryKey(this.#context.path, number)
    for (const bad of await this.overlay.apply(records, number))
      this.refused.push({ key, entry: number, reason: `record ${JSON.stringify(bad.id)}: ${bad.reason}` })
  }

  /** @returns the size of the objects that the entry refers to */
  async #applyDeltas({ sequenced, number }: KeptEntry, last: number): Promise<number> {
    const { path } = this.#context
    let sizeBytes = 0
    for (const mention of sequenced) {
      const parsed = parseKey(mention.key)
      if (parsed?.kind !== 'inbox' || parsed.path !== path)
        throw corrupt('bad-mention', `entry ${number} of ${path} sequences ${mention.key}, which is not in its inbox`, {
          key: logEntryKey(path, number),
        })
      // step: second-mention-is-void
      if (this.#mentioned.has(parsed.ulid)) continue
      const reason = await this.#applyDelta(parsed.ulid, mention, number, last)
      if (reason !== undefined) this.refused.push({ key: mention.key, entry: number, reason })
      // step: taken-delta-is-mentioned
      this.#mentioned.add(parsed.ulid)
      if (objectOf(mention) !== undefined) sizeBytes += mention.sizeBytes
    }
    return sizeBytes
  }

  /** @returns why the delta was refused; undefined when it was applied */
  async #applyDelta(ulid: string, mention: SequencedDelta, number: number, last: number): Promise<string | undefined> {
    const delta = await contentOf(mention, ulid, this.#context.deltas)
    if (delta.status === 'gone' || delta.status === 'changed') {
      if (await this.#isVoided(mention.key, number, last))
        return 'it vanished or changed after it was sequenced; a repair voided it'
      throw new Vanished(objectOf(mention) ?? mention.key)
    }
    if (delta.status === 'refused') return delta.reason
    return this.overlay.applyDelta(delta.records, number)
  }

  async #reset(manifestKey: string): Promise<void> {
    const target: StatePart =
      manifestKey === '' ? emptyManifest(this.#context.path) : await this.#context.manifests.loadExisting(manifestKey)
    const overlay = new LogOverlay(await BaseState.open(this.#context.pool, target))
    // Ordinals never go back: a record inserted after the reset comes after every record that has ever been inserted.
    overlay.nextOrdinal = Math.max(overlay.nextOrdinal, this.overlay.nextOrdinal)
    overlay.operations = this.overlay.operations
    this.overlay = overlay
  }
}

/** The first entries, up to the one with which they have `bytes` together. */
function startOf<T extends { sizeBytes: number }>(entries: readonly T[], bytes: number): T[] {
  let sum = 0
  const end = entries.findIndex(({ sizeBytes }) => (sum += sizeBytes) >= bytes)
  return bytes <= 0 ? [] : entries.slice(0, end < 0 ? entries.length : end + 1)
}

interface ReadEntry {
  entry: LogEntry
  sizeBytes: number
  /** As it is stored. Vectors of the entry may be views of it. */
  body: Uint8Array
}

/** An entry by number, folded or not; undefined when it is not kept any more. */
export async function readEntry(store: ObjectStore, path: string, number: number): Promise<ReadEntry | undefined> {
  const key = logEntryKey(path, number)
  const got = await store.get(key)
  if (got.status !== 'ok') return undefined
  const entry = decodeEntry(got.body, key)
  if (entry.number !== number || entry.collection !== path)
    throw corrupt('entry-misplaced', `${key} says it is entry ${entry.number} of ${entry.collection}`, { key })
  return { entry, sizeBytes: got.sizeBytes, body: got.body }
}
