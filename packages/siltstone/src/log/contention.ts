/**
 * What one writer knows of its competitors for a log: whether there are any, how long a put takes, and whether the next
 * number is its turn. All of it is a hint for saving requests and time; the create-if-absent of an entry decides.
 */
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'

/** After a lost race, a writer hands its next groups over for this long, without trying to append itself. */
const CONTENDED_MS = 2_000
/** After an entry of another writer, the inbox is looked at for this long, in a collection without bare producers too. */
const SUSPECTED_MS = 60_000
const SMOOTHING = 0.2
const FIRST_GUESS_MS = 20
const LONGEST_PUT_MS = 500

/** A number of the log that an entry left to this writer. */
export interface Turn {
  number: number
  /** On the monotonic clock. */
  untilMs: number
}

export class Contention {
  readonly #clock: Clock
  readonly #random: Random
  #contendedUntilMs = Number.NEGATIVE_INFINITY
  #suspectedUntilMs = Number.NEGATIVE_INFINITY
  #putMs = FIRST_GUESS_MS
  #turn: Turn | undefined

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  get isContended(): boolean {
    return this.#clock.monotonicMs() < this.#contendedUntilMs
  }

  /** A race was lost, or another writer has handed something over. */
  meet(): void {
    this.#contendedUntilMs = this.#clock.monotonicMs() + CONTENDED_MS
    this.suspect()
  }

  /** An entry of another writer was seen. */
  suspect(): void {
    this.#suspectedUntilMs = this.#clock.monotonicMs() + SUSPECTED_MS
  }

  /** Whether other writers may have handed something over. */
  get isSuspected(): boolean {
    return this.#clock.monotonicMs() < this.#suspectedUntilMs
  }

  /** Nothing of another writer was waiting. */
  alone(): void {
    this.#contendedUntilMs = Number.NEGATIVE_INFINITY
  }

  get putMs(): number {
    return this.#putMs
  }

  /** A put took this long; it says nothing if the process was suspended at that time, so it is cut. */
  measured(putMs: number): void {
    this.#putMs += SMOOTHING * (Math.min(Math.max(1, putMs), 4 * this.#putMs, LONGEST_PUT_MS) - this.#putMs)
  }

  /** How long to wait for any new entry before appending oneself: 8 to 16 puts, drawn each time. */
  patienceMs(): number {
    return (8 + 8 * this.#random.next()) * this.#putMs
  }

  /**
   * A pause of two to four puts, in which an entry can be made: a listing, a round of reads and a put. Then twice one to two:
   * a writer that sees the entry late misses the next one too, and everybody waits longer than its look costs. One that still
   * waits is one of many, whose looks together would slow down those that write: its pauses grow to four to eight.
   */
  pauseMs(looks: number): number {
    const puts = looks === 0 ? 4 : Math.min(8, 2 ** Math.max(1, looks - 1))
    return puts * (0.5 + 0.5 * this.#random.next()) * this.#putMs
  }

  /** An entry leaves the numbers after it to these writers, in order. */
  offer(number: number, turns: readonly string[], name: string): void {
    const at = turns.indexOf(name)
    if (at < 0) return
    this.#turn = { number: number + 1 + at, untilMs: this.#clock.monotonicMs() + CONTENDED_MS }
  }

  /** The turn that was offered, once. */
  takeTurn(): Turn | undefined {
    const turn = this.#turn
    this.#turn = undefined
    return turn && this.#clock.monotonicMs() < turn.untilMs ? turn : undefined
  }
}
