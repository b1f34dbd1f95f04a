import { silentLogger } from 'siltstone/internal'
import { describe, expect, it } from 'vitest'
import { changedObjects, changeEvent } from './events.ts'
import { handleMessage } from './handle-message.ts'
import { ProcessingRules } from './rules.ts'
import { siblingKey } from './side-cars.ts'
import { StateStore } from './state-store.ts'
import { sweep } from './sweep.ts'
import { BUCKET, ProcessWorld } from './testing/process-world.ts'

const MONTH_MS = 31 * 24 * 3_600_000

async function world(rules?: ProcessingRules) {
  const made = await ProcessWorld.make()
  if (rules) made.rules = rules
  const states = new StateStore(made.store, made.ids)
  const reconciler = made.reconciler('worker')
  const queued: string[] = []
  const queue = { send: async (body: string) => void queued.push(body) }
  /** Handles a message and all that follow from it. @returns the keys in the order of the messages */
  const tell = async (key: string, deleted?: 'removed' | 'expired') => {
    queued.push(changeEvent({ bucket: BUCKET, key, ...(deleted && { deleted }) }))
    const told: string[] = []
    for (let body = queued.shift(); body !== undefined; body = queued.shift()) {
      told.push(...changedObjects(body).map((one) => one.key))
      await handleMessage(body, { queue, reconciler, clock: made.clock, log: silentLogger })
    }
    return told
  }
  const swept = async () => {
    const found: string[] = []
    await sweep({
      bucket: BUCKET,
      blobs: made.bucket,
      states,
      reconciler,
      found: async (key) => void found.push(key),
      onDamaged: (error) => {
        throw error
      },
    })
    for (const key of found) await reconciler.reconcile(BUCKET, key)
    return found
  }
  const shown = async (key: string) => (await made.recordsOf(key)).map(({ document }) => document).join()
  const state = async (key: string) => (await states.read(BUCKET, key))?.state
  return { made, reconciler, tell, swept, shown, state }
}

it('a sweep leaves the audio of jobs of speech alone', async () => {
  const { made, swept } = await world()
  await made.put('derived/transcribe/siltstone-1.wav', 'audio')
  await made.put('derived/0123/run/t', 'of nobody')
  expect(await swept()).toEqual([])
  expect(await made.derived()).toEqual(['derived/transcribe/siltstone-1.wav'])
})

