/**
 * The simplest possible collection: a Map of records in insertion order, and the list of all writes, replayed from its
 * start for each old state. It is deliberately slow and short, because engines are compared with it.
 */
import type { Space } from '../model/collection.ts'
import { applyOp, type RecordState } from '../records/apply.ts'
import type { RecordOp } from '../model/record.ts'

export interface ModelState {
  /** In order of first insertion: a Map keeps the place of a key until it is deleted. */
  records: Map<string, RecordState>
  dimension: number | null
}

/** Entry n of the log is element n − 1. */
export type ModelEntry = { kind: 'records'; operations: readonly RecordOp[] } | { kind: 'reset'; version: number }

export function emptyState(): ModelState {
  return { records: new Map(), dimension: null }
}

export function copyState(state: ModelState): ModelState {
  return { records: new Map(state.records), dimension: state.dimension }
}

export function applyOperations(state: ModelState, operations: readonly RecordOp[]): void {
  for (const op of operations) {
    if (op.vector !== null) state.dimension ??= op.vector.length
    const after = applyOp(state.records.get(op.id), op)
    if (after === undefined) state.records.delete(op.id)
    else state.records.set(op.id, after)
  }
}

/** The state directly after entry `version`. */
export function replay(base: ModelState, log: readonly ModelEntry[], version: number): ModelState {
  let state = copyState(base)
  for (const entry of log.slice(0, version)) {
    if (entry.kind === 'reset') state = replay(base, log, entry.version)
    else applyOperations(state, entry.operations)
  }
  return state
}

/** l2: sum of squares; cosine: 1 − cos, 1 for a zero vector; ip: 1 − dot. */
export function modelDistance(space: Space, a: Float32Array, b: Float32Array): number {
  let dot = 0
  let squares = 0
  let normA = 0
  let normB = 0
  for (const [i, x] of a.entries()) {
    const y = b[i] ?? Number.NaN
    dot += x * y
    squares += (x - y) * (x - y)
    normA += x * x
    normB += y * y
  }
  if (space === 'l2') return squares
  if (space === 'ip') return 1 - dot
  return normA === 0 || normB === 0 ? 1 : Math.max(0, 1 - dot / (Math.sqrt(normA) * Math.sqrt(normB)))
}
