/**
 * Both channels of an answer. Some clients show a model only `structuredContent`, others only the text, so each says
 * everything. Stored text is data that anybody may have written: it stands in JSON quotes, with the id of its record.
 */
import type { CallToolResult } from '@modelcontextprotocol/server'
import { metadataToPlain } from 'siltstone/internal'

export function answer(structured: Record<string, unknown>, lines: readonly (string | undefined)[]): CallToolResult {
  return {
    content: [{ type: 'text', text: lines.filter((line) => line !== undefined).join('\n') }],
    structuredContent: structured,
  }
}

export interface Clipped {
  text: string
  truncated: boolean
}

/** Cuts between characters, never within a surrogate pair. */
export function clip(text: string, chars: number): Clipped {
  if (text.length <= chars) return { text, truncated: false }
  let end = chars
  const last = text.charCodeAt(end - 1)
  if (last >= 0xd800 && last < 0xdc00) end--
  return { text: text.slice(0, end), truncated: true }
}

export function quote(text: string): string {
  return JSON.stringify(text)
}

/** Metadata for JSON: integers that no number holds become strings of digits. */
export function plainMetadata(text: string | null): Record<string, unknown> | null {
  const plain = metadataToPlain(text)
  return plain === null ? null : (jsonable(plain) as Record<string, unknown>)
}

export function jsonable(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value)) return value.map(jsonable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonable(item)]))
}

const CLIPPED_TEXT = 60
const CLIPPED_LIST = 4

/** The first keys of a record's metadata that fit, with long values cut. `truncated`: `get` shows more. */
export function clipMetadata(
  metadata: Record<string, unknown> | null,
  bytes: number,
): { metadata: Record<string, unknown> | null; truncated: boolean } {
  if (metadata === null) return { metadata, truncated: false }
  let left = bytes
  let truncated = false
  const kept: [string, unknown][] = []
  for (const [key, value] of Object.entries(metadata)) {
    const short = clipValue(value)
    const size = JSON.stringify([key, short]).length
    if (size > left) {
      truncated = true
      continue
    }
    left -= size
    truncated ||= short !== value
    kept.push([key, short])
  }
  return { metadata: Object.fromEntries(kept), truncated }
}

function clipValue(value: unknown): unknown {
  if (typeof value === 'string' && value.length > CLIPPED_TEXT) return `${clip(value, CLIPPED_TEXT).text}…`
  if (Array.isArray(value) && value.length > CLIPPED_LIST) return [...value.slice(0, CLIPPED_LIST), '…']
  return value
}

export function metadataText(metadata: Record<string, unknown> | null): string {
  return metadata === null || Object.keys(metadata).length === 0 ? '' : ` ${JSON.stringify(metadata)}`
}
