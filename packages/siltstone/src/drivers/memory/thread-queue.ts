import { BroadcastChannel } from 'node:worker_threads'
import type { Clock } from '../../ports/clock.ts'
import { MemoryQueue } from './memory-queue.ts'
import type { Queue, QueueDepth, QueueMessage } from '../../ports/queue.ts'

interface Sent {
  body: string
  delayMs: number
}

/** The most messages that a thread without a receiver keeps. */
const KEPT = 1_000

/**
 * A queue between the threads of one process, for stores without a queue service: wake-up calls reach the compacting
 * thread at once. Each receiving thread gets each message, and messages end with the process. Work of other processes,
 * and work announced while no thread was receiving, is found by the schedule of compaction.
 */
export class ThreadQueue implements Queue {
  readonly #kept: MemoryQueue
  readonly #channel: BroadcastChannel

  /** @param name threads that use the same name share the queue */
  constructor(name: string, options: { clock: Clock }) {
    this.#kept = new MemoryQueue(options)
    this.#channel = new BroadcastChannel(`siltstone queue ${name}`)
    this.#channel.addEventListener('message', (event) => void this.#keep((event as unknown as { data: Sent }).data))
    this.#channel.unref()
  }

  async send(body: string, { delayMs = 0 }: { delayMs?: number } = {}): Promise<void> {
    await this.#keep({ body, delayMs })
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window
    this.#channel.postMessage({ body, delayMs } satisfies Sent)
  }

  receive(options: Parameters<Queue['receive']>[0]): Promise<QueueMessage[]> {
    return this.#kept.receive(options)
  }

  extend(message: QueueMessage, visibilityMs: number): Promise<boolean> {
    return this.#kept.extend(message, visibilityMs)
  }

  acknowledge(message: QueueMessage): Promise<boolean> {
    return this.#kept.acknowledge(message)
  }

  depth(): Promise<QueueDepth> {
    return this.#kept.depth()
  }

  deadLetters(options: { maxMessages: number }): Promise<QueueMessage[]> {
    return this.#kept.deadLetters(options)
  }

  redrive(): Promise<number> {
    return this.#kept.redrive()
  }

  async close(): Promise<void> {
    this.#channel.close()
    await this.#kept.close()
  }

  async #keep({ body, delayMs }: Sent): Promise<void> {
    const { visible, delayed } = await this.#kept.depth()
    if (visible + delayed < KEPT) await this.#kept.send(body, { delayMs })
  }
}
