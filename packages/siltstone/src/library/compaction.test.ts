import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { systemClock } from '../host/system-clock.ts'
import { Recorder } from '../testing/recorder.ts'
import { Compaction } from './compaction.ts'
import { openStore } from './open-store.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-compaction-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i++) await systemClock.sleep(25)
  expect(condition()).toBe(true)
}

it('starts again, later each time, when its thread fails, until it is closed', async () => {
  const blocked = join(directory, 'a-file')
  await writeFile(blocked, 'in the way of a directory')
  const clock = new ManualClock()
  const recorder = new Recorder()
  const compaction = new Compaction({
    directory: blocked,
    allowNetworkFilesystem: false,
    clock,
    log: recorder,
    metrics: recorder,
  })
  const ends = () => recorder.eventsNamed('compaction_thread_ended')
  await until(() => ends().length === 1)
  await clock.advance(999)
  expect(clock.pendingTimers).toBe(1)
  await clock.advance(1)
  await until(() => ends().length === 2)
  expect(ends()).toMatchObject([
    { code: 1, restartInMs: 1_000 },
    { code: 1, restartInMs: 2_000 },
  ])
  expect(String(ends()[0]?.['error'])).toContain(blocked)
  await compaction.close()
  expect(clock.pendingTimers).toBe(0)
})

it('is closed within its time although the thread has only begun', async () => {
  const recorder = new Recorder()
  const options = { directory: join(directory, 'store'), allowNetworkFilesystem: false, clock: systemClock }
  const compaction = new Compaction({ ...options, log: recorder, metrics: recorder })
  await compaction.close()
  await compaction.close()
  expect(recorder.events.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
})

it('folds in this thread where the module of the thread is missing, and says so once', {
  timeout: 60_000,
}, async () => {
  const recorder = new Recorder()
  const store = await openStore(directory, { compaction: 'off' })
  const things = await store.getOrCreateCollection({ name: 'things' })
  await things.add({ ids: ['a'], embeddings: [[1, 2]] })
  const options = { directory, allowNetworkFilesystem: false, clock: systemClock, log: recorder, metrics: recorder }
  const compaction = new Compaction(options, null)
  await compaction.ready
  for (let i = 0; i < 400 && (await things.getIndexingStatus()).unindexedOps > 0; i++) await systemClock.sleep(25)
  expect((await things.getIndexingStatus()).unindexedOps).toBe(0)
  await compaction.close()
  await store.close()
  const problems = recorder.events.filter(({ level }) => level === 'warn' || level === 'error')
  expect(problems.map(({ event }) => event)).toEqual(['compaction_in_process'])
})
