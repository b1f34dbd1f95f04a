import { describe, expect, it } from 'vitest'
import { countingObjectStore, noCounts } from './counting-object-store.ts'
import { delayingObjectStore } from './delaying-object-store.ts'
import { ManualClock } from '../memory/manual-clock.ts'
import { MemoryObjectStore } from '../memory/memory-object-store.ts'
import { describeObjectStore } from '../../ports/object-store.contract.ts'
import { systemClock } from '../../host/system-clock.ts'

const memory = () => new MemoryObjectStore({ clock: systemClock })
const body = (size: number) => new Uint8Array(size)

describeObjectStore('counting and delaying around memory', async () => {
  const store = countingObjectStore(delayingObjectStore(memory(), { clock: systemClock, delayMs: {} }))
  return { store, dispose: () => store.close() }
})

describe('countingObjectStore', () => {
  it('counts requests by kind, bytes and refusals', async () => {
    const store = countingObjectStore(memory())
    const put = await store.put('a', body(100))
    await store.put('a', body(7), { ifAbsent: true })
    await store.get('a')
    await store.get('a', { range: { offset: 0, length: 10 } })
    await store.get('a', { ifNoneMatch: put.status === 'ok' ? put.etag : '' })
    await store.get('b')
    await store.head('a')
    await store.head('b')
    await store.list('')
    const upload = await store.upload('c', { ifAbsent: true })
    await upload.write(body(50))
    await upload.complete()
    await store.delete(['a', 'c'])
    expect(store.counts()).toEqual({
      get: 4,
      head: 2,
      put: 4,
      list: 1,
      delete: 1,
      deletedKeys: 2,
      refused: 4,
      bytesIn: 157,
      bytesOut: 110,
    })
    expect(store.takeCounts()).toMatchObject({ get: 4 })
    expect(store.counts()).toEqual(noCounts())
  })

  it('is known by the name of the store it counts', () => {
    const inner = memory()
    expect(countingObjectStore(inner)).toMatchObject({
      description: inner.description,
      capabilities: inner.capabilities,
    })
  })
})

describe('delayingObjectStore', () => {
  it('waits before each request as long as it is told', async () => {
    const clock = new ManualClock()
    const store = delayingObjectStore(memory(), {
      clock,
      delayMs: { get: 63, head: 30, put: 100, list: 80, delete: 10 },
    })
    const timed = async (work: () => Promise<unknown>) => {
      const startMs = clock.monotonicMs()
      await clock.runUntil(work())
      return clock.monotonicMs() - startMs
    }
    expect(await timed(() => store.put('a', body(1)))).toBe(100)
    expect(await timed(() => store.get('a'))).toBe(63)
    expect(await timed(() => store.head('a'))).toBe(30)
    expect(await timed(() => store.list(''))).toBe(80)
    expect(await timed(() => store.delete(['a']))).toBe(10)
    const upload = await store.upload('u')
    expect(await timed(() => upload.write(body(5)))).toBe(100)
    expect(await timed(() => upload.complete())).toBe(100)
    expect(await timed(() => Promise.all([store.get('u'), store.get('u')]))).toBe(63)
  })

  it('can take the delay from the size', async () => {
    const clock = new ManualClock()
    const store = delayingObjectStore(memory(), { clock, delayMs: (_request, bytes) => 5 + bytes / 10 })
    await clock.runUntil(store.put('a', body(100)))
    expect(clock.monotonicMs()).toBe(15)
  })
})
