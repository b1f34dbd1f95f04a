import { parseMetadata } from './metadata.ts'
import type { Metadata, MetadataValue } from '../model/record.ts'

/**
 * Metadata for comparing only. Integers and floats compare by value, so JavaScript's own JSON parser is enough, and
 * several times faster, unless a number is an integer that a double may not hold.
 */
export function parseForFilter(text: string): Metadata {
  const metadata = new Map(Object.entries(JSON.parse(text) as Record<string, MetadataValue>))
  for (const value of metadata.values()) if (mayBeRounded(value)) return parseMetadata(text)
  return metadata
}

/** Sparse vectors hold 32-bit integers, and weights that count as 32-bit floats. */
function mayBeRounded(value: MetadataValue): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value)
  return Array.isArray(value) && value.some(mayBeRounded)
}
