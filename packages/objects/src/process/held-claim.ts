/** A claim on a key while its owner works: extended by heartbeats, ended once. Its writes follow one another. */
import type { Clock } from 'siltstone/internal'
import { AFTER_PROCESSOR } from './decide.ts'
import type { JobSlots } from './job-slots.ts'
import type { ObjectState } from './state.ts'
import type { ReadState, StateStore } from './state-store.ts'

/** Another worker has taken the key over, or somebody asked for it to be processed again. */
export class ClaimLost extends Error {
  override readonly name = 'ClaimLost'
  constructor() {
    super('the claim on the object was lost')
  }
}

export class HeldClaim {
  readonly id: string
  /** Whether the claim before may still write. */
  readonly mustFence: boolean
  readonly #states: StateStore
  readonly #clock: Clock
  readonly #leaseMs: number
  #read: ReadState
  #remembered: Partial<ObjectState> = {}
  #last: Promise<unknown> = Promise.resolve()
  #isLost = false

  constructor(read: ReadState, states: StateStore, clock: Clock, leaseMs: number) {
    this.#read = read
    this.#states = states
    this.#clock = clock
    this.#leaseMs = leaseMs
    this.id = read.state.claim?.id ?? ''
    this.mustFence = read.state.mustFence
  }

  get state(): ObjectState {
    return this.#read.state
  }

  /** Asks the store whether the claim holds. @throws ClaimLost */
  readonly check = async (): Promise<void> => {
    const { bucket, key } = this.state
    const now = await this.#states.read(bucket, key)
    if (now?.state.claim?.id !== this.id) this.#isLost = true
    if (this.#isLost) throw new ClaimLost()
  }

  /** Extends the lease when a third of it is over, and notes the step. @throws ClaimLost */
  async beat(step: string): Promise<void> {
    const { claim } = this.state
    if (claim === null || this.#isLost) throw new ClaimLost()
    const leftMs = claim.leaseUntilMs - this.#clock.nowMs()
    if (leftMs < (this.#leaseMs * 2) / 3) await this.note({}, step)
  }

  /** Changes the state, and extends the lease. @throws ClaimLost */
  async note(change: Partial<ObjectState>, step?: string): Promise<void> {
    await this.#write(({ claim, ...state }) => ({
      ...state,
      ...change,
      claim: claim && { ...claim, step: step ?? claim.step, leaseUntilMs: this.#clock.nowMs() + this.#leaseMs },
    }))
  }

  /** @throws ClaimLost, what the work throws */
  async inTurn<T>(work: () => Promise<T>, heartbeat: (step: string) => Promise<void>, jobs?: JobSlots): Promise<T> {
    const noted = () => this.#noted(work)
    return jobs === undefined ? noted() : jobs.run(noted, () => heartbeat('waits'))
  }

  /** Of a key whose claim was lost before, the state says whether its processor is at work. */
  async #noted<T>(work: () => Promise<T>): Promise<T> {
    if (this.state.lost > 0) await this.note({}, 'process')
    const result = await work()
    if (this.state.lost > 0) await this.note({}, AFTER_PROCESSOR)
    return result
  }

  /** Becomes part of the next write of the state. */
  remember(change: Partial<ObjectState>): void {
    this.#remembered = { ...this.#remembered, ...change }
  }

  /** Says that the object's records are not those of one run from now on. @throws ClaimLost */
  readonly notWhole = async (): Promise<void> => {
    if (this.state.isWhole) await this.note({ isWhole: false })
  }

  /** All writes of the claim have ended. @throws ClaimLost */
  async end(change: Partial<ObjectState>): Promise<void> {
    await this.#write((state) => ({ ...state, ...change, claim: null, mustFence: false }))
  }

  #write(change: (state: ObjectState) => ObjectState): Promise<void> {
    const written = this.#last.then(async () => {
      if (this.#isLost) throw new ClaimLost()
      const state = { ...change({ ...this.state, ...this.#remembered }), changedAtMs: this.#clock.nowMs() }
      const read = await this.#states.write(state, this.#read)
      if (read === undefined) {
        this.#isLost = true
        throw new ClaimLost()
      }
      this.#read = read
    })
    this.#last = written.catch(() => undefined)
    return written
  }
}
