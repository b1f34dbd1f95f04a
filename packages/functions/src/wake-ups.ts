/** What wakes the compactor: messages, the schedule, or a person. */
import type { SQSEvent } from 'aws-lambda'
import { collectionsToWake } from 'siltstone/internal'

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
export function messagesByCollection(event: SQSEvent): Map<string, string[]> {
  const byPath = new Map<string, string[]>()
  for (const { messageId, body } of event.Records)
    for (const path of collectionsToWake(body)) byPath.set(path, [...(byPath.get(path) ?? []), messageId])
  return byPath
}
