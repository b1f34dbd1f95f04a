/** What wakes the compactor: messages, the schedule, or a person. */
import type { SQSEvent } from 'aws-lambda'
import { collectionsToWake } from 'siltstone/internal'

/** `collections` are paths; without it, all collections with a log. */
export interface Order {
  source?: 'scheduled' | 'manual'
  action?: 'compact'
  collections?: string[]
}

export type CompactorEvent = SQSEvent | Order

export function isFromQueue(event: CompactorEvent): event is SQSEvent {
  return 'Records' in event && Array.isArray(event.Records)
}

/** The messages of each collection. Unknown messages belong to no collection, and are dropped. */
export function messagesByCollection(event: SQSEvent): Map<string, string[]> {
  const byPath = new Map<string, string[]>()
  for (const { messageId, body } of event.Records)
    for (const path of collectionsToWake(body)) byPath.set(path, [...(byPath.get(path) ?? []), messageId])
  return byPath
}
