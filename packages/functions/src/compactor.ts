/**
 * Folds and merges the collections of its wake-up messages, or on schedule every collection with an unfolded log, and
 * collects garbage that is due.
 *
 * A message that fails is reported alone: the others of its batch are done. A busy lease is not a failure, because the
 * holder sees the mark that this invocation leaves. Before Lambda's time limit the work stops at a safe point. If something
 * was committed by then, one delayed wake-up call for each remaining collection lets the next invocation continue
 * (`Invocation`).
 */
import type { SQSBatchResponse } from 'aws-lambda'
import { type Compacted, Invocation, type StoreEngine } from 'siltstone/internal'
import { deadlineOf, type InvocationDeadline } from './deadline.ts'
import { handler } from './handler.ts'
import { once, openEngine } from './store.ts'
import { type CompactorEvent, isFromQueue, messagesByCollection, type Order } from './wake-ups.ts'

export interface OrderResult {
  compacted: Compacted[]
  collected: number
}

const engineOf = once(() => openEngine({}))

export const handle = handler<CompactorEvent, SQSBatchResponse | OrderResult>(async (event, context) => {
  const engine = await engineOf()
  const deadline = deadlineOf(context, engine.env.clock)
  try {
    return isFromQueue(event)
      ? await serveMessages(engine, messagesByCollection(event), deadline)
      : await serveOrder(engine, event, deadline)
  } finally {
    deadline.cancel()
  }
})
export { handle as handler }

async function serveMessages(
  engine: StoreEngine,
  messages: Map<string, string[]>,
  deadline: InvocationDeadline,
): Promise<SQSBatchResponse> {
  const invocation = invocationOf(engine, deadline)
  const failed: string[] = []
  for (const [path, ids] of messages) if ((await invocation.compact(path)).status === 'failed') failed.push(...ids)
  const { queue, metrics } = engine.env
  metrics.gauge('DeltaQueueDepth', (await queue.depth()).visible)
  return { batchItemFailures: [...new Set(failed)].map((itemIdentifier) => ({ itemIdentifier })) }
}

async function serveOrder(
  engine: StoreEngine,
  { collections }: Order,
  deadline: InvocationDeadline,
): Promise<OrderResult> {
  const { signal } = deadline
  const invocation = invocationOf(engine, deadline)
  const compacted: Compacted[] = []
  for (const path of collections ?? (await engine.collectionsWithLogs())) compacted.push(await invocation.compact(path))
  let collected = 0
  if (collections === undefined && !signal.aborted) {
    try {
      // A damaged collection must not keep the catalog's garbage.
      const [due, catalog] = await Promise.allSettled([engine.collectDue(signal), engine.collectCatalogGarbage()])
      if (due.status === 'rejected') throw due.reason
      if (catalog.status === 'rejected') throw catalog.reason
      collected = due.value.length
    } catch (error) {
      // What is due stays due, so the next run continues.
      if (!signal.aborted) throw error
    }
  }
  return { compacted, collected }
}

function invocationOf({ env, compactor }: StoreEngine, deadline: InvocationDeadline): Invocation {
  return new Invocation({ env, compactor, deadline, signal: deadline.signal })
}
