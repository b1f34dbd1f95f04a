/**
 * One record operation, the unit of deltas and log entries. Semantics are Chroma's, applied in log order:
 * `add` ignores an existing id, `update` a missing one; `update` and `upsert` merge metadata key by key; `delete` removes.
 */
export type Op = 'add' | 'upsert' | 'update' | 'delete'

export interface RecordOp {
  op: Op
  /** Not empty. */
  id: string
  /** Length = the collection's dimension. Required for add and upsert, optional for update, null for delete. */
  vector: Float32Array | null
  /** null keeps the stored document (update, upsert) or means that there is none (add). */
  document: string | null
  /**
   * Exact JSON text of an object (see `records/exact-json.ts`: `1` is an integer, `1.0` a float), or null.
   * In update and upsert it is a patch: a null value or an empty array removes its key. In add it has neither.
   */
  metadata: string | null
  uri: string | null
}

/** Parsed metadata. Integers (64-bit) are bigint and floats are number, so the difference is kept. */
export type MetadataScalar = string | boolean | bigint | number
export interface SparseVector {
  indices: number[]
  values: number[]
  tokens?: string[]
}
export type MetadataValue = MetadataScalar | MetadataScalar[] | SparseVector
export type Metadata = Map<string, MetadataValue>
