/** What a worker does with one message, wherever it runs. */
import { type Clock, isSiltstoneError, type Logger, type Queue, unavailable } from 'siltstone/internal'
import { changedObjects, changeEvent, type ChangedObject } from './events.ts'
import type { ReconcileCall, Reconciler } from './reconciler.ts'

export interface MessageParts {
  /** Takes messages about keys that have to wait. */
  queue: Pick<Queue, 'send'>
  reconciler: Pick<Reconciler, 'reconcile' | 'readersOf'>
  /** Whether a bucket is this worker's: several may share a queue or a store. Default: each is. */
  owns?: (bucket: string) => Promise<boolean>
  clock: Clock
  log: Logger
}

/** A worker that took over looks this much after the lease of the one before has ended. */
const GRACE_MS = 200

/**
 * Reconciles the keys of a message. When it returns, the message may be acknowledged: each key is settled, or a later message
 * about it was sent.
 * @throws as `Reconciler.reconcile` and `Queue.send` do, SiltstoneError `unavailable` (other-bucket); then the message has to be
 *   delivered again
 */
export async function handleMessage(
  body: string,
  { queue, reconciler, owns, clock, log }: MessageParts,
  call: ReconcileCall = {},
): Promise<void> {
  for (const changed of changesIn(body, log)) {
    const { bucket, key, deleted } = changed
    if (owns !== undefined && !(await owns(bucket)))
      throw unavailable(
        'other-bucket',
        `A message is about the bucket ${bucket}, which this worker does not serve: send the notifications of each bucket to a queue of its own worker.`,
        { key },
      )
    const outcome = await reconciler.reconcile(bucket, key, { ...call, ...(deleted && { deleted }) })
    for (const reader of await reconciler.readersOf(bucket, key)) await queue.send(changeEvent({ bucket, key: reader }))
    if (outcome.status === 'settled') continue
    await queue.send(changeEvent(changed), { delayMs: Math.max(0, outcome.untilMs - clock.nowMs()) + GRACE_MS })
  }
}

function changesIn(body: string, log: Logger): ChangedObject[] {
  try {
    return changedObjects(body)
  } catch (error) {
    if (!isSiltstoneError(error, 'invalid')) throw error
    // Nothing will ever understand it, and the sweep finds what it was about.
    log.error('object_event_refused', { body: body.slice(0, 500), error })
    return []
  }
}
