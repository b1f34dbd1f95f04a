import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import type { Clock } from '../ports/clock.ts'
import { systemClock } from '../host/system-clock.ts'
import { systemRandom } from '../host/system-random.ts'
import { Recorder } from '../testing/recorder.ts'
import { until } from '../testing/until.ts'
import { Compaction } from './compaction.ts'
import { openStore } from './open-store.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-compaction-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

it('starts again, later each time, when its thread fails, until it is closed', { timeout: 120_000 }, async () => {
  const blocked = join(directory, 'a-file')
  await writeFile(blocked, 'in the way of a directory')
  const clock = new ManualClock()
  const recorder = new Recorder()
  const compaction = new Compaction({
    directory: blocked,
    allowNetworkFilesystem: false,
    clock,
    random: { next: () => 0.5 },
    log: recorder,
    metrics: recorder,
  })
  const ends = () => recorder.eventsNamed('compaction_thread_ended')
  await until(() => ends().length === 1)
  await clock.advance(499)
  expect(clock.pendingTimers).toBe(1)
  await clock.advance(1)
  await until(() => ends().length === 2)
  expect(ends()).toMatchObject([
    { code: 1, restartInMs: 500 },
    { code: 1, restartInMs: 1_000 },
  ])
  expect(String(ends()[0]?.['error'])).toContain(blocked)
  await compaction.close()
  expect(clock.pendingTimers).toBe(0)
})

function starting(clock: Clock) {
  const recorder = new Recorder()
  const options = { directory: join(directory, 'store'), allowNetworkFilesystem: false, clock, random: systemRandom }
  const compaction = new Compaction({ ...options, log: recorder, metrics: recorder })
  const troubles = () => recorder.events.filter(({ level }) => level === 'warn' || level === 'error')
  return { compaction, troubles }
}

// The clock stands still, so only the thread itself can end the wait for it.
it('is closed by its thread, although that has only begun', { timeout: 120_000 }, async () => {
  const clock = new ManualClock()
  const { compaction, troubles } = starting(clock)
  await compaction.close()
  await compaction.close()
  expect(troubles()).toEqual([])
  expect(clock.pendingTimers).toBe(0)
})

it('ends its thread when that does not stop in time', { timeout: 120_000 }, async () => {
  // Time is up before anything that the thread says can be heard.
  const timer = (_: number, run: () => void) => {
    run()
    return () => {}
  }
  const { compaction, troubles } = starting(Object.assign(new ManualClock(), { timer }))
  await compaction.close()
  expect(troubles()).toMatchObject([{ event: 'compaction_stop_forced', fields: { afterMs: 4_000 } }])
})

it('folds in this thread where the module of the thread is missing, and says so once', {
  timeout: 60_000,
}, async () => {
  const recorder = new Recorder()
  const store = await openStore(directory, { compaction: 'off' })
  const things = await store.getOrCreateCollection({ name: 'things' })
  await things.add({ ids: ['a'], embeddings: [[1, 2]] })
  const options = { directory, allowNetworkFilesystem: false, clock: systemClock, random: systemRandom }
  const compaction = new Compaction({ ...options, log: recorder, metrics: recorder }, null)
  await compaction.ready
  for (let i = 0; i < 400 && (await things.getIndexingStatus()).unindexedOps > 0; i++) await systemClock.sleep(25)
  expect((await things.getIndexingStatus()).unindexedOps).toBe(0)
  await compaction.close()
  await store.close()
  const problems = recorder.events.filter(({ level }) => level === 'warn' || level === 'error')
  expect(problems.map(({ event }) => event)).toEqual(['compaction_in_process'])
})
