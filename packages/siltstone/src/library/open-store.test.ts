import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { until } from '../testing/until.ts'
import { VERSION } from '../version.ts'
import { openStore } from './open-store.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-library-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

it('keeps what was written, and its thread compacts without being asked', async () => {
  const events: string[] = []
  const note = (event: string) => void events.push(event)
  const store = await openStore(directory, { logger: { debug: note, info: note, warn: note, error: note } })
  const notes = await store.createCollection({ name: 'notes' })
  await notes.add({ ids: ['a', 'b'], embeddings: [[1], [2]] })
  const [snapshot] = await until(async () => {
    const snapshots = await notes.snapshots()
    return snapshots.length > 0 && snapshots
  })
  expect(snapshot).toMatchObject({ watermark: 1, liveRecords: 2 })
  await until(async () => events.includes('compacted'))
  await store.close()
  await store.close()
  const again = await openStore({ directory, compaction: 'off' })
  expect((await (await again.getCollection({ name: 'notes' })).get()).ids).toEqual(['a', 'b'])
  await again.close()
  expect(events).not.toContain('compaction_thread_ended')
})

const OTHER = `
  const { openStore } = await import(process.argv[1])
  const store = await openStore(process.argv[2], { compaction: process.argv[4] })
  const shared = await store.getOrCreateCollection({ name: 'shared' })
  for (let i = 0; i < 25; i++) {
    const n = String(i)
    await shared.upsert({ ids: [process.argv[3] + n, 'both' + n], embeddings: [[i, 1], [i, 2]], metadatas: [{ n: i }, { [process.argv[3]]: i }] })
    if (i % 10 === 9) await shared.compact()
  }
  console.log(await shared.count())
  await store.close()
`

it('two processes write, compact and read the same collection, and nothing is lost', async () => {
  const run = (who: string, compaction: string) =>
    promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      OTHER,
      new URL('../index.ts', import.meta.url).href,
      directory,
      who,
      compaction,
    ])
  const store = await openStore(directory)
  const shared = await store.getOrCreateCollection({ name: 'shared' })
  await Promise.all([run('one', 'worker'), run('two', 'off')])
  expect(await shared.count()).toBe(75)
  const { metadatas } = await shared.get({ ids: ['both7'] })
  expect(metadatas).toEqual([{ one: 7, two: 7 }])
  await store.close()
})

it('says what is wrong with a directory that cannot be used', async () => {
  await expect(openStore('')).rejects.toMatchObject({ code: 'no-directory' })
  await expect(openStore(join(process.execPath, 'data'))).rejects.toMatchObject({ name: 'SiltstoneError' })
})

it('has the version of its package', () => {
  expect(VERSION).toBe(packageJson.version)
})
