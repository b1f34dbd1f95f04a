/** Requests for several messages. If some of them fail, only those are tried again. */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import type { BatchAnswer } from './batcher.ts'
import { openError, outcomeOf, refusedError } from './failure.ts'
import type { Requests } from './aws-requests.ts'
import { entryError, isStaleReceipt } from './sqs-message.ts'

export interface SqsPlace {
  client: SQSClient
  requests: Requests
  url: string
}

export interface Sending {
  body: string
  delayS: number
}

export interface Extending {
  receipt: string
  visibilityS: number
}

interface Entry {
  Id: string
}

interface BatchOutput {
  Failed?:
    | {
        Id?: string | undefined
        Code?: string | undefined
        Message?: string | undefined
        SenderFault?: boolean | undefined
      }[]
    | undefined
}

const ROUNDS = 4

/** A duplicate is harmless to receivers, so sending is repeated like any other request. */
export function sendMessages(place: SqsPlace, items: readonly Sending[]): Promise<BatchAnswer<true>[]> {
  const entries = items.map(({ body, delayS }, at) => ({
    Id: String(at),
    MessageBody: body,
    ...(delayS > 0 && { DelaySeconds: delayS }),
  }))
  return inRounds(place, 'send to', entries, (Entries, abortSignal) =>
    place.client.send(new SendMessageBatchCommand({ QueueUrl: place.url, Entries }), { abortSignal }),
  ) as Promise<BatchAnswer<true>[]>
}

/** False for each message whose receipt is no longer valid. */
export function deleteMessages(place: SqsPlace, receipts: readonly string[]): Promise<BatchAnswer<boolean>[]> {
  const entries = receipts.map((ReceiptHandle, at) => ({ Id: String(at), ReceiptHandle }))
  return inRounds(place, 'acknowledge messages of', entries, (Entries, abortSignal) =>
    place.client.send(new DeleteMessageBatchCommand({ QueueUrl: place.url, Entries }), { abortSignal }),
  )
}

/** False for each message whose receipt is no longer valid. */
export function changeVisibilities(place: SqsPlace, items: readonly Extending[]): Promise<BatchAnswer<boolean>[]> {
  const entries = items.map(({ receipt, visibilityS }, at) => ({
    Id: String(at),
    ReceiptHandle: receipt,
    VisibilityTimeout: visibilityS,
  }))
  return inRounds(place, 'extend messages of', entries, (Entries, abortSignal) =>
    place.client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: place.url, Entries }), { abortSignal }),
  )
}

async function inRounds<E extends Entry>(
  { requests, url }: SqsPlace,
  what: string,
  entries: readonly E[],
  send: (entries: E[], signal: AbortSignal) => Promise<BatchOutput>,
): Promise<BatchAnswer<boolean>[]> {
  const options = { doing: `${what} the queue ${url}`, changes: true }
  const answers: BatchAnswer<boolean>[] = entries.map(() => ({ ok: true }))
  let left = [...entries]
  for (let round = 1; left.length > 0; round++) {
    const current = left
    const { Failed = [] } = await requests.call(options, ({ signal }) => send(current, signal))
    let again: Error | undefined
    left = []
    for (const failed of Failed) {
      const error = entryError(failed as Parameters<typeof entryError>[0])
      const at = Number(failed.Id)
      const entry = current.find(({ Id }) => Id === failed.Id)
      const isOpen = outcomeOf(error) !== 'refused'
      if (isStaleReceipt(error.name)) answers[at] = { ok: false }
      else if (isOpen && round < ROUNDS && entry !== undefined) {
        left.push(entry)
        again = error
      } else answers[at] = { error: isOpen ? openError(error, options) : refusedError(error, options) }
    }
    if (again !== undefined) await requests.backOff(again, round)
  }
  return answers
}
