/**
 * What one operation does to one record: the meaning of the log, free of storage. Readers, the fold, the tests' model
 * and the migration all apply operations through `applyOp`.
 *
 * - add: creates a missing record, ignores an existing one
 * - upsert: creates a missing record, updates an existing one
 * - update: replaces vector, document and URI where given, merges metadata key by key; ignores a missing record
 * - delete: removes the record; ignores a missing one
 *
 * Insertion order is the caller's: a record keeps its place until it is removed.
 */
import { composePatches, mergeMetadata, normaliseAdd } from './metadata.ts'
import type { RecordOp } from '../model/record.ts'
import type { KeptOp, StoredVector } from './stored-vector.ts'

/** A live record whose columns are all known. `metadata` is exact JSON text, never `{}`. */
export interface RecordState {
  vector: Float32Array | null
  document: string | null
  metadata: string | null
  uri: string | null
}

/** A metadata patch that is not merged yet, because the metadata below it has not been read. */
export interface MetadataPatch {
  /** Exact JSON text; null values and empty arrays remove their keys. */
  patch: string
}

/** A live record as changes to a stored row. undefined: the column is the row's, which has not been read. */
export interface RecordChange {
  vector: Float32Array | StoredVector | null | undefined
  document: string | null | undefined
  metadata: string | null | MetadataPatch | undefined
  uri: string | null | undefined
}

/** A stored row that no operation has changed. */
export const STORED_ROW: RecordChange = { vector: undefined, document: undefined, metadata: undefined, uri: undefined }

/**
 * The record after `op`; undefined when it does not exist. Returns `state` itself when the operation is ignored; an
 * update that gives nothing is not ignored.
 */
export function applyOp<S extends RecordChange>(state: S | undefined, op: KeptOp): S | undefined {
  // Complete columns stay complete: `S` is either of the two interfaces.
  return next(state, op) as S | undefined
}

function next(state: RecordChange | undefined, op: KeptOp): RecordChange | undefined {
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

/** The metadata of a changed record, given the metadata of its row. */
export function metadataOver(stored: string | null, metadata: RecordChange['metadata']): string | null {
  if (metadata === undefined) return stored
  return isPatch(metadata) ? mergeMetadata(stored, metadata.patch) : metadata
}

export function isPatch(metadata: RecordChange['metadata']): metadata is MetadataPatch {
  return typeof metadata === 'object' && metadata !== null
}

function created(op: KeptOp): RecordChange {
  return { vector: op.vector, document: op.document, metadata: normaliseAdd(op.metadata), uri: op.uri }
}

function changed(state: RecordChange, op: KeptOp): RecordChange {
  return {
    vector: op.vector ?? state.vector,
    document: op.document ?? state.document,
    metadata: op.metadata === null ? state.metadata : patched(state.metadata, op.metadata),
    uri: op.uri ?? state.uri,
  }
}

function patched(metadata: RecordChange['metadata'], patch: string): RecordChange['metadata'] {
  if (metadata === undefined) return { patch }
  return isPatch(metadata) ? { patch: composePatches(metadata.patch, patch) } : mergeMetadata(metadata, patch)
}

/**
 * Chroma's rule for an id that occurs more than once in one request: the first add wins (as log order gives), and the
 * last upsert wins whole, without merging the earlier ones. Updates, deletes and mixed batches are left to log order.
 * @returns `operations` itself when there is nothing to drop
 */
export function dedupeBatch(operations: readonly RecordOp[]): readonly RecordOp[] {
  const kind = operations[0]?.op
  if ((kind !== 'add' && kind !== 'upsert') || operations.some((op) => op.op !== kind)) return operations
  const kept = new Map<string, RecordOp>()
  // A Map keeps the place of the first mention: that is the order in which new ids are inserted.
  for (const op of operations) if (kind === 'upsert' || !kept.has(op.id)) kept.set(op.id, op)
  return kept.size === operations.length ? operations : [...kept.values()]
}