describe('a file beside a recording', () => {
  it('has its key but for the extension', () => {
    expect(siblingKey('a/talk.mp4', '.srt')).toBe('a/talk.srt')
    expect(siblingKey('a.b/talk', '.srt')).toBe('a.b/talk.srt')
    expect(siblingKey('talk.en.mp4', '.srt')).toBe('talk.en.srt')
    expect(siblingKey('a/.mp4', '.srt')).toBe('a/.mp4.srt')
    expect(siblingKey('', '.srt')).toBe('.srt')
  })

  it('is read in its newest version, and is searchable itself', async () => {
    const { made, tell, shown, state } = await world()
    await made.bucket.setVersioning('enabled')
    await made.put('up/talk.srt', 'old')
    await made.put('up/talk.srt', 'new')
    await made.put('up/talk.mp4', 'beside')
    await tell('up/talk.mp4')
    expect(await shown('up/talk.mp4')).toBe('new')
    const head = await made.bucket.head('up/talk.srt')
    const version = head.status === 'ok' ? head.blob.versionId : ''
    expect((await state('up/talk.mp4'))?.sideCars).toEqual([{ key: 'up/talk.srt', version }])
    await tell('up/talk.srt')
    expect(await shown('up/talk.srt')).toBe('new')
  })

  it('that comes, changes or is deleted later has its recordings processed again, and no others', async () => {
    const { made, tell, swept, shown, state } = await world()
    for (const key of ['talk.mp4', 'talk.webm', 'talk', 'talk.en.mp4', 'talks.mp4']) await made.put(key, 'beside')
    // It has never looked for one.
    await made.put('talk.txt', 'plain')
    await made.settle()
    expect(await shown('talk.mp4')).toBe('nothing beside it')
    await made.put('talk.srt', 'said')
    expect((await tell('talk.srt')).sort()).toEqual(['talk', 'talk.mp4', 'talk.srt', 'talk.webm'])
    for (const key of ['talk.mp4', 'talk.webm', 'talk']) expect(await shown(key)).toBe('said')
    expect(await shown('talk.en.mp4')).toBe('nothing beside it')
    await made.put('talk.srt', 'said better')
    await tell('talk.srt')
    expect(await shown('talk.mp4')).toBe('said better')
    const runs = (await state('talk.mp4'))?.run
    // Once is enough.
    await tell('talk.srt')
    expect(await swept()).toEqual([])
    expect((await state('talk.mp4'))?.run).toBe(runs)
    await made.bucket.delete('talk.srt')
    await tell('talk.srt', 'removed')
    expect(await shown('talk.mp4')).toBe('nothing beside it')
    expect(await shown('talk.srt')).toBe('')
  })

  it('may be a recording itself: two of them end, also when they have expired', async () => {
    const { made, tell, swept, state } = await world(new ProcessingRules([{ prefix: '', expireDays: 30 }]))
    await made.put('talk.vtt', 'beside')
    await made.put('talk.srt', 'beside of vtt')
    expect(await tell('talk.srt')).toEqual(['talk.srt'])
    expect(await tell('talk.vtt')).toEqual(['talk.vtt'])
    expect(await tell('talk.srt')).toEqual(['talk.srt'])
    expect((await state('talk.srt'))?.sideCars).toEqual([{ key: 'talk.vtt', version: expect.any(String) }])
    expect((await state('talk.vtt'))?.sideCars).toEqual([{ key: 'talk.srt', version: expect.any(String) }])
    made.clock.now += MONTH_MS
    await made.bucket.delete('talk.srt')
    await made.bucket.delete('talk.vtt')
    await tell('talk.srt', 'expired')
    await tell('talk.vtt', 'expired')
    expect((await state('talk.srt'))?.progress).toBe('expired')
    expect((await state('talk.vtt'))?.progress).toBe('expired')
    expect(await tell('talk.vtt')).toEqual(['talk.vtt'])
    expect(await swept()).toEqual([])
  })

  it('is noticed by a sweep if nobody told of it', async () => {
    const { made, swept, shown } = await world()
    await made.put('talk.mp4', 'beside')
    await made.settle()
    await made.put('talk.srt', 'said')
    expect((await swept()).sort()).toEqual(['talk.mp4', 'talk.srt'])
    expect(await shown('talk.mp4')).toBe('said')
    expect(await swept()).toEqual([])
  })

  it('that comes, or changes, while the recording is processed is read before the work ends', async () => {
    for (const before of [undefined, 'said']) {
      const { made, tell, shown } = await world()
      if (before !== undefined) await made.put('talk.srt', before)
      await made.put('talk.mp4', 'one\nbeside')
      const worker = made.actor('worker')
      worker.begin('talk.mp4')
      await worker.stepTo('commitIf')
      await made.put('talk.srt', 'said later')
      await tell('talk.srt')
      await worker.finish()
      expect(await shown('talk.mp4')).toBe('one,said later')
    }
  })

  it('that changes between the look at it and the read of it fails the attempt, not the recording', async () => {
    const { made, shown, state } = await world()
    await made.put('talk.srt', 'said')
    await made.put('talk.mp4', 'beside')
    const worker = made.actor('worker')
    worker.begin('talk.mp4')
    // The object itself, then the file beside it.
    await worker.stepTo('get')
    while ((await state('talk.mp4'))?.progress !== 'running') await worker.stepTo('get')
    await worker.stepTo('head')
    await worker.stepTo('get')
    await made.put('talk.srt', 'said in other words')
    await worker.finish()
    expect(await shown('talk.mp4')).toBe('said in other words')
    expect(await state('talk.mp4')).toMatchObject({ progress: 'done', attempt: 2 })
  })

  it('gives a recording that is dead another chance', async () => {
    const { made, reconciler, tell, state } = await world()
    await made.put('talk.mp4', 'beside\nfail')
    await reconciler.reconcile(BUCKET, 'talk.mp4')
    expect(await state('talk.mp4')).toMatchObject({ progress: 'dead', run: 1 })
    await made.put('talk.srt', 'said')
    await tell('talk.srt')
    expect(await state('talk.mp4')).toMatchObject({ progress: 'dead', run: 2, attempt: 1 })
  })

  it('that expires changes nothing; one that somebody deletes, then or later, does', async () => {
    const { made, tell, swept, shown } = await world(new ProcessingRules([{ prefix: '', expireDays: 30 }]))
    await made.put('talk.srt', 'said')
    made.clock.now += MONTH_MS / 2
    await made.put('talk.mp4', 'beside')
    await made.settle()
    made.clock.now += MONTH_MS / 2
    await made.bucket.delete('talk.srt')
    // Also before any worker knows of it.
    expect(await swept()).toEqual(['talk.srt'])
    await tell('talk.srt', 'expired')
    expect(await shown('talk.mp4')).toBe('said')
    await tell('talk.srt', 'removed')
    expect(await shown('talk.mp4')).toBe('nothing beside it')
  })

  it('changes nothing where no rule wants the recording any more', async () => {
    const { made, tell, shown } = await world()
    await made.put('talk.mp4', 'beside')
    await made.settle()
    made.rules = new ProcessingRules([{ prefix: '', process: false }])
    await made.put('talk.srt', 'said')
    await made.reconciler('next').reconcile(BUCKET, 'talk.mp4')
    expect(await shown('talk.mp4')).toBe('nothing beside it')
    await tell('talk.srt')
    expect(await shown('talk.mp4')).toBe('said')
  })
})
