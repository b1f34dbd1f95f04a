import { logRoot, parseCollectionPath, parseKey } from '../format/keys.ts'

/** The queue's message: a collection may have something to fold. Losing, repeating or reordering it is harmless. */
export interface WakeUp {
  collection: string
  reason: 'entry' | 'delta' | 'continue' | 'schedule'
  /** For people who look at the queue. */
  deltaKey?: string
  itemCount?: number
  timestampMs: number
}

export function encodeWakeUp(message: WakeUp): string {
  return JSON.stringify({
    collection: message.collection,
    reason: message.reason,
    ...(message.deltaKey !== undefined && { delta_key: message.deltaKey }),
    ...(message.itemCount !== undefined && { item_count: message.itemCount }),
    timestamp: message.timestampMs,
  })
}

/** undefined for a foreign message: it cannot be acted on, and it must not block the queue. */
function decodeWakeUp(body: string): WakeUp | undefined {
  try {
    const json: unknown = JSON.parse(body)
    if (typeof json !== 'object' || json === null) return undefined
    const { collection, reason, timestamp } = json as Record<string, unknown>
    if (typeof collection !== 'string') return undefined
    const known = reason === 'delta' || reason === 'continue' || reason === 'schedule' ? reason : 'entry'
    return { collection, reason: known, timestampMs: typeof timestamp === 'number' ? timestamp : 0 }
  } catch {
    return undefined
  }
}

/**
 * The collections that a message wakes. It is a wake-up call of ours, or a notification of S3 about new objects, whose
 * keys are percent-encoded and begin with the store's prefix in its bucket. Any other message, including S3's test
 * message, wakes none.
 */
export function collectionsToWake(body: string): Set<string> {
  const own = decodeWakeUp(body)
  if (own !== undefined) return new Set(parseCollectionPath(own.collection) ? [own.collection] : [])
  const found = new Set<string>()
  for (const key of notifiedKeys(body)) {
    const parsed = parseKey(key.slice(Math.max(0, key.lastIndexOf(logRoot))))
    if (parsed?.kind === 'log-entry' || parsed?.kind === 'inbox') found.add(parsed.path)
  }
  return found
}

function notifiedKeys(body: string): string[] {
  // The queue may hold any message of any sender.
  try {
    const { Records } = (JSON.parse(body) ?? {}) as { Records?: ({ s3?: { object?: { key?: unknown } } } | null)[] }
    if (!Array.isArray(Records)) return []
    return Records.flatMap((record) => {
      const key = record?.s3?.object?.key
      return typeof key === 'string' ? [decodeURIComponent(key.replaceAll('+', ' '))] : []
    })
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof URIError) return []
    throw error
  }
}
