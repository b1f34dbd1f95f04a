import { describe, expect, it } from 'vitest'
import { ManualClock } from './manual-clock.ts'
import { MemoryObjectStore } from './memory-object-store.ts'
import { describeObjectStore } from '../../ports/object-store.contract.ts'
import { systemClock } from '../../host/system-clock.ts'

describeObjectStore('memory', async () => {
  const store = new MemoryObjectStore({ clock: systemClock })
  return { store, dispose: () => store.close() }
})

describe('MemoryObjectStore', () => {
  it('takes the time of objects from its clock', async () => {
    const clock = new ManualClock(5000)
    const store = new MemoryObjectStore({ clock })
    await store.put('a', new Uint8Array(1))
    await clock.advance(250)
    await store.put('b', new Uint8Array(1))
    const page = await store.list('')
    expect(page.objects.map(({ lastModifiedMs }) => lastModifiedMs)).toEqual([5000, 5250])
  })
})
