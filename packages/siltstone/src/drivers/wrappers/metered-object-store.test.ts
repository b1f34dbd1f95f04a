import { expect, it } from 'vitest'
import { ManualClock } from '../memory/manual-clock.ts'
import { MemoryObjectStore } from '../memory/memory-object-store.ts'
import { meteredObjectStore } from './metered-object-store.ts'
import { noMetrics } from '../../ports/telemetry.ts'

it('tells metrics requests and bytes, at most once a second and when it is closed', async () => {
  const clock = new ManualClock()
  const told: [string, number, string | undefined][] = []
  const metrics = {
    ...noMetrics,
    count: (name: string, amount = 1, labels: Readonly<Record<string, string>> = {}) =>
      void told.push([name, amount, labels['operation']]),
  }
  const store = meteredObjectStore(new MemoryObjectStore({ clock }), metrics, clock)
  await store.put('a/b', new Uint8Array(10))
  await store.get('a/b')
  await store.get('a/nothing')
  expect(told).toEqual([])
  await clock.advance(1_000)
  await store.list('a/')
  expect(told).toEqual([
    ['store_requests', 2, 'get'],
    ['store_requests', 1, 'put'],
    ['store_requests', 1, 'list'],
    ['store_bytes_read', 10, undefined],
    ['store_bytes_written', 10, undefined],
  ])
  told.length = 0
  const upload = await store.upload('a/c')
  await upload.write(new Uint8Array(7))
  await upload.complete()
  await store.delete(['a/b', 'a/c'])
  await store.close()
  expect(told).toEqual([
    ['store_requests', 2, 'put'],
    ['store_requests', 1, 'delete'],
    ['store_bytes_written', 7, undefined],
  ])
})

it('is the store itself without metrics', () => {
  const clock = new ManualClock()
  const store = new MemoryObjectStore({ clock })
  expect(meteredObjectStore(store, noMetrics, clock)).toBe(store)
})
