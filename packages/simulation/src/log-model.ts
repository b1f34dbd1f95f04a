/**
 * The records of a collection, computed by plain code that shares nothing with the engine: the log folded in order. It is
 * deliberately slow and short.
 */
import type { RecordOp } from 'siltstone/internal'

export interface ModelRecord {
  vector: readonly number[]
  document: string | null
  metadata: Readonly<Record<string, unknown>> | null
  uri: string | null
}

/** Records in order of first insertion (a Map keeps the place of a key until it is deleted). Immutable. */
export interface ModelState {
  records: ReadonlyMap<string, ModelRecord>
  /** The dimension of the first vector in log order. */
  dimension: number | null
}

export const emptyState: ModelState = { records: new Map(), dimension: null }

/** A record whose vector disagrees with the dimension is refused; the others are applied. */
export function applyRecords(state: ModelState, operations: readonly RecordOp[]): ModelState {
  const records = new Map(state.records)
  let { dimension } = state
  for (const op of operations) {
    if (op.vector === null && (op.op === 'add' || op.op === 'upsert')) continue
    if (op.vector !== null) {
      dimension ??= op.vector.length
      if (op.vector.length !== dimension) continue
    }
    const old = records.get(op.id)
    if (op.op === 'delete') records.delete(op.id)
    else if (old === undefined) {
      if (op.op !== 'update') records.set(op.id, merged({ vector: [], document: null, metadata: null, uri: null }, op))
    } else if (op.op !== 'add') records.set(op.id, merged(old, op))
  }
  return { records, dimension }
}

/** A delta with any vector that disagrees with the collection is refused as a whole. */
export function applyDelta(state: ModelState, operations: readonly RecordOp[]): ModelState {
  return deltaFits(state, operations) ? applyRecords(state, operations) : state
}

export function deltaFits(state: ModelState, operations: readonly RecordOp[]): boolean {
  let { dimension } = state
  for (const { vector } of operations) {
    if (vector === null) continue
    dimension ??= vector.length
    if (vector.length !== dimension) return false
  }
  return true
}

function merged(old: ModelRecord, op: RecordOp): ModelRecord {
  return {
    vector: op.vector === null ? old.vector : [...op.vector],
    document: op.document ?? old.document,
    metadata: mergedMetadata(old.metadata, op.metadata),
    uri: op.uri ?? old.uri,
  }
}

function mergedMetadata(old: ModelRecord['metadata'], patch: string | null): ModelRecord['metadata'] {
  if (patch === null) return old
  const result: Record<string, unknown> = { ...old }
  for (const [name, value] of Object.entries(JSON.parse(patch) as object)) {
    if (value === null) delete result[name]
    else result[name] = value
  }
  return Object.keys(result).length === 0 ? null : result
}

export interface Row {
  id: string
  vector: Iterable<number> | null | undefined
  document: string | null | undefined
  metadata: Readonly<Record<string, unknown>> | null
  uri: string | null | undefined
}

/** One line per record: two states are equal if their lines are equal. */
export function lineOf({ id, vector, document, metadata, uri }: Row): string {
  const pairs = metadata === null ? null : Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([id, [...(vector ?? [])], document ?? null, pairs, uri ?? null])
}

const lines = new WeakMap<ModelState, string[]>()

export function linesOf(state: ModelState): string[] {
  let known = lines.get(state)
  if (!known) {
    known = [...state.records].map(([id, record]) => lineOf({ id, ...record }))
    lines.set(state, known)
  }
  return known
}

/** Records with this metadata value, in order of insertion. */
export function idsWhere(state: ModelState, name: string, value: number): string[] {
  return [...state.records].filter(([, { metadata }]) => metadata?.[name] === value).map(([id]) => id)
}
