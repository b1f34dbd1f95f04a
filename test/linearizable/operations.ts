/**
 * The operations of the histories. Records come in groups of three, and each operation concerns one group, so a history
 * can be checked group by group. A record holds what was written to it twice: `stamp` is the number of the operation that
 * added or replaced it, in its vector, its document and its metadata; `touched` that of the last update, in its metadata.
 */
export const GROUP_SIZE = 3
export const ALL: readonly number[] = [0, 1, 2]

/** A record as a read shows it: its place in the group, `stamp`, `touched` (0: not updated since). */
export type Row = [member: number, stamp: number, touched: number]

export type Operation = { group: number } & (
  | { kind: 'add' | 'upsert'; members: readonly number[]; stamp: number }
  | { kind: 'update'; members: readonly number[]; stamp: number }
  | { kind: 'delete'; members: readonly number[] }
  /** Deletes the first `limit` records of the group, in insertion order; only those with `touched` unless it is −1. */
  | { kind: 'delete-where'; touched: number; limit: number }
  | { kind: 'read'; how: 'ids' | 'filter' | 'query' }
)
export type Kind = Operation['kind']

/** `deleted`: of deletes that tell their number. `rows`: of reads, in insertion order unless the read was a query. */
export interface Output {
  deleted?: number
  rows?: Row[]
}

/** A read showed a record that no operation wrote as it is. */
export class Torn extends Error {}

export const idsOf = (group: number, members: readonly number[]): string[] =>
  members.map((member) => `${group}-${member}`)
export const vectorOf = (stamp: number): number[] => [stamp, 1, 0.5, 0]
export const whereOf = (operation: Extract<Operation, { kind: 'delete-where' }>): object => {
  const { group, touched } = operation
  return touched < 0 ? { group } : { $and: [{ group }, { touched }] }
}

export interface Columns {
  ids: string[]
  embeddings: number[][]
  documents: string[]
  metadatas: Record<string, number>[]
}

export function columnsOf(group: number, members: readonly number[], stamp: number): Columns {
  return {
    ids: idsOf(group, members),
    embeddings: members.map(() => vectorOf(stamp)),
    documents: members.map(() => `document ${stamp}`),
    // Every key, so that a write replaces a record as a whole.
    metadatas: members.map(() => ({ group, stamp, touched: 0 })),
  }
}

/** @throws Torn */
export function rowsOf(group: number, columns: Columns): Row[] {
  return columns.ids.map((id, i): Row => {
    const { stamp = -1, touched = -1, group: written } = columns.metadatas[i] ?? {}
    const [member = -1] = ALL.filter((one) => id === `${group}-${one}`)
    const shown = JSON.stringify([columns.embeddings[i], columns.documents[i], written])
    const expected = JSON.stringify([vectorOf(stamp), `document ${stamp}`, group])
    if (member < 0 || shown !== expected || touched < 0)
      throw new Torn(`group ${group}: ${id} is ${shown} with ${JSON.stringify(columns.metadatas[i])}`)
    return [member, stamp, touched]
  })
}
