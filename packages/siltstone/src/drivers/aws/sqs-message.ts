/** Conversions between SQS and the queue port, and the limits of SQS. */
import type { Message } from '@aws-sdk/client-sqs'
import type { QueueMessage } from '../../ports/queue.ts'

export const BATCH_ENTRIES = 10
/** 1 MiB since January 2026; older servers accept 256 KB. */
export const BATCH_BYTES = 256 * 1024
export const LONGEST_POLL_S = 20
const LONGEST_DELAY_S = 900
const LONGEST_VISIBILITY_S = 43_200

/** SQS counts whole seconds: rounded up, and at most 15 minutes. */
export const delayS = (ms: number): number => Math.min(LONGEST_DELAY_S, Math.ceil(ms / 1_000))

/** Rounded up, and at most 12 hours. */
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

/** The failure of one entry of a batch, as the error that a separate request would have returned. */
export function entryError(entry: { Code?: string; Message?: string; SenderFault?: boolean }): Error {
  const { Code = 'InternalError', Message = 'no further word', SenderFault = false } = entry
  return Object.assign(new Error(Message), {
    name: Code,
    $metadata: { httpStatusCode: SenderFault ? 400 : 500 },
  })
}

/** The receipt belongs to another delivery, or its message no longer exists. */
export function isStaleReceipt(code: string): boolean {
  return code.endsWith('ReceiptHandleIsInvalid') || code.endsWith('MessageNotInflight')
}
