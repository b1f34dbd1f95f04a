/**
 * The batch of one group of writes: the state that its requests are evaluated at, and what they add to it. Later
 * requests of the group see what earlier ones write.
 */
import type { SequencedDelta } from '../format/entry.ts'
import { inboxKey } from '../format/keys.ts'
import type { RecordOp } from '../model/record.ts'
import type { CollectionState, Locked } from './collection-state.ts'
import type { DeltaAnswer } from './delta-cache.ts'
import type { InboxObject } from './listing.ts'
import type { LogLimits } from './log-limits.ts'
import type { LogOverlay } from './log-overlay.ts'
import { type Stamp, stampNow } from './stamp.ts'
import type { SyncedLog } from './synced-log.ts'
import { copyDelta } from './take-inbox.ts'
import { View } from './view.ts'

/** The state at which a request is evaluated: everything before it in the log, its own group included. */
export interface EvaluationState {
  readonly version: number
  readonly dimension: number | null
  /** A view of that state; made only when it is asked for. */
  view(): Promise<View>
}

/** What an entry takes from the inbox. */
interface Sequenced {
  deltas: SequencedDelta[]
  /** The version of each object that was read, by key, where the store keeps versions. */
  versions: Map<string, string>
  /** Names of the writers of tickets, and of the last hand-over with records. */
  tickets: string[]
  handover: string | undefined
  /** The state after them; undefined when they do not change the state. */
  overlay: LogOverlay | undefined
  /** The inbox holds more than one entry may sequence. */
  isPartial: boolean
}

export class WriteBatch implements EvaluationState {
  /** Number of the entry after which the batch's entry comes. */
  readonly version: number
  readonly sequenced: SequencedDelta[]
  readonly versions: ReadonlyMap<string, string>
  /** The writers to which the next numbers are left. */
  readonly turns: readonly string[]
  /** More of the inbox must be sequenced first, so no request may be evaluated at this state. */
  readonly isPartial: boolean
  /** When the request was sent that told that `version` is the end of the log. */
  readonly knowledge: Stamp
  readonly sealed: Stamp
  readonly #state: CollectionState
  readonly #base: View
  readonly #unapplied: (readonly RecordOp[])[] = []
  #overlay: LogOverlay | undefined
  dimension: number | null

  private constructor(state: CollectionState, { log, views }: Locked, taken: Sequenced) {
    const { deltas, versions, overlay, isPartial } = taken
    this.version = log.end
    this.sequenced = deltas
    this.versions = versions
    const { tickets, handover } = taken
    this.turns = [...new Set(handover === undefined ? tickets : [...tickets, handover])]
    this.isPartial = isPartial
    this.sealed = stampNow(state.env.clock)
    this.knowledge = log.knowledge ?? this.sealed
    this.#state = state
    this.#base = views.sequenced()
    this.#overlay = overlay
    this.dimension = (overlay ?? log.overlay).dimension
  }

  /**
   * @param inbox the deltas that no entry has sequenced, in the order in which they are to be applied
   * @throws StateMoved when one of them is gone: an entry that is not known yet has taken it
   */
  static async begin(state: CollectionState, locked: Locked, inbox: readonly InboxObject[]): Promise<WriteBatch> {
    return new WriteBatch(state, locked, await sequence(state, locked.log, inbox))
  }

  /** Key of the snapshot below. */
  get manifestKey(): string | null {
    return this.#base.manifestKey
  }

  add(records: readonly RecordOp[]): void {
    for (const { vector } of records) if (vector) this.dimension ??= vector.length
    this.#unapplied.push(records)
  }

  /** @throws StateMoved */
  async view(): Promise<View> {
    this.#overlay ??= await this.#state.run(async ({ log }) => {
      if (log.end !== this.version || log.overlay !== this.#base.overlay.state) throw new StateMoved()
      return log.overlay.fork()
    })
    // Records that could not be applied (looking up their rows failed) stay for the next call: none may be left out.
    // step: failed-look-up-is-repeated
    for (let [records] = this.#unapplied; records; [records] = this.#unapplied) {
      await this.#overlay.apply(records, this.version + 1)
      this.#unapplied.shift()
    }
    const { manifestKey, manifest } = this.#base
    return new View({ version: this.version, manifestKey, manifest, overlay: this.#overlay.view(), unsequenced: [] })
  }
}

/** Another entry or snapshot arrived while the group was evaluated: evaluate again. */
export class StateMoved extends Error {}

/** Takes what one entry may sequence, in ULID order, and applies it to a copy of the state. */
async function sequence(state: CollectionState, log: SyncedLog, inbox: readonly InboxObject[]): Promise<Sequenced> {
  const wanted = fitting(inbox, state.limits)
  await state.deltas.load(wanted)
  const sequenced: Sequenced = {
    deltas: [],
    versions: new Map(),
    tickets: [],
    handover: undefined,
    overlay: undefined,
    // step: rest-of-the-inbox-comes-first
    isPartial: wanted.length < inbox.length,
  }
  for (const object of wanted) {
    const { ulid, etag, sizeBytes } = object
    const delta = await state.deltas.get(ulid, etag, sizeBytes)
    const taken =
      delta.status === 'gone' || delta.status === 'changed'
        ? undefined
        : await take(state, log, object, delta, sequenced)
    if (!taken) {
      await log.follow(ulid)
      log.forgetEnd()
      throw new StateMoved()
    }
    const key = inboxKey(state.path, ulid)
    sequenced.deltas.push({ key, etag, sizeBytes, ...taken })
    if ('handover' in delta && delta.handover !== undefined) {
      if (delta.records.length === 0) sequenced.tickets.push(delta.handover)
      else sequenced.handover = delta.handover
    }
    if ('versionId' in delta && delta.versionId !== undefined) sequenced.versions.set(key, delta.versionId)
  }
  return sequenced
}

/** The first deltas that one entry may sequence. */
function fitting(inbox: readonly InboxObject[], limits: LogLimits): readonly InboxObject[] {
  let bytes = 0
  let inlineBytes = 0
  for (const [i, { sizeBytes }] of inbox.entries()) {
    const counted = Math.min(sizeBytes, limits.deltaBytes)
    bytes += counted
    if (counted <= limits.inlineDeltaBytes) inlineBytes += counted
    const isFull = i > 0 && (bytes > limits.sequencedBytes || inlineBytes > limits.inlineBytes)
    if (isFull || i >= limits.sequencedDeltas) return inbox.slice(0, i)
  }
  return inbox
}

/** The content of a delta as the entry holds it; undefined when the inbox no longer holds it. */
async function take(
  { env, path, limits }: CollectionState,
  log: SyncedLog,
  object: InboxObject,
  delta: Extract<DeltaAnswer, { status: 'ok' | 'refused' }>,
  before: Sequenced,
): Promise<Pick<SequencedDelta, 'records' | 'taken' | 'refused'> | undefined> {
  if (delta.status === 'refused') return { refused: delta.reason }
  before.overlay ??= log.overlay.fork()
  const refused = await before.overlay.applyDelta(delta.records, log.end + 1)
  if (refused !== undefined) return { refused }
  if (object.sizeBytes <= limits.inlineDeltaBytes) return { records: delta.records }
  const taken = await copyDelta(env, path, log.end + 1, object, delta.crc32)
  return taken && { taken }
}
