import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ManualClock } from '../memory/manual-clock.ts'
import { seededRandom } from '../../ports/seeded-random.ts'
import { StoreLock } from './store-lock.ts'

it('writes nothing, so that it can be taken on a full disk, and keeps others out', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'siltstone-lock-'))
  const options = { path: join(directory, 'lock.sqlite'), clock: new ManualClock(), random: seededRandom(1), waitMs: 0 }
  const [one, other] = [new StoreLock(options), new StoreLock(options)]
  try {
    let others: Promise<void> | undefined
    const files = await one.run(() => {
      others = other.run(() => undefined)
      return readdirSync(directory)
    })
    await expect(others).rejects.toMatchObject({ code: 'store-locked' })
    expect(files).toEqual(['lock.sqlite'])
    await other.run(() => undefined)
    expect(await readdir(directory)).toEqual(['lock.sqlite'])
  } finally {
    one.close()
    other.close()
    await rm(directory, { recursive: true })
  }
})
