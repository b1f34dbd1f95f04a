/**
 * Makes the objects of a bucket searchable: notifications of the bucket arrive from its queue, and a schedule starts a sweep
 * that finds what no notification told.
 *
 * A message that fails is reported alone and delivered again after a minute per delivery. Objects are worked on one after
 * the other. Before Lambda's time limit the work stops: the object goes to a worker that has more time, if there is one; otherwise it has
 * failed, and is given up after five attempts.
 */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { type Ingest, openIngest, timeIsOver } from '@siltstone/objects/ingest'
import { EmbedderRegistry, invalid, systemModels } from 'siltstone/internal'
import { openS3Blobs, openSqsQueue } from 'siltstone/internal/aws'
import { handler } from './handler.ts'
import { handOverOf } from './hand-over.ts'
import { embeddersOf, withSecrets } from './settings.ts'
import { memoryMb, once, openEngine } from './store.ts'
import { log, metrics } from './telemetry.ts'

export interface SweepOrder {
  source?: 'scheduled' | 'manual'
  action: 'sweep'
}

export interface SweepAnswer {
  objects: number
  found: number
  derivedRemoved: number
  expired: number
}

/** Kept to store the state, and to send what has to wait. */
const KEPT_MS = 15_000
/** Of the function's memory: what reading one file may use. The store's caches take 0.3, Node and the modules the rest. */
const FILE_SHARE = 0.4
const MB = 1024 * 1024
const RETRY_MS = 60_000

export const opened = once(async () => {
  const bucket = needed('SILTSTONE_OBJECTS_BUCKET')
  const engine = await openEngine({})
  const { env } = engine
  const parts = { clock: env.clock, random: env.random, log, metrics }
  const variables = await withSecrets(process.env)
  const registry = new EmbedderRegistry({ ...env, models: systemModels, variables }, embeddersOf(variables))
  const queue = openSqsQueue(needed('SILTSTONE_OBJECTS_QUEUE_URL'), parts)
  const rules = process.env['SILTSTONE_OBJECTS_RULES']
  const handOver = handOverOf(variables, parts)
  const ingest = await openIngest({
    environment: env,
    engine,
    embedderFor: async ({ configuration, dimension }) =>
      registry.forCollection({ embeddingFunction: configuration['embedding_function'], dimension }),
    bucket,
    blobs: openS3Blobs(`s3://${bucket}`, parts),
    queue,
    ...(rules !== undefined && rules !== '' && { rules }),
    memoryBytes: Math.floor(memoryMb(2_048) * FILE_SHARE) * MB,
    ...(handOver && { handOver }),
    log,
    metrics,
  })
  return { ingest, engine, queue }
})

type Opened = Awaited<ReturnType<typeof opened>>

export const handle = handler<SQSEvent | SweepOrder, SQSBatchResponse | SweepAnswer>(async (event, context) => {
  const parts = await opened()
  const seconds = Math.max(0, context.getRemainingTimeInMillis() - KEPT_MS) / 1_000
  const controller = new AbortController()
  const cancel = parts.engine.env.clock.timer(seconds * 1_000, () => controller.abort(timeIsOver(Math.floor(seconds))))
  try {
    if ('Records' in event) return await serveMessages(parts, event, controller.signal)
    return await parts.ingest.sweep(controller.signal)
  } finally {
    cancel()
    // Lambda freezes the container after the answer, so no work may be left.
    await parts.engine.flushWakeUps()
  }
})
export { handle as handler }

async function serveMessages(
  { ingest, queue }: Opened,
  { Records: records }: SQSEvent,
  signal: AbortSignal,
): Promise<SQSBatchResponse> {
  const failed: SQSEvent['Records'] = []
  for (const record of records) if (signal.aborted || !(await isHandled(ingest, record, signal))) failed.push(record)
  for (const { messageId, body, receiptHandle, attributes } of failed) {
    const receiveCount = Number(attributes.ApproximateReceiveCount)
    const message = { id: messageId, body, receipt: receiptHandle, receiveCount, sentAtMs: 0 }
    try {
      // The queue hides it longer than a function may run.
      await queue.extend(message, RETRY_MS * receiveCount)
    } catch (error) {
      log.warn('object_message_stays_hidden', { messageId, error })
    }
  }
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) }
}

async function isHandled(ingest: Ingest, record: SQSEvent['Records'][number], signal: AbortSignal): Promise<boolean> {
  try {
    await ingest.handle(record.body, signal)
    return true
  } catch (error) {
    log.error('object_message_failed', { messageId: record.messageId, error })
    return false
  }
}

/** @throws SiltstoneError `invalid` (no-objects) */
export function needed(name: string): string {
  const value = process.env[name]
  if (value !== undefined && value !== '') return value
  throw invalid(
    'no-objects',
    `Set ${name}: objects need their bucket, the queue of its notifications, and a task its key.`,
    {
      field: name,
    },
  )
}
