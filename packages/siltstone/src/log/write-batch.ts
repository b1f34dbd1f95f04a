/**
 * The batch of one group of writes: the state that its requests are evaluated at, and what they add to it. Later
 * requests of the group see what earlier ones write.
 */
import type { SequencedDelta } from '../format/entry.ts'
import { inboxKey } from '../format/keys.ts'
import type { RecordOp } from '../model/record.ts'
import type { CollectionState, Locked } from './collection-state.ts'
import type { InboxObject } from './listing.ts'
import type { LogOverlay } from './log-overlay.ts'
import { type Stamp, stampNow } from './stamp.ts'
import type { SyncedLog } from './synced-log.ts'
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
  /** The state after them; undefined when they do not change the state. */
  overlay: LogOverlay | undefined
  /** The inbox holds more than one entry may sequence. */
  isPartial: boolean
}

export class WriteBatch implements EvaluationState {
  /** Number of the entry after which the batch's entry comes. */
  readonly version: number
  readonly sequenced: SequencedDelta[]
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

  private constructor(state: CollectionState, { log, views }: Locked, { deltas, overlay, isPartial }: Sequenced) {
    this.version = log.end
    this.sequenced = deltas
    this.isPartial = isPartial
    this.sealed = stampNow(state.env.clock)
    this.knowledge = log.knowledge ?? this.sealed
    this.#state = state
    this.#base = views.sequenced()
    this.#overlay = overlay
    this.dimension = (overlay ?? log.overlay).dimension
  }

  /** @param inbox the deltas that no entry has sequenced, in the order in which they are to be applied */
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
async function sequence(
  { path, limits, deltas }: CollectionState,
  log: SyncedLog,
  inbox: readonly InboxObject[],
): Promise<Sequenced> {
  const sequenced: SequencedDelta[] = []
  let overlay: LogOverlay | undefined
  let bytes = 0
  let isPartial = false
  for (const { ulid, etag, sizeBytes } of inbox) {
    const counted = Math.min(sizeBytes, limits.deltaBytes)
    const isFull = sequenced.length > 0 && bytes + counted > limits.sequencedBytes
    if (isFull || sequenced.length >= limits.sequencedDeltas) {
      // step: rest-of-the-inbox-comes-first
      isPartial = true
      break
    }
    const delta = await deltas.get(ulid, etag, sizeBytes)
    if (delta.status === 'gone' || delta.status === 'changed') continue
    overlay ??= log.overlay.fork()
    if (delta.status === 'ok') await overlay.applyDelta(delta.records, log.end + 1)
    sequenced.push({ key: inboxKey(path, ulid), etag, sizeBytes })
    bytes += counted
  }
  return { deltas: sequenced, overlay, isPartial }
}
