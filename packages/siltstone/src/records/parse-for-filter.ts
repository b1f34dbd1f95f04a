import { parseMetadata } from './metadata.ts'
import type { Metadata, MetadataValue } from '../model/record.ts'

/**
 * Metadata for comparing only. Integers and floats compare by value, so JavaScript's own JSON parser is enough, and
 * several times faster, unless an integer has more digits than a double holds.
 */
export function parseForFilter(text: string): Metadata {
  if (/\d{16}/.test(text)) return parseMetadata(text)
  return new Map(Object.entries(JSON.parse(text) as Record<string, MetadataValue>))
}
