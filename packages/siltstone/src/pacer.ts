/** Lets other requests and timers run. Long work awaits it between two slices. */
export type Pause = () => Promise<void>

/** Counts work in any unit, and pauses each time that a slice of it is done, so that short work never pauses. */
export class Pacer {
  readonly #slice: number
  readonly #pause: Pause
  #spent = 0

  /** @param slice units of work between two pauses */
  constructor(slice: number, pause: Pause) {
    this.#slice = slice
    this.#pause = pause
  }

  /** @returns a promise to wait for when a pause is due; undefined otherwise */
  spend(units: number): Promise<void> | undefined {
    this.#spent += units
    if (this.#spent < this.#slice) return undefined
    this.#spent = 0
    return this.#pause()
  }
}
