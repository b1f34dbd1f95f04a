/**
 * The worker of a bucket of S3 as a function: it is given messages, instead of receiving them, and has a limited time. It
 * does what `Worker` does, with the same states, so both may run over one bucket.
 */
import {
  type BlobStore,
  type Environment,
  type Logger,
  type Metrics,
  type Queue,
  type StoreEngine,
  unavailable,
} from 'siltstone/internal'
import { changeEvent } from './process/events.ts'
import type { HandOverOptions } from './process/hand-over.ts'
import { handleMessage } from './process/handle-message.ts'
import { loadPipeline } from './process/pipeline.ts'
import { openProcessing, type ProcessingOptions } from './process/processing.ts'
import { ProcessingRules } from './process/rules.ts'
import { storeRules } from './process/stored-rules.ts'
import { sweep, type SweepReport } from './process/sweep.ts'

export interface IngestOptions {
  /** The store of the records and the states. */
  environment: Environment
  engine: StoreEngine
  embedderFor: ProcessingOptions['embedderFor']
  bucket: string
  blobs: BlobStore
  /** The queue of the notifications; messages about what has to wait go there. */
  queue: Queue
  /** JSON, as of `--objects-rules`. */
  rules?: string
  /** Of one process that reads a file, beyond what it needs in any case. */
  memoryBytes?: number
  /** To workers that can do more, and of which tier this one is. Default: it processes whatever it is told of. */
  handOver?: HandOverOptions
  log: Logger
  metrics: Metrics
}

export interface Ingest {
  /**
   * Handles one message. @throws what makes another delivery necessary
   * @param signal ends the work; the attempt counts, so an object that never fits into the time is given up where nobody has more of it
   */
  handle(body: string, signal: AbortSignal): Promise<void>
  /** Sends a message for each key that needs a worker. */
  sweep(signal: AbortSignal): Promise<SweepReport>
  close(): Promise<void>
}

/** @throws SiltstoneError `invalid` (bad-rules), and what the store throws */
export async function openIngest(options: IngestOptions): Promise<Ingest> {
  const { environment, engine, embedderFor, bucket, blobs, queue, memoryBytes, handOver, log, metrics } = options
  const rules = options.rules === undefined ? new ProcessingRules() : ProcessingRules.parse(options.rules)
  await storeRules(environment.store, rules)
  const pipeline = await loadPipeline(memoryBytes === undefined ? {} : { memoryBytes })
  const processing = await openProcessing({
    environment: { ...environment, log },
    engine,
    embedderFor,
    queue,
    buckets: async () => [bucket],
    blobs: () => blobs,
    scheme: 's3',
    rules,
    pipeline,
    metrics,
    ...(handOver && { handOver }),
    sweepEachMs: 0,
  })
  const { reconciler, states } = processing
  return {
    handle: (body, signal) =>
      handleMessage(
        body,
        { queue, reconciler, owns: async (name) => name === bucket, clock: environment.clock, log },
        { signal },
      ),
    sweep: (signal) =>
      sweep({
        bucket,
        blobs,
        states,
        reconciler,
        found: (key) => queue.send(changeEvent({ bucket, key })),
        onDamaged: (error) => log.error('object_state_damaged', { bucket, error }),
        signal,
      }),
    close: () => processing.close(),
  }
}

export { changeEvent } from './process/events.ts'
export type { HandOverOptions, Recipient } from './process/hand-over.ts'
export { stateKey, type Tier, TIERS } from './process/state.ts'

/** To abort a `handle` with when its time is over. */
export const timeIsOver = (seconds: number): Error =>
  unavailable(
    'time-limit',
    `The object was not done within ${seconds} s: raise the timeout of the function, or process it with "siltstone objects work".`,
  )
