import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { closeEnvironment, openEnvironment } from '../directory/directory-environment.ts'
import { ManualClock } from './manual-clock.ts'
import { memoryEnvironment } from './memory-environment.ts'

describe('openEnvironment', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'siltstone-environment-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('keeps objects, messages and leases in the directory', async () => {
    const first = await openEnvironment(directory)
    await first.store.put('k', new Uint8Array(1))
    await first.queue.send('hello')
    await first.leases.acquire('a', 'me', 60_000)
    const second = await openEnvironment(directory)
    expect((await second.store.list('')).objects.map(({ key }) => key)).toEqual(['k'])
    expect((await second.queue.depth()).visible).toBe(1)
    expect(await second.leases.acquire('a', 'you', 60_000)).toMatchObject({ status: 'busy' })
    await closeEnvironment(first)
    await closeEnvironment(second)
    expect(readdirSync(join(directory, '.siltstone')).sort()).toEqual(['coordination.sqlite', 'lock.sqlite'])
  })

  it('writes nothing when it is for reading only', async () => {
    const environment = await openEnvironment(directory, { readOnly: true })
    await environment.queue.send('hello')
    await expect(environment.store.put('k', new Uint8Array(1))).rejects.toMatchObject({ code: 'read-only' })
    await closeEnvironment(environment)
    expect(readdirSync(directory)).toEqual([])
  })
})

describe('memoryEnvironment', () => {
  it('replays from a seed and a clock', () => {
    const take = () => {
      const { ids, random } = memoryEnvironment({ seed: 3, clock: new ManualClock() })
      return [ids.ulid(), ids.uuid(), random.next()]
    }
    expect(take()).toEqual(take())
  })
})
