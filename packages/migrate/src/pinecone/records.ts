/** Converts Pinecone's records. */
import { type ExactJson, parseExact, stringifyExact } from 'siltstone/internal'
import type { Skipped, SourceRecord } from '../types.ts'

export interface PineconeRecordOptions {
  /** The metadata key whose text becomes the document. */
  documentKey?: string
  /** The metadata key that receives a sparse vector. Default `sparse_values`. */
  sparseKey?: string
}

export interface PineconeRecord {
  id: string
  values: Float32Array | null
  /** Parsed exactly. */
  metadata: ExactJson | undefined
  sparse: { indices: number[]; values: number[] } | null
}

export function recordFrom(
  { id, values, metadata, sparse }: PineconeRecord,
  { documentKey, sparseKey = 'sparse_values' }: PineconeRecordOptions,
): SourceRecord {
  const entries = new Map<string, unknown>(metadata instanceof Map ? metadata : [])
  const text = documentKey === undefined ? undefined : entries.get(documentKey)
  if (documentKey !== undefined && typeof text === 'string') entries.delete(documentKey)
  for (const [key, value] of entries) if (value === null || isEmptyList(value)) entries.delete(key)
  if (sparse !== null && sparse.indices.length > 0) entries.set(sparseKey, sparseJson(sparse))
  const hasVector = values !== null && values.length > 0
  return {
    id,
    vector: hasVector ? values : null,
    ...(!hasVector && { vectorProblem: 'it has no dense vector' }),
    document: typeof text === 'string' ? text : null,
    metadata: entries.size === 0 ? null : stringifyExact(entries),
    uri: null,
  }
}

export function isSkipped(record: object): record is Skipped {
  return 'kind' in record
}

/**
 * @returns undefined without metadata
 * @throws SyntaxError
 */
export function parseMetadataJson(text: unknown): ExactJson | undefined {
  return typeof text === 'string' && text !== '' ? parseExact(text) : undefined
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

/** Sparse values have ascending indices; Pinecone accepts any order. */
function sparseJson({ indices, values }: { indices: number[]; values: number[] }): Map<string, unknown> {
  const pairs = indices.map((index, i): [number, number] => [index, values[i] as number]).sort((a, b) => a[0] - b[0])
  return new Map<string, unknown>([
    ['#type', 'sparse_vector'],
    ['indices', pairs.map(([index]) => BigInt(index))],
    ['values', pairs.map(([, value]) => value)],
  ])
}
