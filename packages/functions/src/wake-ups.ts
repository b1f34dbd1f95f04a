/**
 * What wakes the compactor: our own wake-up calls, S3's notifications of new objects (both through SQS), the schedule,
 * or a person.
 */
import type { SQSEvent } from 'aws-lambda'
import { parseCollectionPath, parseKey } from '../../siltstone/src/format/keys.ts'
import { decodeWakeUp } from '../../siltstone/src/log/wake-up.ts'

/** `collections`: their paths; left out, all that have a log. */
export interface Order {
  source?: 'scheduled' | 'manual'
  action?: 'compact'
  collections?: string[]
}

export type CompactorEvent = SQSEvent | Order

export function isFromQueue(event: CompactorEvent): event is SQSEvent {
  return 'Records' in event && Array.isArray(event.Records)
}

/** The messages of each collection; those that mean nothing to us are of no collection, and dropped. */
export function messagesByCollection(event: SQSEvent, prefix: string): Map<string, string[]> {
  const byPath = new Map<string, string[]>()
  for (const { messageId, body } of event.Records)
    for (const path of collectionsOf(body, prefix)) byPath.set(path, [...(byPath.get(path) ?? []), messageId])
  return byPath
}

/**
 * @param body of a message: ours, or S3's, which names objects by their percent-encoded keys
 * @param prefix of the store in its bucket
 */
export function collectionsOf(body: string, prefix: string): Set<string> {
  const own = decodeWakeUp(body)
  if (own !== undefined) return new Set(parseCollectionPath(own.collection) ? [own.collection] : [])
  const found = new Set<string>()
  for (const key of notifiedKeys(body)) {
    if (!key.startsWith(prefix)) continue
    const parsed = parseKey(key.slice(prefix.length))
    if (parsed?.kind === 'log-entry' || parsed?.kind === 'inbox') found.add(parsed.path)
  }
  return found
}

/** Keys of a notification; none of a message that is something else, S3's test message included. */
function notifiedKeys(body: string): string[] {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
  const { Records } = (json ?? {}) as { Records?: { s3?: { object?: { key?: string } } }[] }
  if (!Array.isArray(Records)) return []
  return Records.flatMap(({ s3 }) => {
    const key = s3?.object?.key
    return key === undefined ? [] : [decodeURIComponent(key.replaceAll('+', ' '))]
  })
}
