/** The queue's message: a collection may have something to fold. Losing, repeating or reordering it is harmless. */
export interface WakeUp {
  collection: string
  reason: 'entry' | 'delta' | 'continue' | 'schedule'
  /** The seeds' fields, for people who look at the queue. */
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

/** undefined when the message is not one of ours: it cannot be acted on and must not block the queue. */
export function decodeWakeUp(body: string): WakeUp | undefined {
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
