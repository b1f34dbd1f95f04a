/**
 * The expected records of one writer: its operations applied in order by plain code. Writers use different ids, so the
 * order between writers does not matter. An operation whose process was killed is applied entirely or not at all.
 */
import type { Chance } from '../processes/chance.ts'

export interface Record {
  vector: number[]
  document: string
  metadata: { [key: string]: string | number }
}
export type State = ReadonlyMap<string, Record>

export type Operation =
  | { kind: 'add' | 'upsert'; ids: string[]; records: Record[] }
  | { kind: 'update'; ids: string[]; metadata: { [key: string]: string | number } }
  | { kind: 'delete'; ids: string[] }
  | { kind: 'delete-where'; writer: string; group: number; limit: number }

export interface Applied {
  state: State
  /** For `delete-where`: the most records to delete. */
  deleted: number
}

export function apply(state: State, operation: Operation): Applied {
  const next = new Map(state)
  let deleted = 0
  switch (operation.kind) {
    case 'add':
    case 'upsert':
      operation.ids.forEach((id, i) => {
        const record = operation.records[i] as Record
        const old = next.get(id)
        if (old === undefined) next.set(id, record)
        else if (operation.kind === 'upsert')
          next.set(id, { ...record, metadata: { ...old.metadata, ...record.metadata } })
      })
      break
    case 'update':
      for (const id of operation.ids) {
        const old = next.get(id)
        if (old) next.set(id, { ...old, metadata: { ...old.metadata, ...operation.metadata } })
      }
      break
    case 'delete':
      for (const id of operation.ids) deleted += next.delete(id) ? 1 : 0
      break
    case 'delete-where':
      for (const [id, { metadata }] of state) {
        if (deleted >= operation.limit) break
        if (metadata['group'] === operation.group && next.delete(id)) deleted++
      }
  }
  return { state: next, deleted }
}

/** Records in order of insertion, with exact numbers. */
export function textOf(state: State): string {
  return JSON.stringify(
    [...state].map(([id, { vector, document, metadata }]) => [
      id,
      vector,
      document,
      Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)),
    ]),
  )
}

const IDS = 40
const GROUPS = 5

/** A random operation on the writer's ids; `stamp` makes its values unique. */
export function randomOperation(writer: string, stamp: number, chance: Chance): Operation {
  const count = 1 + chance.below(12)
  const first = chance.below(IDS)
  const ids = Array.from({ length: count }, (_, i) => `${writer}-${(first + i) % IDS}`)
  const roll = chance.next()
  if (roll < 0.5) {
    const kind = roll < 0.12 ? 'add' : 'upsert'
    const records = ids.map((_, i) => ({
      vector: [stamp, i, 1, 0.5],
      document: `document ${stamp} of ${writer}, ${'x'.repeat(chance.below(200))}`,
      metadata: { writer, stamp, group: chance.below(GROUPS), [`key-${chance.below(3)}`]: stamp },
    }))
    return { kind, ids, records }
  }
  if (roll < 0.75) return { kind: 'update', ids, metadata: { touched: stamp, [`key-${chance.below(3)}`]: 'updated' } }
  if (roll < 0.9) return { kind: 'delete', ids: ids.slice(0, 4) }
  return { kind: 'delete-where', writer, group: chance.below(GROUPS), limit: 1 + chance.below(8) }
}
