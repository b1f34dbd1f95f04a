/** How SQS says what the queue port says, and its limits. */
import type { Message } from '@aws-sdk/client-sqs'
import type { QueueMessage } from '../../ports/queue.ts'

export const BATCH_ENTRIES = 10
/** 1 MiB since January 2026; older servers take 256 KB. */
export const BATCH_BYTES = 256 * 1024
export const LONGEST_POLL_S = 20
const LONGEST_DELAY_S = 900
const LONGEST_VISIBILITY_S = 43_200

/** SQS counts whole seconds: never shorter than asked for, but for its limit of 15 minutes. */
export const delayS = (ms: number): number => Math.min(LONGEST_DELAY_S, Math.ceil(ms / 1_000))

/** Never shorter than asked for, but for its limit of 12 hours. */
export const visibilityS = (ms: number): number => Math.min(LONGEST_VISIBILITY_S, Math.ceil(ms / 1_000))

export function messageOf({ MessageId = '', Body = '', ReceiptHandle = '', Attributes = {} }: Message): QueueMessage {
  return {
    id: MessageId,
    body: Body,
    receipt: ReceiptHandle,
    receiveCount: Number(Attributes.ApproximateReceiveCount ?? 1),
    sentAtMs: Number(Attributes.SentTimestamp ?? 0),
  }
}

/** An entry of a batch that failed while others did not, as the error that a request of its own would have got. */
export function entryError(entry: { Code?: string; Message?: string; SenderFault?: boolean }): Error {
  const { Code = 'InternalError', Message = 'no further word', SenderFault = false } = entry
  return Object.assign(new Error(Message), {
    name: Code,
    $metadata: { httpStatusCode: SenderFault ? 400 : 500 },
  })
}

/** The receipt is of another delivery, or its message is gone. */
export function isStaleReceipt(code: string): boolean {
  return code.endsWith('ReceiptHandleIsInvalid') || code.endsWith('MessageNotInflight')
}
