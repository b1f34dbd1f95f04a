import { describe, expect, it } from 'vitest'
import { systemClock } from '../../host/system-clock.ts'
import { ThreadQueue } from './thread-queue.ts'

const receive = (queue: ThreadQueue) => queue.receive({ maxMessages: 10, visibilityMs: 1_000, waitMs: 2_000 })

describe('ThreadQueue', () => {
  it('reaches every other queue of its name, and itself', async () => {
    const queues = ['a', 'a', 'b'].map((name) => new ThreadQueue(name, { clock: systemClock }))
    const [one, two, other] = queues as [ThreadQueue, ThreadQueue, ThreadQueue]
    try {
      const waiting = receive(two)
      await one.send('wake')
      expect((await waiting).map(({ body }) => body)).toEqual(['wake'])
      expect((await receive(one)).map(({ body }) => body)).toEqual(['wake'])
      expect((await other.depth()).visible).toBe(0)
    } finally {
      for (const queue of queues) await queue.close()
    }
  })

  it('keeps a bounded number without a receiver', async () => {
    const queue = new ThreadQueue('full', { clock: systemClock })
    for (let count = 0; count < 1_200; count++) await queue.send(`${count}`)
    expect((await queue.depth()).visible).toBe(1_000)
    await queue.close()
  })

  it('fails after closing', async () => {
    const queue = new ThreadQueue('closed', { clock: systemClock })
    await queue.close()
    await expect(queue.send('x')).rejects.toMatchObject({ code: 'queue-closed' })
  })
})
