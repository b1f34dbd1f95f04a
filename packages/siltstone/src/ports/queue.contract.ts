/** What each queue must do, as tests: on a clock that the tests move, or in real time if a server keeps the time. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from './clock.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import type { Queue, QueueMessage } from './queue.ts'
import { systemClock } from '../host/system-clock.ts'

export interface OpenQueue {
  queue: Queue
  /** Closes the queue and removes its data. */
  dispose(): Promise<void>
}

/** Limits of a driver, which its header explains. */
export interface QueueTraits {
  /** How early or late something may happen. Default 0. */
  toleranceMs?: number
  /** A stale receipt cannot always be told from a valid one. */
  hasVagueReceipts?: boolean
  /** The age of the oldest message is not known. */
  hasNoAge?: boolean
}

const REAL_SCALE = 2

interface TestClock extends Clock {
  advance(ms: number): Promise<void>
  runUntil<T>(work: Promise<T>): Promise<T>
}

/** @param open opens a queue on `clock` that delivers a message at most `maxReceiveCount` times */
export function describeQueue(
  name: string,
  open: (clock: ManualClock, maxReceiveCount: number) => Promise<OpenQueue>,
): void {
  describeOn(name, () => new ManualClock(), open, {})
}

/** For a queue whose server keeps the time: all waits are `REAL_SCALE` times as long, so slow answers matter less. */
export function describeQueueInRealTime(
  name: string,
  open: (clock: Clock, maxReceiveCount: number) => Promise<OpenQueue>,
  traits: QueueTraits,
): void {
  const advance = (ms: number) => systemClock.sleep(ms * REAL_SCALE)
  const clock: TestClock = {
    ...systemClock,
    nowMs: () => systemClock.nowMs() / REAL_SCALE,
    advance,
    runUntil: (work) => work,
  }
  const opened = async (_: TestClock, maxReceiveCount: number) => {
    const { queue, dispose } = await open(systemClock, maxReceiveCount)
    return { queue: slower(queue), dispose }
  }
  describeOn(name, () => clock, opened, traits)
}

function slower(queue: Queue): Queue {
  const told = (message: QueueMessage) => ({ ...message, sentAtMs: message.sentAtMs / REAL_SCALE })
  return {
    send: (body, { delayMs = 0 } = {}) => queue.send(body, { delayMs: delayMs * REAL_SCALE }),
    receive: async ({ visibilityMs, waitMs, ...rest }) =>
      (await queue.receive({ ...rest, visibilityMs: visibilityMs * REAL_SCALE, waitMs: waitMs * REAL_SCALE })).map(
        told,
      ),
    extend: (message, visibilityMs) => queue.extend(message, visibilityMs * REAL_SCALE),
    acknowledge: (message) => queue.acknowledge(message),
    depth: () => queue.depth(),
    deadLetters: (options) => queue.deadLetters(options),
    redrive: () => queue.redrive(),
    close: () => queue.close(),
  }
}

