import { mkdtemp, rm, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DirectoryBlobs } from '../drivers/directory/blobs/directory-blobs.ts'
import { dataKey } from '../drivers/directory/blobs/index-copy.ts'
import { verifyBlobs } from '../drivers/directory/blobs/verify-blobs.ts'
import { closeEnvironment, openEnvironment } from '../drivers/directory/directory-environment.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { initialiseStore } from '../catalog/index.ts'
import { systemClock } from '../host/system-clock.ts'
import { systemRandom } from '../host/system-random.ts'
import { interceptedStore } from '../ports/forwarding-store.ts'
import type { Environment } from '../ports/environment.ts'
import { backUp } from './back-up.ts'

const parts = { clock: systemClock, random: systemRandom }
const bytes = (size: number, seed: number) => Uint8Array.from({ length: size }, (_, k) => (k * 31 + seed) % 251)
const LARGE = 40_000

let folder: string
let from: string
let blobs: DirectoryBlobs
let env: Environment

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'siltstone-copy-blobs-'))
  from = join(folder, 'from')
  env = await openEnvironment(from)
  await initialiseStore(env.store)
  blobs = await DirectoryBlobs.open(from, parts)
  await blobs.createBucket('media')
})
afterEach(async () => {
  await blobs.close()
  await closeEnvironment(env)
  await rm(folder, { recursive: true, force: true })
})

/** Content of all objects of a directory, by key. */
async function contentOf(directory: string): Promise<Record<string, string>> {
  const opened = await DirectoryBlobs.open(directory, parts)
  const bucket = opened.bucket('media')
  const found: Record<string, string> = {}
  for (const { key } of (await bucket.list()).blobs) {
    const got = await bucket.get(key)
    const chunks: Uint8Array[] = []
    if (got.status === 'ok') for await (const chunk of got.body) chunks.push(chunk)
    found[key] = Buffer.concat(chunks).toString('base64')
  }
  await opened.close()
  return found
}

const base64 = (content: Uint8Array) => Buffer.from(content).toString('base64')

describe('a backup of objects in use', () => {
  it('shows them as they were at one moment, and goes on after it was stopped', async () => {
    const bucket = blobs.bucket('media')
    await bucket.put('small', bytes(10, 1))
    await bucket.put('large', bytes(LARGE, 2))
    const to = join(folder, 'to')
    const target = await openEnvironment(to)
    let puts = 0
    // In the middle of the copying, objects are replaced, added and deleted; then the process ends.
    const stopping = interceptedStore(target.store, async ({ operation, key }, effect) => {
      if (operation === 'put' && key.startsWith('blobs/data/') && ++puts === 1) {
        await bucket.put('large', bytes(LARGE, 3))
        await bucket.put('added', bytes(LARGE, 4))
        await bucket.delete('small')
      }
      if (key === 'blobs/index.sqlite') throw new Error('stopped')
      return effect()
    })
    await expect(backUp(env, { ...target, store: stopping }, { directory: from })).rejects.toThrow('stopped')
    const report = await backUp(env, target, { directory: from })
    expect(report.problems).toEqual([])
    await closeEnvironment(target)
    expect(await contentOf(to)).toEqual({ added: base64(bytes(LARGE, 4)), large: base64(bytes(LARGE, 3)) })
    expect(await verifyBlobs(to, { deep: true })).toMatchObject({ objects: 2, problems: [] })
  })

  it('goes to a bucket and back', async () => {
    await blobs.bucket('media').put('large', bytes(LARGE, 5))
    const middle = memoryEnvironment({ seed: 1 })
    await backUp(env, middle, { directory: from })
    const to = join(folder, 'back')
    const target = await openEnvironment(to)
    await backUp(middle, target)
    await closeEnvironment(target)
    expect(await contentOf(to)).toEqual({ large: base64(bytes(LARGE, 5)) })
  })

  it('takes a newer index when files were freed and removed before they were copied', async () => {
    const bucket = blobs.bucket('media')
    await bucket.put('a', bytes(LARGE, 6))
    await bucket.put('b', bytes(LARGE, 7))
    const target = memoryEnvironment({ seed: 1 })
    const later = await DirectoryBlobs.open(from, {
      ...parts,
      clock: { ...systemClock, nowMs: () => systemClock.nowMs() + 10 * 60_000 },
    })
    let isRemoved = false
    const removing = interceptedStore(target.store, async ({ operation, key }, effect) => {
      if (operation === 'list' && key.startsWith('blobs/data/') && !isRemoved) {
        isRemoved = true
        await bucket.delete('a')
        await later.maintain()
      }
      return effect()
    })
    const report = await backUp(env, { ...target, store: removing }, { directory: from })
    await later.close()
    expect([isRemoved, report.problems]).toEqual([true, []])
    expect((await target.store.list('blobs/data/')).objects).toHaveLength(1)
  })

  it('reports files that are missing in the store', async () => {
    await blobs.bucket('media').put('a', bytes(LARGE, 8))
    const [{ key } = { key: '' }] = (await env.store.list('blobs/data/')).objects
    await unlink(join(from, key))
    const report = await backUp(env, memoryEnvironment({ seed: 1 }), { directory: from })
    expect(report.problems).toMatchObject([{ key, severity: 'error' }])
    expect(dataKey(key.split('/').at(-1) as string)).toBe(key)
  })
})
