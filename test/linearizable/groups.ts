/**
 * Which group an operation concerns, and what it does. A few groups are in use at a time, and each for a bounded number of
 * operations, because the work of the checker grows with the operations that are open.
 *
 * Bare producers write only to the odd groups. Until an entry takes a delta, reads show it after the log, and an entry
 * whose writer listed the inbox before the delta arrived comes before it (log/produce.ts). So only the order among
 * concurrent writes changes, and clients see that if the delta depends on the state before it. Therefore, in odd groups,
 * producers write or delete all records of the group, and neither reads nor limits show the order of insertion.
 */
import type { Chance } from '../processes/chance.ts'
import { ALL, GROUP_SIZE, type Operation } from './operations.ts'

const IN_USE = 6
const OPERATIONS_EACH = 100

interface Group {
  group: number
  left: number
  /** Stamps of recent updates, for deletes by filter. */
  touched: number[]
}

export const hasProducers = (group: number): boolean => group % 2 === 1

export class Groups {
  /** Of all operations. */
  used = IN_USE
  readonly #chance: Chance
  readonly #inUse: Group[] = Array.from({ length: IN_USE }, (_, group) => ({
    group,
    left: OPERATIONS_EACH,
    touched: [],
  }))
  #stamp = 0

  constructor(chance: Chance) {
    this.#chance = chance
  }

  next(by: 'client' | 'producer' | 'reader'): Operation {
    const group = this.#pick(by === 'producer')
    const stamp = ++this.#stamp
    if (by === 'reader') return this.#read(group)
    if (by === 'producer')
      return this.#chance.next() < 0.7
        ? { kind: 'upsert', group: group.group, members: ALL, stamp }
        : { kind: 'delete', group: group.group, members: ALL }
    return this.#ofClient(group, stamp)
  }

  #ofClient(from: Group, stamp: number): Operation {
    const chance = this.#chance
    const { group, touched } = from
    const first = chance.below(GROUP_SIZE)
    const members = ALL.map((i) => (first + i) % GROUP_SIZE).slice(0, 1 + chance.below(GROUP_SIZE))
    const roll = chance.next()
    if (roll < 0.45) return this.#read(from)
    if (roll < 0.53) return { kind: 'add', group, members, stamp }
    if (roll < 0.73) return { kind: 'upsert', group, members, stamp }
    if (roll < 0.86) {
      touched.push(stamp)
      return { kind: 'update', group, members, stamp }
    }
    if (roll < 0.93) return { kind: 'delete', group, members: members.slice(0, 2) }
    const which = chance.pick([-1, 0, ...touched.slice(-3)])
    return {
      kind: 'delete-where',
      group,
      touched: which,
      limit: hasProducers(group) ? GROUP_SIZE : 1 + chance.below(2),
    }
  }

  #read({ group }: Group): Operation {
    return { kind: 'read', group, how: this.#chance.pick(['ids', 'filter', 'query'] as const) }
  }

  #pick(forProducer: boolean): Group {
    const able = this.#inUse.filter(({ group }) => !forProducer || hasProducers(group))
    const group = this.#chance.pick(able)
    if (--group.left === 0) {
      // The new one has the same parity.
      const number = this.used + (group.group % 2 === this.used % 2 ? 0 : 1)
      this.#inUse[this.#inUse.indexOf(group)] = { group: number, left: OPERATIONS_EACH, touched: [] }
      this.used = number + 1
    }
    return group
  }
}
