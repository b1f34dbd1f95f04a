/**
 * The queue port (SQS on AWS). Delivery is at least once and unordered: duplicates and reordering must do no harm.
 * Messages are only wake-up calls; the bucket is the truth.
 */
export interface QueueMessage {
  id: string
  body: string
  /** The number of times it was received, this time included. */
  receiveCount: number
  sentAtMs: number
  /** Identifies this delivery; a later delivery of the same message has another receipt. */
  receipt: string
}

export interface QueueDepth {
  visible: number
  inFlight: number
  delayed: number
  oldestAgeMs: number | undefined
}

export interface Queue {
  /** @throws SiltstoneError `unavailable` or `unknown` */
  send(body: string, options?: { delayMs?: number }): Promise<void>
  /**
   * Waits up to `waitMs` for at least one message. Resolves with an empty array after that, or when the queue is closed;
   * rejects with the signal's reason when it is aborted.
   */
  receive(options: {
    maxMessages: number
    visibilityMs: number
    waitMs: number
    signal?: AbortSignal
  }): Promise<QueueMessage[]>
  /** Hides the message for `visibilityMs` from now; 0 makes it visible at once. False if the receipt is no longer valid. */
  extend(message: QueueMessage, visibilityMs: number): Promise<boolean>
  /** Removes the message. Doing so twice, or after a redelivery, does no harm. False if the message no longer existed. */
  acknowledge(message: QueueMessage): Promise<boolean>
  depth(): Promise<QueueDepth>
  /** Messages that were received more often than the queue's limit; they are not delivered again. */
  deadLetters(options: { maxMessages: number }): Promise<QueueMessage[]>
  /** Moves dead letters back and returns their number. */
  redrive(): Promise<number>
  close(): Promise<void>
}