function describeOn<C extends TestClock>(
  name: string,
  makeClock: () => C,
  open: (clock: C, maxReceiveCount: number) => Promise<OpenQueue>,
  { toleranceMs = 0, hasVagueReceipts = false, hasNoAge = false }: QueueTraits,
): void {
  describe(`queue: ${name}`, () => {
    let clock: C
    let opened: OpenQueue
    let queue: Queue

    beforeEach(async () => {
      clock = makeClock()
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
    /** Moves the clock to just before an event that is due in `ms`, and to just after it. */
    const almost = (ms: number) => clock.advance(ms - 1 - toleranceMs)
    const theRest = () => clock.advance(1 + 2 * toleranceMs)
    const expectStale = async (answer: Promise<boolean>) => {
      if (hasVagueReceipts) await answer
      else expect(await answer).toBe(false)
    }
    const age = (ms: number) => (hasNoAge ? undefined : ms)
    const bodies = (messages: readonly QueueMessage[]) => messages.map(({ body }) => body).sort()

    it('delivers each message with its body and time, and hides it', async () => {
      await queue.send('one')
      await clock.advance(5)
      await queue.send('zwei ✓')
      const messages = await receive()
      expect(bodies(messages)).toEqual(['one', 'zwei ✓'])
      expect(messages.every(({ receiveCount }) => receiveCount === 1)).toBe(true)
      const sentAtMs = messages.find(({ body }) => body === 'one')?.sentAtMs ?? 0
      expect(Math.abs(sentAtMs - (clock.nowMs() - 5))).toBeLessThanOrEqual(toleranceMs)
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
      await almost(1000)
      expect(await receive()).toEqual([])
      await theRest()
      const second = await receiveOne()
      expect(second).toMatchObject({ id: first.id, receiveCount: 2 })
      expect(second.receipt).not.toBe(first.receipt)
      if (!hasVagueReceipts) expect(await queue.acknowledge(first)).toBe(false)
      await expectStale(queue.extend(first, 2000))
      expect(await queue.acknowledge(second)).toBe(true)
      await clock.advance(2500)
      expect(await receive()).toEqual([])
    })

    it('acknowledges once, also after the time but before redelivery', async () => {
      await queue.send('x')
      const message = await receiveOne()
      await clock.advance(2000)
      expect(await queue.acknowledge(message)).toBe(true)
      await expectStale(queue.acknowledge(message))
      expect(await receive()).toEqual([])
    })

    it('extends, and gives back at once with 0', async () => {
      await queue.send('x')
      const message = await receiveOne()
      await clock.advance(500)
      expect(await queue.extend(message, 2000)).toBe(true)
      await almost(2000)
      expect(await receive()).toEqual([])
      expect(await queue.extend(message, 0)).toBe(true)
      expect((await receiveOne()).receiveCount).toBe(2)
    })

    it('delays', async () => {
      await queue.send('later', { delayMs: 2000 })
      expect(await receive()).toEqual([])
      await almost(2000)
      expect(await receive()).toEqual([])
      await theRest()
      expect(bodies(await receive())).toEqual(['later'])
    })

    it('moves what was received too often to the dead letters, and back', async () => {
      await queue.send('poison')
      for (let count = 1; count <= 3; count++) {
        expect((await receiveOne()).receiveCount).toBe(count)
        expect(await queue.deadLetters({ maxMessages: 10 })).toEqual([])
        await clock.advance(1000 + toleranceMs)
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
        await clock.advance(1000 + toleranceMs)
        message = await receiveOne()
      }
      expect(await queue.extend(message, 5000)).toBe(true)
      await clock.advance(2000)
      expect(await queue.deadLetters({ maxMessages: 1 })).toEqual([])
      expect(await queue.acknowledge(message)).toBe(true)
    })

    it('tells its depth', async () => {
      expect(await queue.depth()).toEqual({ visible: 0, inFlight: 0, delayed: 0, oldestAgeMs: undefined })
      await queue.send('a')
      await clock.advance(100)
      await queue.send('b')
      await queue.send('c', { delayMs: 2000 })
      expect(await queue.depth()).toEqual({ visible: 2, inFlight: 0, delayed: 1, oldestAgeMs: age(100) })
      await receiveOne()
      expect(await queue.depth()).toMatchObject({ visible: 1, inFlight: 1, delayed: 1 })
      await clock.advance(3000)
      expect(await queue.depth()).toEqual({ visible: 3, inFlight: 0, delayed: 0, oldestAgeMs: age(3100) })
    })

    describe('long poll', () => {
      const poll = (waitMs: number, signal?: AbortSignal) =>
        queue.receive({ maxMessages: 10, visibilityMs: 10_000, waitMs, ...(signal === undefined ? {} : { signal }) })

      it('ends empty when its time is over', async () => {
        const startMs = clock.nowMs()
        expect(await clock.runUntil(poll(3000))).toEqual([])
        expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(3000 - toleranceMs)
      })

      it('wakes at once when a message is sent here', async () => {
        const startMs = clock.nowMs()
        const waiting = poll(20_000)
        await clock.advance(50)
        await queue.send('x')
        expect(bodies(await clock.runUntil(waiting))).toEqual(['x'])
        expect(clock.nowMs() - startMs).toBeLessThanOrEqual(50 + toleranceMs)
      })

      it('wakes when a delayed or hidden message becomes visible', async () => {
        await queue.send('hidden')
        await receive(1, 3000)
        await queue.send('delayed', { delayMs: 1000 })
        const startMs = clock.nowMs()
        expect(bodies(await clock.runUntil(poll(20_000)))).toEqual(['delayed'])
        expect(Math.abs(clock.nowMs() - startMs - 1000)).toBeLessThanOrEqual(toleranceMs)
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
