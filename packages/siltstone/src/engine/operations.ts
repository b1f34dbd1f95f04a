/** What the writes of a collection need to know of their operations. */
import { invalid } from '../errors.ts'
import type { EvaluationState } from '../log/writer.ts'
import type { RecordOp } from '../model/record.ts'

/** @throws SiltstoneError `invalid` dimension-mismatch */
export function checkDimension(at: EvaluationState, operations: readonly RecordOp[]): void {
  let dimension = at.dimension
  for (const [i, { vector }] of operations.entries()) {
    if (!vector) continue
    dimension ??= vector.length
    if (vector.length !== dimension)
      throw invalid(
        'dimension-mismatch',
        `Collection expecting embedding with dimension of ${dimension}, got ${vector.length}`,
        { field: `embeddings[${i}]` },
      )
  }
}

/** The operation that deletes a record. */
export function deletion(id: string): RecordOp {
  return { op: 'delete', id, vector: null, document: null, metadata: null, uri: null }
}

/** Rough size in bytes of what operations hold, at least 1. */
export function sizeOf(operations: readonly RecordOp[]): number {
  let bytes = 1
  for (const { id, vector, document, metadata } of operations)
    bytes += id.length + (vector ? vector.byteLength : 0) + (document?.length ?? 0) + (metadata?.length ?? 0) + 32
  return bytes
}
