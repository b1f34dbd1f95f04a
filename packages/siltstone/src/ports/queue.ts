/**
 * The queue port (SQS on AWS). At least once, unordered: duplicates and reordering must be harmless to the receiver.
 * The queue is only a wake-up call; the bucket is the truth.
 */
export interface QueueMessage {
  id: string
  body: string
  /** How often it was received, this time included. */
  receiveCount: number
  sentAtMs: number
  /** Names this one receipt; a message received again has another. */
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
  /** Waits up to `waitMs` for at least one message; an empty array after that, or when the queue is closed. Rejects with
   *  the signal's reason when it is aborted. */
  receive(options: {
    maxMessages: number
    visibilityMs: number
    waitMs: number
    signal?: AbortSignal
  }): Promise<QueueMessage[]>
  /** Hides the message for `visibilityMs` from now; 0 makes it visible at once. False when the receipt is no longer valid. */
  extend(message: QueueMessage, visibilityMs: number): Promise<boolean>
  /** Removes the message. Acknowledging twice, or after redelivery, is harmless; false when it was not there any more. */
  acknowledge(message: QueueMessage): Promise<boolean>
  depth(): Promise<QueueDepth>
  /** Messages received more often than the queue's limit are moved here instead of being delivered again. */
  deadLetters(options: { maxMessages: number }): Promise<QueueMessage[]>
  /** Moves dead letters back; returns how many. */
  redrive(): Promise<number>
  close(): Promise<void>
}
