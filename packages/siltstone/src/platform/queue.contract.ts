/** What every queue must do, as tests, on a clock that the tests move. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from './manual-clock.ts'
import type { Queue, QueueMessage } from './queue.ts'

export interface OpenQueue {
  queue: Queue
  /** Ends the queue and removes what it kept. */
  dispose(): Promise<void>
}

/** @param open a queue on `clock` that lets a message be received `maxReceiveCount` times */
export function describeQueue(
  name: string,
  open: (clock: ManualClock, maxReceiveCount: number) => Promise<OpenQueue>,
): void {
  describe(`queue: ${name}`, () => {
    let clock: ManualClock
    let opened: OpenQueue
    let queue: Queue

    beforeEach(async () => {
      clock = new ManualClock()
      opened = await open(clock, 3)
      queue = opened.queue
    })
    afterEach(() => opened.dispose())

    const receive = (maxMessages = 10, visibilityMs = 1000) =>
      clock.runUntil(queue.receive({ maxMessages, visibilityMs, waitMs: 0 }))
    const receiveOne = async (): Promise<QueueMessage> => {
      const [message] = await receive(1)
      if (message === undefined) throw new Error('no message')
      return message
    }
    const bodies = (messages: readonly QueueMessage[]) => messages.map(({ body }) => body).sort()

    it('delivers each message with its body and time, and hides it', async () => {
      await queue.send('one')
      await clock.advance(5)
      await queue.send('zwei ✓')
      const messages = await receive()
      expect(bodies(messages)).toEqual(['one', 'zwei ✓'])
      expect(messages.every(({ receiveCount }) => receiveCount === 1)).toBe(true)
      expect(messages.find(({ body }) => body === 'one')?.sentAtMs).toBe(clock.nowMs() - 5)
      expect(new Set(messages.map(({ id }) => id)).size).toBe(2)
      expect(await receive()).toEqual([])
    })

    it('takes at most as many as asked', async () => {
      for (const body of ['a', 'b', 'c']) await queue.send(body)
      expect(await receive(2)).toHaveLength(2)
      expect(await receive(2)).toHaveLength(1)
    })

    it('delivers again what was not acknowledged in time, under a new receipt', async () => {
      await queue.send('x')
      const first = await receiveOne()
      await clock.advance(999)
      expect(await receive()).toEqual([])
      await clock.advance(1)
      const second = await receiveOne()
      expect(second).toMatchObject({ id: first.id, receiveCount: 2 })
      expect(second.receipt).not.toBe(first.receipt)
      expect(await queue.acknowledge(first)).toBe(false)
      expect(await queue.extend(first, 5000)).toBe(false)
      expect(await queue.acknowledge(second)).toBe(true)
      await clock.advance(10_000)
      expect(await receive()).toEqual([])
    })

    it('acknowledges once, also after the time but before redelivery', async () => {
      await queue.send('x')
      const message = await receiveOne()
      await clock.advance(5000)
      expect(await queue.acknowledge(message)).toBe(true)
      expect(await queue.acknowledge(message)).toBe(false)
      expect(await receive()).toEqual([])
    })

    it('extends, and gives back at once with 0', async () => {
      await queue.send('x')
      const message = await receiveOne()
      await clock.advance(900)
      expect(await queue.extend(message, 1000)).toBe(true)
      await clock.advance(999)
      expect(await receive()).toEqual([])
      expect(await queue.extend(message, 0)).toBe(true)
      expect((await receiveOne()).receiveCount).toBe(2)
    })

    it('delays', async () => {
      await queue.send('later', { delayMs: 500 })
      expect(await receive()).toEqual([])
      await clock.advance(499)
      expect(await receive()).toEqual([])
      await clock.advance(1)
      expect(bodies(await receive())).toEqual(['later'])
    })

    it('moves what was received too often to the dead letters, and back', async () => {
      await queue.send('poison')
      for (let count = 1; count <= 3; count++) {
        expect((await receiveOne()).receiveCount).toBe(count)
        expect(await queue.deadLetters({ maxMessages: 10 })).toEqual([])
        await clock.advance(1000)
      }
      expect(await receive()).toEqual([])
      expect(bodies(await queue.deadLetters({ maxMessages: 10 }))).toEqual(['poison'])
      expect((await queue.depth()).visible).toBe(0)
      expect(await queue.redrive()).toBe(1)
      expect(await queue.redrive()).toBe(0)
      expect(await queue.deadLetters({ maxMessages: 10 })).toEqual([])
      expect(await receiveOne()).toMatchObject({ body: 'poison', receiveCount: 1 })
    })

    it('lets the last receiver finish', async () => {
      await queue.send('slow')
      let message = await receiveOne()
      for (let count = 2; count <= 3; count++) {
        await clock.advance(1000)
        message = await receiveOne()
      }
      expect(await queue.extend(message, 60_000)).toBe(true)
      await clock.advance(30_000)
      expect(await queue.deadLetters({ maxMessages: 1 })).toEqual([])
      expect(await queue.acknowledge(message)).toBe(true)
    })

    it('tells its depth', async () => {
      expect(await queue.depth()).toEqual({ visible: 0, inFlight: 0, delayed: 0, oldestAgeMs: undefined })
      await queue.send('a')
      await clock.advance(100)
      await queue.send('b')
      await queue.send('c', { delayMs: 1000 })
      expect(await queue.depth()).toEqual({ visible: 2, inFlight: 0, delayed: 1, oldestAgeMs: 100 })
      await receiveOne()
      expect(await queue.depth()).toMatchObject({ visible: 1, inFlight: 1, delayed: 1 })
      await clock.advance(2000)
      expect(await queue.depth()).toEqual({ visible: 3, inFlight: 0, delayed: 0, oldestAgeMs: 2100 })
    })

    describe('long poll', () => {
      const poll = (waitMs: number, signal?: AbortSignal) =>
        queue.receive({ maxMessages: 10, visibilityMs: 1000, waitMs, ...(signal === undefined ? {} : { signal }) })

      it('ends empty when its time is over', async () => {
        const startMs = clock.nowMs()
        expect(await clock.runUntil(poll(3000))).toEqual([])
        expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(3000)
      })

      it('wakes at once when a message is sent here', async () => {
        const startMs = clock.nowMs()
        const waiting = poll(20_000)
        await clock.advance(50)
        await queue.send('x')
        expect(bodies(await clock.runUntil(waiting))).toEqual(['x'])
        expect(clock.nowMs() - startMs).toBeLessThanOrEqual(50)
      })

      it('wakes when a delayed or hidden message becomes visible', async () => {
        await queue.send('hidden')
        await receive()
        await queue.send('delayed', { delayMs: 150 })
        const startMs = clock.nowMs()
        expect(bodies(await clock.runUntil(poll(20_000)))).toEqual(['delayed'])
        expect(clock.nowMs() - startMs).toBe(150)
        expect(bodies(await clock.runUntil(poll(20_000)))).toEqual(['hidden'])
      })

      it('rejects when it is aborted', async () => {
        const controller = new AbortController()
        const waiting = poll(20_000, controller.signal)
        await clock.advance(10)
        controller.abort(new Error('enough'))
        await expect(waiting).rejects.toThrow('enough')
        await expect(poll(20_000, controller.signal)).rejects.toThrow('enough')
      })

      it('gives one message to one of many that wait', async () => {
        const waiting = [poll(1000), poll(1000), poll(1000)]
        await clock.advance(10)
        await queue.send('x')
        const received = await clock.runUntil(Promise.all(waiting))
        expect(bodies(received.flat())).toEqual(['x'])
      })
    })

    it('after closing, waiting calls end and others fail', async () => {
      const waiting = queue.receive({ maxMessages: 1, visibilityMs: 1000, waitMs: 60_000 })
      await clock.advance(10)
      await queue.close()
      expect(await clock.runUntil(waiting)).toEqual([])
      await expect(queue.send('x')).rejects.toMatchObject({ kind: 'unavailable', code: 'queue-closed' })
    })
  })
}
