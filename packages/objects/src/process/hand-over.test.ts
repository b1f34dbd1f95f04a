import { expect, it } from 'vitest'
import { HAND_OVER_MS, Tiers } from './hand-over.ts'
import { newState, type Tier } from './state.ts'
import { StateStore } from './state-store.ts'
import { statusOf } from './status.ts'
import { BUCKET, LimitedWorker, ProcessWorld } from './testing/process-world.ts'

async function world() {
  const made = await ProcessWorld.make()
  const states = new StateStore(made.store, made.ids)
  const worker = (tier: Tier) => new LimitedWorker(made, tier, tier)
  const state = async () => (await states.read(BUCKET, 'talk'))?.state
  const documents = async () => (await made.recordsOf('talk')).map(({ document }) => document)
  return { made, worker, state, documents }
}

it('a recording goes from a function to one with ffmpeg, and from there to a task when its time is over', async () => {
  const { made, worker, state, documents } = await world()
  await made.put('talk', 'media\nslow')
  expect(await worker('function').reconcile('talk')).toEqual({
    status: 'wait',
    untilMs: made.clock.now + HAND_OVER_MS,
  })
  expect(made.orders).toEqual([{ tier: 'media', key: 'talk' }])
  await worker('media').reconcile('talk')
  expect(made.orders.map(({ tier }) => tier)).toEqual(['media', 'task'])
  const waits = await state()
  expect(waits).toMatchObject({ progress: 'queued', attempt: 1, handOver: { tier: 'task' } })
  const { object } = waits ?? {}
  expect(statusOf(BUCKET, 'talk', waits, object ?? undefined, true).step).toMatch(
    /^waits for a worker of the tier task: task\/[0-9a-f]{32}-2-1$/,
  )
  expect(await documents()).toEqual([])
  await worker('task').reconcile('talk')
  expect(await documents()).toEqual(['media', 'slow'])
  expect(await state()).toMatchObject({ progress: 'done', attempt: 1, handOver: null })
  // What is asked for again begins where every object begins.
  await made.replay('talk')
  await worker('function').reconcile('talk')
  expect(await state()).toMatchObject({ progress: 'queued', handOver: { tier: 'media' } })
  expect(await documents()).toEqual(['media', 'slow'])
})

it('a task that is refused is an attempt that failed, and one that never begins makes the object dead', async () => {
  const { made, worker, state } = await world()
  made.maxAttempts = 3
  await made.put('talk', 'media')
  made.refusesNextOrder = true
  const outcome = await worker('function').reconcile('talk')
  expect(await state()).toMatchObject({ progress: 'failed', attempt: 1, error: { code: 'no-capacity' } })
  made.clock.now = outcome.status === 'wait' ? outcome.untilMs : 0
  for (let attempt = 2; attempt <= 3; attempt++) {
    await worker('function').reconcile('talk')
    expect(await state()).toMatchObject({ progress: 'queued', attempt })
    made.clock.now += HAND_OVER_MS
  }
  expect(made.orders).toHaveLength(2)
  expect(await worker('function').reconcile('talk')).toEqual({ status: 'settled' })
  expect(await state()).toMatchObject({ progress: 'dead', error: { code: 'worker-missing' } })
})

it('where there is nobody to tell, a worker does what it can', async () => {
  const none = new Tiers({ own: 'function', recipients: {} })
  expect(none.ofObject('media', 1)).toBeUndefined()
  expect(none.above(newState('b', 'k'))).toBeUndefined()
  expect(new Tiers().above(newState('b', 'k'))).toBeUndefined()
  const started = async () => undefined
  const tasks = new Tiers({ own: 'function', recipients: { task: started }, taskAboveBytes: 9 })
  expect(tasks.ofObject('media', 1)).toBe('task')
  expect(tasks.ofObject('pdf', 100)).toBeUndefined()
  const both = new Tiers({ own: 'function', recipients: { media: started, task: started }, taskAboveBytes: 9 })
  expect([both.ofObject('media', 9), both.ofObject('media', 10)]).toEqual(['media', 'task'])
})
