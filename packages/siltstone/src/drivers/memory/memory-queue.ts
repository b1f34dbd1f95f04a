import { type SiltstoneError, unavailable } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Queue, QueueDepth, QueueMessage } from '../../ports/queue.ts'
import { LongPolls } from '../../ports/long-poll.ts'

/** A message that was received this often and never acknowledged is moved to the dead letters. */
export const DEFAULT_MAX_RECEIVE_COUNT = 10

interface StoredMessage extends QueueMessage {
  visibleAtMs: number
  dead: boolean
}

/** The queue in memory, for tests and the simulation. A new message wakes long polls at once. */
export class MemoryQueue implements Queue {
  readonly #clock: Clock
  readonly #maxReceiveCount: number
  readonly #arrivals: LongPolls
  #messages: StoredMessage[] = []
  #sent = 0
  #receipts = 0
  #closed = false

  constructor(options: { clock: Clock; maxReceiveCount?: number }) {
    this.#clock = options.clock
    this.#maxReceiveCount = options.maxReceiveCount ?? DEFAULT_MAX_RECEIVE_COUNT
    this.#arrivals = new LongPolls(options.clock)
  }

  async send(body: string, options: { delayMs?: number } = {}): Promise<void> {
    this.#checkOpen()
    const sentAtMs = this.#clock.nowMs()
    const visibleAtMs = sentAtMs + (options.delayMs ?? 0)
    this.#messages.push({
      id: `${++this.#sent}`,
      body,
      receiveCount: 0,
      sentAtMs,
      receipt: '',
      visibleAtMs,
      dead: false,
    })
    this.#arrivals.wakeAll()
  }

  async receive(options: {
    maxMessages: number
    visibilityMs: number
    waitMs: number
    signal?: AbortSignal
  }): Promise<QueueMessage[]> {
    this.#checkOpen()
    const deadlineMs = this.#clock.monotonicMs() + options.waitMs
    for (;;) {
      options.signal?.throwIfAborted()
      const taken = this.#take(options.maxMessages, options.visibilityMs)
      const leftMs = deadlineMs - this.#clock.monotonicMs()
      if (taken.length > 0 || leftMs <= 0 || this.#closed) return taken
      await this.#arrivals.wait(Math.min(leftMs, this.#nextVisibleInMs()), options.signal)
    }
  }

  async extend(message: QueueMessage, visibilityMs: number): Promise<boolean> {
    this.#checkOpen()
    const stored = this.#find(message)
    if (stored === undefined || stored.dead) return false
    stored.visibleAtMs = this.#clock.nowMs() + visibilityMs
    this.#arrivals.wakeAll()
    return true
  }

  async acknowledge(message: QueueMessage): Promise<boolean> {
    this.#checkOpen()
    const stored = this.#find(message)
    this.#messages = this.#messages.filter((other) => other !== stored)
    return stored !== undefined
  }

  async depth(): Promise<QueueDepth> {
    this.#checkOpen()
    const nowMs = this.#clock.nowMs()
    const living = this.#messages.filter(({ dead }) => !dead)
    const hidden = living.filter(({ visibleAtMs }) => visibleAtMs > nowMs)
    const inFlight = hidden.filter(({ receiveCount }) => receiveCount > 0).length
    return {
      visible: living.length - hidden.length,
      inFlight,
      delayed: hidden.length - inFlight,
      oldestAgeMs: living.length === 0 ? undefined : nowMs - Math.min(...living.map(({ sentAtMs }) => sentAtMs)),
    }
  }

  async deadLetters(options: { maxMessages: number }): Promise<QueueMessage[]> {
    this.#checkOpen()
    this.#bury()
    return this.#messages
      .filter(({ dead }) => dead)
      .slice(0, options.maxMessages)
      .map(asMessage)
  }

  async redrive(): Promise<number> {
    this.#checkOpen()
    const dead = this.#messages.filter((message) => message.dead)
    for (const message of dead) {
      Object.assign(message, { dead: false, receiveCount: 0, visibleAtMs: this.#clock.nowMs() })
    }
    this.#arrivals.wakeAll()
    return dead.length
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#arrivals.wakeAll()
  }

  #take(maxMessages: number, visibilityMs: number): QueueMessage[] {
    this.#bury()
    const nowMs = this.#clock.nowMs()
    const taken = this.#messages
      .filter(({ dead, visibleAtMs }) => !dead && visibleAtMs <= nowMs)
      .sort((a, b) => a.visibleAtMs - b.visibleAtMs)
      .slice(0, maxMessages)
    for (const message of taken) {
      message.receiveCount++
      message.visibleAtMs = nowMs + visibilityMs
      message.receipt = `${++this.#receipts}`
    }
    return taken.map(asMessage)
  }

  #bury(): void {
    const nowMs = this.#clock.nowMs()
    for (const message of this.#messages) {
      if (message.visibleAtMs <= nowMs && message.receiveCount >= this.#maxReceiveCount) message.dead = true
    }
  }

  #nextVisibleInMs(): number {
    const nowMs = this.#clock.nowMs()
    const living = this.#messages.filter(({ dead }) => !dead)
    return Math.min(...living.map(({ visibleAtMs }) => Math.max(1, visibleAtMs - nowMs)))
  }

  #find(message: QueueMessage): StoredMessage | undefined {
    return this.#messages.find(({ id, receipt }) => id === message.id && receipt === message.receipt)
  }

  #checkOpen(): void {
    if (this.#closed) throw queueClosed()
  }
}

/** The error of calls on a closed queue. */
export function queueClosed(): SiltstoneError {
  return unavailable('queue-closed', 'The queue was closed.')
}

function asMessage({ id, body, receiveCount, sentAtMs, receipt }: StoredMessage): QueueMessage {
  return { id, body, receiveCount, sentAtMs, receipt }
}
