/** Compares two records field by field. */
import { parseMetadata, type RecordState, stringifyExact } from 'siltstone/internal'

export type RecordField = 'vector' | 'document' | 'metadata' | 'uri'

/** Relative to the largest component: Chroma returns normalised vectors with a changed last digit. */
const TOLERANCE = 1e-6

/** The fields that differ. */
export function differingFields(a: RecordState, b: RecordState): RecordField[] {
  const fields: RecordField[] = []
  if (!sameVector(a.vector, b.vector)) fields.push('vector')
  if (a.document !== b.document) fields.push('document')
  if (!sameMetadata(a.metadata, b.metadata)) fields.push('metadata')
  if (a.uri !== b.uri) fields.push('uri')
  return fields
}

function sameVector(a: Float32Array | null, b: Float32Array | null): boolean {
  if (a === null || b === null) return a === b
  if (a.length !== b.length) return false
  let largest = 0
  let maxDifference = 0
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number]
    if (x === y) continue
    largest = Math.max(largest, Math.abs(x), Math.abs(y))
    maxDifference = Math.max(maxDifference, Math.abs(x - y))
  }
  if (maxDifference === 0) return true
  for (const x of a) largest = Math.max(largest, Math.abs(x))
  return maxDifference <= largest * TOLERANCE
}

/** The order of keys is irrelevant; `1` and `1.0` are different values. */
function sameMetadata(a: string | null, b: string | null): boolean {
  return a === b || canonical(a) === canonical(b)
}

function canonical(text: string | null): string {
  if (text === null) return ''
  const entries = [...parseMetadata(text)].filter(([, value]) => !Array.isArray(value) || value.length > 0)
  if (entries.length === 0) return ''
  return stringifyExact(new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1))))
}
