/** A writer of large records, some of which are refused: those must leave no trace, and the others must remain. */
import { Chance } from '../processes/chance.ts'
import { Refused } from '../processes/process.ts'
import type { Actor } from './actors.ts'
import { apply, type Operation, type Record, type State, textOf } from './writer-model.ts'
import { Violation } from './rounds.ts'

export class Probe {
  readonly name: string
  readonly refused: Refused[] = []
  acknowledged = 0
  readonly #actor: Actor
  readonly #chance = new Chance(7)
  #state: State = new Map()
  #stamp = 0

  constructor(name: string, actor: Actor) {
    this.name = name
    this.#actor = actor
  }

  /** @throws Violation if one is refused */
  async mustWrite(times: number): Promise<void> {
    const before = this.refused.length
    await this.mayWrite(times, 200)
    const last = this.refused.at(-1)
    if (last && this.refused.length > before) throw new Violation(`${this.name} was refused: ${last.message}`)
  }

  /** @param bytes the approximate size of a document */
  async mayWrite(times: number, bytes: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      const operation = this.#operation(bytes)
      try {
        await this.#actor.perform(operation)
        this.#state = apply(this.#state, operation).state
        this.acknowledged++
      } catch (error) {
        // A full disk may be noticed after the object became visible, and the outcome is then `unknown`. That does not happen here.
        if (!(error instanceof Refused)) throw error
        this.refused.push(error)
      }
    }
  }

  async checkReads(): Promise<void> {
    this.check(await this.#actor.records(), this.name)
  }

  check(records: readonly [string, Record][], who: string): void {
    const mine = textOf(new Map(records.filter(([id]) => id.startsWith(`${this.name}-`))))
    if (mine !== textOf(this.#state)) throw new Violation(`${who} does not read what ${this.name} wrote`)
  }

  #operation(bytes: number): Operation {
    const stamp = ++this.#stamp
    const ids = [0, 1].map((i) => `${this.name}-${(stamp * 2 + i) % 12}`)
    const records = ids.map((_, i) => ({
      vector: [stamp, i, 1, 0.5],
      // The text is not compressible.
      document: Array.from({ length: bytes / 2 / 8 }, () => this.#chance.below(2 ** 32).toString(16)).join(' '),
      metadata: { writer: this.name, stamp },
    }))
    return { kind: 'upsert', ids, records }
  }
}
