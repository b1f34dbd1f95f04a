import { silentLogger } from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { changeEvent } from './events.ts'
import { StateStore } from './state-store.ts'
import { BUCKET, ProcessWorld } from './testing/process-world.ts'
import { Worker } from './worker.ts'

const opened: Worker[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((worker) => worker.close()))
})

/** A worker with a queue of real time, over a world whose time stands still. */
async function world(sweepEachMs = 0, owns?: (bucket: string) => Promise<boolean>) {
  const made = await ProcessWorld.make()
  const { queue, clock } = memoryEnvironment()
  const states = new StateStore(made.store, made.ids)
  const worker = new Worker({
    queue,
    reconciler: made.reconciler('worker'),
    states,
    buckets: async () => (owns ? [] : (await made.blobs.listBuckets()).map(({ name }) => name)),
    blobs: (bucket) => made.blobs.bucket(bucket),
    ...(owns && { owns }),
    clock,
    log: silentLogger,
    sweepEachMs,
  })
  opened.push(worker)
  const documents = async (key: string) => (await made.recordsOf(key)).map(({ document }) => document)
  return { made, queue, worker, documents }
}

describe('a worker', () => {
  it('works on the keys of messages, and acknowledges what it understands and what nobody will', async () => {
    const { made, queue, worker, documents } = await world()
    await made.put('a', 'one')
    await made.put('b', 'two')
    worker.start()
    await queue.send('nonsense')
    await queue.send(changeEvent({ bucket: BUCKET, key: 'a' }))
    await queue.send(changeEvent({ bucket: BUCKET, key: 'a' }))
    await queue.send(changeEvent({ bucket: 'no-such-bucket', key: 'a' }))
    await vi.waitFor(async () => expect(await documents('a')).toEqual(['one']))
    await vi.waitFor(async () => expect(await queue.depth()).toMatchObject({ visible: 0, inFlight: 0, delayed: 0 }))
    expect(await documents('b')).toEqual([])
  })

  it('comes back to what has to wait', async () => {
    const { made, queue, worker } = await world()
    made.flakes = 1
    await made.put('a', 'flaky')
    worker.start()
    await queue.send(changeEvent({ bucket: BUCKET, key: 'a' }))
    await vi.waitFor(async () => expect(await queue.depth()).toMatchObject({ visible: 0, inFlight: 0, delayed: 1 }))
  })

  it('finds by a sweep what nobody told: uploads, deletions, and work that was left', async () => {
    const { made, worker, documents } = await world(5)
    await made.put('a', 'one')
    await made.put('b', 'two')
    worker.start()
    await vi.waitFor(async () => expect([await documents('a'), await documents('b')]).toEqual([['one'], ['two']]))
    await made.bucket.delete('a')
    await made.put('b', 'three')
    await vi.waitFor(async () => expect([await documents('a'), await documents('b')]).toEqual([[], ['three']]))
    await made.bucket.delete('b')
    await made.blobs.deleteBucket(BUCKET)
    await vi.waitFor(async () => expect(await documents('b')).toEqual([]))
  })

  it('leaves buckets that other workers serve alone', async () => {
    const { made, queue, worker, documents } = await world(5, async (bucket) => bucket !== BUCKET)
    await made.put('a', 'one')
    await made.reconciler('another worker').reconcile(BUCKET, 'a')
    // To this worker, the object of the state is not there.
    await made.bucket.delete('a')
    expect(await worker.sweep()).toMatchObject({ found: 0 })
    worker.start()
    await queue.send(changeEvent({ bucket: BUCKET, key: 'a' }))
    await vi.waitFor(async () => expect(await queue.depth()).toMatchObject({ inFlight: 1 }))
    expect(await documents('a')).toEqual(['one'])
  })
})
