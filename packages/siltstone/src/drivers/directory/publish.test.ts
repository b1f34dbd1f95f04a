import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../host/system-clock.ts'
import { systemRandom } from '../../host/system-random.ts'
import { EtagMemo } from './etag-memo.ts'
import { publish, type PublishContext } from './publish.ts'
import { StoreLock } from './store-lock.ts'

describe('publish', () => {
  let root: string
  let context: PublishContext
  let synced: string[]
  let failing: string | undefined
  const file = () => {
    const path = join(root, 'temp')
    writeFileSync(path, 'content')
    return { path, etag: 'e', stat: statSync(path, { bigint: true }) }
  }

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'siltstone-publish-'))
    synced = []
    failing = undefined
    context = {
      root,
      directories: {
        sync: async (directory) => {
          if (directory === failing) throw Object.assign(new Error('EIO: it failed'), { code: 'EIO' })
          synced.push(directory)
        },
      },
      lock: new StoreLock({ path: join(root, 'lock.sqlite'), clock: systemClock, random: systemRandom, waitMs: 1000 }),
      etags: new EtagMemo(),
      syncBefore: () => ['log/inbox'],
      retrying: (work) => work(),
    }
  })
  afterEach(() => {
    context.lock.close()
    rmSync(root, { recursive: true })
  })

  it('syncs what the object refers to before, and its folder after', async () => {
    expect(await publish('log/1', file(), { ifAbsent: true }, context)).toEqual({ status: 'ok', etag: 'e' })
    expect(synced).toEqual([join(root, 'log/inbox'), join(root, 'log')])
  })

  it.each([{ ifAbsent: true as const }, {}])(
    'is unknown when the folder cannot be synced after (%j)',
    async (condition) => {
      failing = join(root, 'log')
      await expect(publish('log/1', file(), condition, context)).rejects.toMatchObject({
        kind: 'unknown',
        code: 'not-durable',
        key: 'log/1',
      })
      expect(readFileSync(join(root, 'log/1'), 'utf8')).toBe('content')
    },
  )

  it('shows nothing when what it refers to cannot be synced', async () => {
    failing = join(root, 'log/inbox')
    await expect(publish('log/1', file(), { ifAbsent: true }, context)).rejects.toMatchObject({ code: 'EIO' })
    expect(statSync(join(root, 'log/1'), { throwIfNoEntry: false })).toBeUndefined()
  })

  it('syncs no folder for what was refused', async () => {
    writeFileSync(join(root, 'k'), 'there')
    expect(await publish('k', file(), { ifAbsent: true }, context)).toEqual({ status: 'exists' })
    expect(await publish('k', file(), { ifMatch: 'other' }, context)).toEqual({ status: 'mismatch' })
    expect(await publish('l', file(), { ifMatch: 'other' }, context)).toEqual({ status: 'not-found' })
    expect(synced).toEqual(Array.from({ length: 3 }, () => join(root, 'log/inbox')))
  })
})
