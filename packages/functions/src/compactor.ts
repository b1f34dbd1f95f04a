/**
 * Folds and merges the collections of its wake-up messages, or on schedule every collection with an unfolded log, and
 * collects garbage that is due.
 *
 * A message that fails is reported alone: the others of its batch are done. A busy lease is not a failure, because the
 * holder sees the mark that this invocation leaves. Before Lambda's time limit the work stops at a safe point, and one
 * delayed wake-up call for each remaining collection lets the next invocation continue.
 */
import type { SQSBatchResponse } from 'aws-lambda'
import { encodeWakeUp, isSiltstoneError, type StoreEngine } from 'siltstone/internal'
import { deadlineOf } from './deadline.ts'
import { handler } from './handler.ts'
import { once, openEngine } from './store.ts'
import { type CompactorEvent, isFromQueue, messagesByCollection, type Order } from './wake-ups.ts'

/** Long enough for the lease of an invocation that Lambda ended to expire. */
const CONTINUE_AFTER_MS = 30_000

export interface Compacted {
  collection: string
  status: 'done' | 'busy' | 'continues' | 'failed'
  entriesFolded?: number
  merges?: number
  error?: string
}

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
      ? await serveMessages(engine, messagesByCollection(event), deadline.signal)
      : await serveOrder(engine, event, deadline.signal)
  } finally {
    deadline.cancel()
  }
})
export { handle as handler }

async function serveMessages(
  engine: StoreEngine,
  messages: Map<string, string[]>,
  signal: AbortSignal,
): Promise<SQSBatchResponse> {
  const failed: string[] = []
  for (const [path, ids] of messages) if ((await compact(engine, path, signal)).status === 'failed') failed.push(...ids)
  const { queue, metrics } = engine.env
  metrics.gauge('DeltaQueueDepth', (await queue.depth()).visible)
  return { batchItemFailures: [...new Set(failed)].map((itemIdentifier) => ({ itemIdentifier })) }
}

async function serveOrder(engine: StoreEngine, { collections }: Order, signal: AbortSignal): Promise<OrderResult> {
  const compacted: Compacted[] = []
  for (const path of collections ?? (await engine.collectionsWithLogs()))
    compacted.push(await compact(engine, path, signal))
  let collected = 0
  if (collections === undefined && !signal.aborted) {
    try {
      collected = (await engine.collectDue(signal)).length
      await engine.collectCatalogGarbage()
    } catch (error) {
      // What is due stays due, so the next run continues.
      if (!signal.aborted) throw error
    }
  }
  return { compacted, collected }
}

async function compact(engine: StoreEngine, path: string, signal: AbortSignal): Promise<Compacted> {
  const { env, compactor } = engine
  try {
    if (signal.aborted) return await goOnLater(engine, path)
    const folded = await compactor.fold(path, signal)
    const merged = signal.aborted ? undefined : await compactor.merge(path, { signal })
    if (signal.aborted) return await goOnLater(engine, path)
    return {
      collection: path,
      status: folded.busy ? 'busy' : 'done',
      entriesFolded: folded.entriesFolded,
      merges: merged?.merges ?? 0,
    }
  } catch (error) {
    if (signal.aborted && !isSiltstoneError(error, 'corrupt')) return goOnLater(engine, path)
    env.log.error('compaction_failed', {
      collection: path,
      error: String(error),
      ...(isSiltstoneError(error) && { code: error.code }),
    })
    return { collection: path, status: 'failed', error: String(error) }
  }
}

/** Failed if the call cannot be sent: the queue then delivers the original message again. */
async function goOnLater({ env }: StoreEngine, path: string): Promise<Compacted> {
  const body = encodeWakeUp({ collection: path, reason: 'continue', timestampMs: env.clock.nowMs() })
  try {
    await env.queue.send(body, { delayMs: CONTINUE_AFTER_MS })
  } catch (error) {
    env.log.error('continue_failed', { collection: path, error: String(error) })
    return { collection: path, status: 'failed', error: String(error) }
  }
  env.log.info('compaction_continues_later', { collection: path })
  return { collection: path, status: 'continues' }
}
