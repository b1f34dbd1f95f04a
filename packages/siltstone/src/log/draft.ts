/** The state that a group of writes is evaluated at, and what the group adds to it. */
import type { SequencedDelta } from '../format/entry.ts'
import type { RecordOp } from '../model/record.ts'
import type { CollectionState, Stamp } from './collection-state.ts'
import type { LogOverlay } from './log-overlay.ts'
import { View } from './view.ts'

/** The state at which a request is evaluated: everything before it in the log, its own group included. */
export interface EvaluationState {
  readonly version: number
  readonly dimension: number | null
  /** A view of that state; made only when it is asked for. */
  view(): Promise<View>
}

/** What an entry takes from the inbox. */
export interface Sequencing {
  sequenced: SequencedDelta[]
  /** The state after it; undefined when nothing of it changes the state. */
  overlay: LogOverlay | undefined
  /** There is more in the inbox than one entry may sequence. */
  isPartial: boolean
}

export class Draft implements EvaluationState {
  readonly version: number
  readonly sequenced: SequencedDelta[]
  /** No request may be evaluated here: more of the inbox comes before it. */
  readonly isPartial: boolean
  readonly knowledge: Stamp
  readonly sealed: Stamp
  readonly #state: CollectionState
  readonly #unapplied: (readonly RecordOp[])[] = []
  readonly #base: View
  #overlay: LogOverlay | undefined
  dimension: number | null

  constructor(state: CollectionState, { sequenced, overlay, isPartial }: Sequencing) {
    this.isPartial = isPartial
    this.#state = state
    this.version = state.end
    this.sequenced = sequenced
    this.sealed = state.stamp()
    this.knowledge = state.knowledge ?? this.sealed
    this.#base = state.sequencedView()
    this.#overlay = overlay
    this.dimension = overlay ? overlay.dimension : state.overlay.dimension
  }

  /** Of the snapshot below. */
  get manifestKey(): string | null {
    return this.#base.manifestKey
  }

  add(records: readonly RecordOp[]): void {
    for (const { vector } of records) if (vector) this.dimension ??= vector.length
    this.#unapplied.push(records)
  }

  async view(): Promise<View> {
    this.#overlay ??= await this.#state.run(async () => {
      if (this.#state.end !== this.version || this.#state.overlay !== this.#base.overlay.state) throw new StateMoved()
      return this.#state.overlay.fork()
    })
    // One that fails (its rows could not be looked up) is applied for whoever asks next: nothing may be left out.
    for (let [records] = this.#unapplied; records; [records] = this.#unapplied) {
      await this.#overlay.apply(records, this.version + 1)
      this.#unapplied.shift()
    }
    return new View({
      version: this.version,
      manifestKey: this.#base.manifestKey,
      manifest: this.#base.manifest,
      overlay: this.#overlay.view(),
      unsequenced: [],
    })
  }
}

/** Somebody's entry or snapshot arrived while the group was evaluated: evaluate again. */
export class StateMoved extends Error {}
