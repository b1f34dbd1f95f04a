import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CountingObjectStore, countingObjectStore } from './counting-object-store.ts'
import { openDiskCacheStore } from './disk-cache-store.ts'
import { MemoryObjectStore } from '../memory/memory-object-store.ts'
import { systemClock } from '../../host/system-clock.ts'
import type { ObjectStore } from '../../ports/object-store.ts'
import { silentLogger } from '../../ports/telemetry.ts'

const KEY = 'segment/data'
const content = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251)

let directory: string
let far: CountingObjectStore

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-cache-'))
  far = countingObjectStore(new MemoryObjectStore({ clock: systemClock }))
  await far.put(KEY, content)
  await far.put('pointer', Uint8Array.of(1, 2, 3))
})
afterEach(async () => {
  // A store that is open may still write to its folder.
  await Promise.all(opened.splice(0).map((store) => store.close()))
  await rm(directory, { recursive: true, force: true })
})

const opened: ObjectStore[] = []

async function open(limitBytes = 1e9): Promise<ObjectStore> {
  const store = await openDiskCacheStore(far, { directory, limitBytes, log: silentLogger })
  opened.push(store)
  return store
}

async function keptBytes(): Promise<number> {
  const sizes = (await readdir(directory)).map(async (name) => (await stat(join(directory, name))).size)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

async function read(store: ObjectStore, offset: number, length: number): Promise<Uint8Array> {
  const got = await store.get(KEY, { range: { offset, length }, immutable: true })
  if (got.status !== 'ok') throw new Error(got.status)
  return got.body
}

describe('the cache on disk', () => {
  it('gives the bytes of the store for every range, also past the end', async () => {
    const store = await open(200_000)
    const range = fc.tuple(fc.integer({ min: 0, max: content.length + 10 }), fc.integer({ min: 1, max: 150_000 }))
    await fc.assert(
      fc.asyncProperty(range, async ([offset, length]) => {
        expect(Buffer.compare(await read(store, offset, length), content.subarray(offset, offset + length))).toBe(0)
      }),
    )
    await store.close()
    expect(await keptBytes()).toBeLessThanOrEqual(200_000)
  })

  it('asks the store once, also after a restart, and never for what may change', async () => {
    const first = await open()
    await read(first, 10, 100_000)
    await first.close()
    const again = await open()
    far.takeCounts()
    await read(again, 20_000, 90_000)
    expect(far.takeCounts().get).toBe(0)
    for (let i = 0; i < 2; i++) await again.get('pointer', { range: { offset: 0, length: 2 } })
    expect(far.takeCounts().get).toBe(2)
  })

  it('fetches a damaged block again', async () => {
    const first = await open()
    await read(first, 0, 100)
    await first.close()
    for (const name of await readdir(directory)) await writeFile(join(directory, name), 'torn')
    expect(await read(await open(), 0, 100)).toEqual(content.slice(0, 100))
  })

  it('answers a missing object as the store does', async () => {
    const store = await open()
    expect(await store.get('segment/none', { range: { offset: 0, length: 1 }, immutable: true })).toEqual({
      status: 'not-found',
    })
  })
})
