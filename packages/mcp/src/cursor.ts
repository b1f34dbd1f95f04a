/** Opaque positions in an answer that is read page by page. */
import { invalid } from 'siltstone/internal'

export function encodeCursor(position: Record<string, unknown>): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

/** @throws SiltstoneError `invalid` (bad-cursor) */
export function decodeCursor(cursor: string): Record<string, unknown> {
  try {
    const position = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown
    if (typeof position === 'object' && position !== null) return position as Record<string, unknown>
  } catch {
    // It is reported below.
  }
  throw badCursor()
}

export function whole(position: Record<string, unknown>, name: string): number {
  const value = position[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw badCursor()
}

export function badCursor(): Error {
  return invalid(
    'bad-cursor',
    'The cursor is not one that this tool returned. Leave it out to begin at the first page.',
  )
}
