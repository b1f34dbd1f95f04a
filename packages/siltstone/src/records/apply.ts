/**
 * What one operation does to one record: the meaning of the log, free of storage. Everything that replays entries
 * (readers, compaction, the tests' model) must agree with `applyOp`.
 *
 * - add: sets a missing record, ignores an existing one
 * - upsert: sets a missing record; for an existing one it behaves like update
 * - update: replaces vector, document and uri where given, merges metadata key by key; ignores a missing record
 * - delete: removes
 *
 * Insertion order is the caller's: a record keeps its place until it is removed.
 */
import { mergeMetadata, normaliseAdd } from './metadata.ts'
import type { RecordOp } from '../model/record.ts'

/** A live record. `metadata` is exact JSON text, never `{}`. */
export interface RecordState {
  vector: Float32Array | null
  document: string | null
  metadata: string | null
  uri: string | null
}

/** The record after `op`; undefined = there is none. Returns `state` itself when nothing changes. */
export function applyOp(state: RecordState | undefined, op: RecordOp): RecordState | undefined {
  switch (op.op) {
    case 'delete':
      return undefined
    case 'add':
      return state ?? created(op)
    case 'upsert':
      return state === undefined ? created(op) : changed(state, op)
    case 'update':
      return state === undefined ? undefined : changed(state, op)
  }
}

function created(op: RecordOp): RecordState {
  return { vector: op.vector, document: op.document, metadata: normaliseAdd(op.metadata), uri: op.uri }
}

function changed(state: RecordState, op: RecordOp): RecordState {
  return {
    vector: op.vector ?? state.vector,
    document: op.document ?? state.document,
    metadata: mergeMetadata(state.metadata, op.metadata),
    uri: op.uri ?? state.uri,
  }
}

/**
 * Chroma's rule for an id that comes twice in one request: the first add wins (which log order gives anyway), the
 * last upsert wins whole, without merging the earlier ones. Updates and deletes, and batches that mix kinds, are left
 * to log order. Returns `operations` itself when there is nothing to drop.
 */
export function dedupeBatch(operations: readonly RecordOp[]): readonly RecordOp[] {
  const kind = operations[0]?.op
  if ((kind !== 'add' && kind !== 'upsert') || operations.some((op) => op.op !== kind)) return operations
  const kept = new Map<string, RecordOp>()
  // A Map keeps the place of the first mention: that is the order in which new ids are inserted.
  for (const op of operations) if (kind === 'upsert' || !kept.has(op.id)) kept.set(op.id, op)
  return kept.size === operations.length ? operations : [...kept.values()]
}
