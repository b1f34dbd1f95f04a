import { parseMetadata } from './metadata.ts'
import type { Metadata, MetadataValue } from '../model/record.ts'

/**
 * Metadata for comparing only: numbers compare by value whatever their kind, so the engine's own JSON parser will do,
 * several times faster, unless an integer has more digits than a double holds.
 */
export function parseForFilter(text: string): Metadata {
  if (/\d{16}/.test(text)) return parseMetadata(text)
  return new Map(Object.entries(JSON.parse(text) as Record<string, MetadataValue>))
}
