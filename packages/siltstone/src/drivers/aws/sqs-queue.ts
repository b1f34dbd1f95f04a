/**
 * The queue on SQS (standard queues). Its dead-letter queue takes messages that were received too often.
 *
 * It differs from the other drivers because of limits of SQS:
 * - Times are whole seconds, rounded up; a delay is 15 minutes at most, a visibility 12 hours, and one `receive` gives
 *   at most 10 messages. A wait of more than 20 seconds is several requests.
 * - A stale receipt is not always recognised: `acknowledge` may return true, and even remove a message that was delivered
 *   again. Both are harmless, since a receiver has handled it.
 * - The depth is approximate and lacks the age of the oldest message, which CloudWatch has.
 * - Dead letters are moved back one by one, not by StartMessageMoveTask, which few servers offer and which does not
 *   report its end. A crash in between leaves a message in both queues.
 */
import {
  GetQueueAttributesCommand,
  type QueueAttributeName,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import type { Clock } from '../../ports/clock.ts'
import { queueClosed } from '../memory/memory-queue.ts'
import type { Queue, QueueDepth, QueueMessage } from '../../ports/queue.ts'
import { Batcher } from './batcher.ts'
import type { Requests } from './aws-requests.ts'
import {
  changeVisibilities,
  deleteMessages,
  type Extending,
  type Sending,
  sendMessages,
  type SqsPlace,
} from './sqs-batches.ts'
import { BATCH_BYTES, BATCH_ENTRIES, delayS, LONGEST_POLL_S, messageOf, visibilityS } from './sqs-message.ts'

/** How long dead letters are hidden from other receivers while they are read or moved. */
const LOOK_MS = 30_000

export interface SqsQueueOptions {
  client: SQSClient
  requests: Requests
  clock: Clock
}

export class SqsQueue implements Queue {
  readonly #place: SqsPlace
  readonly #clock: Clock
  readonly #closed = new AbortController()
  readonly #sends: Batcher<Sending, true>
  readonly #deletes: Batcher<string, boolean>
  readonly #extends: Batcher<Extending, boolean>
  #dead: Promise<string | undefined> | undefined

  constructor(url: string, { client, requests, clock }: SqsQueueOptions) {
    const place = { client, requests, url }
    const limits = { entries: BATCH_ENTRIES, bytes: BATCH_BYTES }
    this.#place = place
    this.#clock = clock
    this.#sends = new Batcher(limits, (items) => sendMessages(place, items))
    this.#deletes = new Batcher(limits, (receipts) => deleteMessages(place, receipts))
    this.#extends = new Batcher(limits, (items) => changeVisibilities(place, items))
  }

  async send(body: string, options: { delayMs?: number } = {}): Promise<void> {
    this.#checkOpen()
    await this.#sends.add({ body, delayS: delayS(options.delayMs ?? 0) }, Buffer.byteLength(body))
  }

  async receive(options: {
    maxMessages: number
    visibilityMs: number
    waitMs: number
    signal?: AbortSignal
  }): Promise<QueueMessage[]> {
    this.#checkOpen()
    const deadlineMs = this.#clock.monotonicMs() + options.waitMs
    const closed = this.#closed.signal
    const signal = options.signal === undefined ? closed : AbortSignal.any([closed, options.signal])
    try {
      for (;;) {
        signal.throwIfAborted()
        const leftMs = Math.max(0, deadlineMs - this.#clock.monotonicMs())
        const waitS = Math.min(LONGEST_POLL_S, Math.ceil(leftMs / 1_000))
        const taken = await this.#take(this.#place.url, { ...options, waitS, signal })
        if (taken.length > 0 || leftMs <= waitS * 1_000) return taken
      }
    } catch (error) {
      options.signal?.throwIfAborted()
      if (closed.aborted) return []
      throw error
    }
  }

  async extend(message: QueueMessage, visibilityMs: number): Promise<boolean> {
    this.#checkOpen()
    return this.#extends.add({ receipt: message.receipt, visibilityS: visibilityS(visibilityMs) }, 0)
  }

  async acknowledge(message: QueueMessage): Promise<boolean> {
    this.#checkOpen()
    return this.#deletes.add(message.receipt, 0)
  }

  async depth(): Promise<QueueDepth> {
    this.#checkOpen()
    const got = await this.#attributes([
      'ApproximateNumberOfMessages',
      'ApproximateNumberOfMessagesNotVisible',
      'ApproximateNumberOfMessagesDelayed',
    ])
    return {
      visible: Number(got['ApproximateNumberOfMessages'] ?? 0),
      inFlight: Number(got['ApproximateNumberOfMessagesNotVisible'] ?? 0),
      delayed: Number(got['ApproximateNumberOfMessagesDelayed'] ?? 0),
      oldestAgeMs: undefined,
    }
  }

  /** Receives the messages and makes them visible again, which counts as a receipt of each. */
  async deadLetters({ maxMessages }: { maxMessages: number }): Promise<QueueMessage[]> {
    this.#checkOpen()
    const dead = await this.#deadPlace()
    if (dead === undefined) return []
    const found: QueueMessage[] = []
    while (found.length < maxMessages) {
      const more = await this.#take(dead.url, { maxMessages: maxMessages - found.length, visibilityMs: LOOK_MS })
      if (more.length === 0) break
      found.push(...more)
    }
    for (let at = 0; at < found.length; at += BATCH_ENTRIES) {
      const batch = found.slice(at, at + BATCH_ENTRIES).map(({ receipt }) => ({ receipt, visibilityS: 0 }))
      await changeVisibilities(dead, batch)
    }
    return found
  }

  async redrive(): Promise<number> {
    this.#checkOpen()
    const dead = await this.#deadPlace()
    if (dead === undefined) return 0
    for (let moved = 0; ; ) {
      const batch = await this.#take(dead.url, { maxMessages: BATCH_ENTRIES, visibilityMs: LOOK_MS })
      if (batch.length === 0) return moved
      // The bodies of a batch fit into requests, at worst one in each, since each was sent once.
      await Promise.all(batch.map(({ body }) => this.send(body)))
      for (const answer of await deleteMessages(
        dead,
        batch.map(({ receipt }) => receipt),
      ))
        if ('error' in answer) throw answer.error as Error
      moved += batch.length
    }
  }

  /** Ends waiting calls, which then return no message. Waits for sends and acknowledgements in progress. */
  async close(): Promise<void> {
    this.#closed.abort(queueClosed())
    await Promise.all([this.#sends.settled(), this.#deletes.settled(), this.#extends.settled()])
    this.#place.client.destroy()
  }

  async #take(
    url: string,
    options: { maxMessages: number; visibilityMs: number; waitS?: number; signal?: AbortSignal },
  ): Promise<QueueMessage[]> {
    const { maxMessages, visibilityMs, waitS = 0, signal } = options
    const { client, requests } = this.#place
    const input = {
      QueueUrl: url,
      MaxNumberOfMessages: Math.max(1, Math.min(BATCH_ENTRIES, maxMessages)),
      VisibilityTimeout: visibilityS(visibilityMs),
      WaitTimeSeconds: waitS,
      MessageSystemAttributeNames: ['ApproximateReceiveCount' as const, 'SentTimestamp' as const],
    }
    const calling = { doing: `receive from the queue ${url}`, waitMs: waitS * 1_000, ...(signal && { signal }) }
    const { Messages = [] } = await requests.call(calling, (deadline) =>
      client.send(new ReceiveMessageCommand(input), { abortSignal: deadline.signal }),
    )
    return Messages.map(messageOf)
  }

  async #attributes(names: QueueAttributeName[]): Promise<Partial<Record<string, string>>> {
    const { client, requests, url } = this.#place
    const input = { QueueUrl: url, AttributeNames: names }
    const { Attributes = {} } = await requests.call({ doing: `look at the queue ${url}` }, ({ signal }) =>
      client.send(new GetQueueAttributesCommand(input), { abortSignal: signal }),
    )
    return Attributes
  }

  async #deadPlace(): Promise<SqsPlace | undefined> {
    this.#dead ??= this.#attributes(['RedrivePolicy']).then(({ RedrivePolicy }) =>
      deadLetterUrl(this.#place.url, RedrivePolicy),
    )
    try {
      const url = await this.#dead
      return url === undefined ? undefined : { ...this.#place, url }
    } catch (error) {
      this.#dead = undefined
      throw error
    }
  }

  #checkOpen(): void {
    if (this.#closed.signal.aborted) throw queueClosed()
  }
}

/** The dead-letter queue has the same account and region, so its URL differs only in the name. */
export function deadLetterUrl(queueUrl: string, redrivePolicy: string | undefined): string | undefined {
  if (redrivePolicy === undefined || redrivePolicy === '') return undefined
  const { deadLetterTargetArn } = JSON.parse(redrivePolicy) as { deadLetterTargetArn?: string }
  const name = deadLetterTargetArn?.split(':').at(-1)
  return name === undefined ? undefined : queueUrl.replace(/[^/]*$/, name)
}
