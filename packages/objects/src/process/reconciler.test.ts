import { describe, expect, it } from 'vitest'
import { ProcessingRules } from './rules.ts'
import { StateStore } from './state-store.ts'
import { BUCKET, ProcessWorld } from './testing/process-world.ts'

async function world() {
  const made = await ProcessWorld.make()
  const states = new StateStore(made.store, made.ids)
  const documents = async (key: string) => (await made.recordsOf(key)).map(({ document }) => document)
  const state = async (key: string) => (await states.read(BUCKET, key))?.state
  /** A worker of that name begins, and goes on until its processor is at work, as the state says of a key that was lost before. */
  const atWork = async (name: string, key: string) => {
    const worker = made.actor(name)
    worker.begin(key)
    const isAtWork = async () => {
      const claim = (await state(key))?.claim
      return claim?.owner === name && claim.step === 'process'
    }
    while (!(await isAtWork())) await worker.step(0)
    return worker
  }
  return { made, states, documents, state, atWork, reconciler: made.reconciler('one') }
}

describe('an object', () => {
  it('becomes records with its lineage, and they go with it', async () => {
    const { made, state, reconciler } = await world()
    const put = await made.put('up/a b.txt', 'one\ntwo')
    await reconciler.reconcile(BUCKET, 'up/a b.txt')
    const version = put.status === 'ok' ? put.blob.etag.replaceAll('"', '') : ''
    const collection = await made.find(BUCKET)
    const got = await collection?.get({ include: { metadatas: true, uris: true } })
    expect(got?.ids[0]).toMatch(new RegExp(`^[0-9a-f]{32}/${version}#lines/0$`))
    expect(got?.uris?.[0]).toBe(`siltstone://media/up/a%20b.txt?version=${version}`)
    expect(JSON.parse(got?.metadatas?.[0] ?? '')).toMatchObject({
      object_bucket: BUCKET,
      object_key: 'up/a b.txt',
      object_version: version,
      kind: 'passage',
      processor: 'lines',
      pipeline: 'lines@1',
    })
    expect(await state('up/a b.txt')).toMatchObject({ progress: 'done', records: 2, collections: [BUCKET], attempt: 1 })
    await made.bucket.delete('up/a b.txt')
    await reconciler.reconcile(BUCKET, 'up/a b.txt')
    expect(await collection?.count()).toBe(0)
    expect(await state('up/a b.txt')).toMatchObject({ progress: 'gone', object: null, records: 0 })
  })

  it('that is spoken is transcribed by the pipeline', async () => {
    const { made, documents, reconciler } = await world()
    await made.put('talk', 'speech')
    await reconciler.reconcile(BUCKET, 'talk')
    expect(await documents('talk')).toEqual(['3 samples'])
  })

  it('that takes long is found in part before its end, instead of the version before, and as a whole afterwards', async () => {
    const { made, documents, state, reconciler } = await world()
    await made.put('a', 'old')
    await reconciler.reconcile(BUCKET, 'a')
    await made.put('a', 'one\npublish\ntwo')
    const worker = made.actor('worker')
    worker.begin('a')
    await worker.stepTo('commitIf')
    expect(await documents('a')).toEqual(['old'])
    await worker.step(0)
    expect(await documents('a')).toEqual(['one'])
    expect(await state('a')).toMatchObject({ progress: 'running', steps: {}, isWhole: false })
    await worker.stepTo('commitIf')
    const steps = { first: { state: 'done' } }
    expect(await state('a')).toMatchObject({ progress: 'running', steps, records: 1, isWhole: false })
    await worker.finish()
    expect(await documents('a')).toEqual(['one', 'two'])
    expect(await state('a')).toMatchObject({
      progress: 'done',
      steps: { lines: { records: 3 } },
      records: 2,
      isWhole: true,
    })
  })

  it.each(['deleted', 'replaced', 'refused', 'given up'])(
    'of which a part was shown and that is %s then has no more of it',
    async (how) => {
      const { made, documents, state, atWork, reconciler } = await world()
      await made.put('a', how === 'refused' ? 'one\npublish\nfail' : 'one\npublish\ntwo')
      const worker = made.actor('worker')
      worker.begin('a')
      await worker.stepTo('commitIf')
      await worker.step(0)
      expect(await documents('a')).toEqual(['one'])
      if (how === 'deleted') await made.bucket.delete('a')
      if (how === 'replaced') await made.put('a', 'three')
      if (how === 'refused') await worker.finish()
      else worker.kill()
      if (how === 'given up') {
        made.maxAttempts = 1
        made.clock.now += 61_000
        const next = await atWork('next', 'a')
        next.kill()
        made.clock.now += 61_000
        await made.reconciler('last').reconcile(BUCKET, 'a')
      } else await reconciler.reconcile(BUCKET, 'a')
      expect(await documents('a')).toEqual(how === 'replaced' ? ['three'] : [])
      const dead = { progress: 'dead', steps: {}, records: 0 }
      const end = { deleted: { progress: 'gone', steps: {}, records: 0 }, replaced: { progress: 'done' } }
      expect(await state('a')).toMatchObject(end[how as keyof typeof end] ?? dead)
    },
  )

  it('that is refused has no records, neither its own nor those of the version before', async () => {
    const { made, documents, state, reconciler } = await world()
    await made.put('a', 'one')
    await reconciler.reconcile(BUCKET, 'a')
    await made.put('a', 'two\nfail')
    expect(await reconciler.reconcile(BUCKET, 'a')).toEqual({ status: 'settled' })
    expect(await documents('a')).toEqual([])
    expect(await state('a')).toMatchObject({ progress: 'dead', error: { code: 'corrupt-file' } })
    // Until somebody asks for it.
    await made.replay('a')
    await reconciler.reconcile(BUCKET, 'a')
    expect(await state('a')).toMatchObject({ progress: 'dead', attempt: 1 })
  })

  it('that fails is tried again, later each time, and is dead at last', async () => {
    const { made, state, reconciler } = await world()
    made.flakes = 99
    made.maxAttempts = 3
    const limited = made.reconciler('limited')
    await made.put('a', 'flaky')
    const waits: number[] = []
    for (;;) {
      const outcome = await limited.reconcile(BUCKET, 'a')
      if (outcome.status === 'settled') break
      waits.push(outcome.untilMs - made.clock.now)
      made.clock.now = outcome.untilMs
    }
    expect(waits).toHaveLength(2)
    expect(waits[1]).toBeGreaterThan((waits[0] as number) * 1.5)
    expect(await state('a')).toMatchObject({ progress: 'dead', attempt: 3, error: { code: 'flaky' } })
    made.flakes = 0
    await made.replay('a')
    await reconciler.reconcile(BUCKET, 'a')
    expect(await state('a')).toMatchObject({ progress: 'done', attempt: 1 })
  })

  it('that finds the disk full is tried until there is room, and keeps its earlier records meanwhile', async () => {
    const { made, documents, state } = await world()
    made.maxAttempts = 3
    const limited = made.reconciler('limited')
    await made.put('a', 'old')
    await limited.reconcile(BUCKET, 'a')
    made.flakes = 9
    await made.put('a', 'full')
    for (let attempt = 0; attempt < 9; attempt++) {
      const outcome = await limited.reconcile(BUCKET, 'a')
      expect(outcome).toMatchObject({ status: 'wait' })
      expect(await documents('a')).toEqual(['old'])
      expect(await state('a')).toMatchObject({ progress: 'failed', error: { code: 'disk-full' } })
      if (outcome.status === 'wait') made.clock.now = outcome.untilMs
    }
    expect(await limited.reconcile(BUCKET, 'a')).toEqual({ status: 'settled' })
    expect(await documents('a')).toEqual(['full'])
  })

  it('that ends its worker each time is given up', async () => {
    const { made, state, atWork } = await world()
    made.maxAttempts = 2
    await made.put('a', 'one\ntwo')
    // Of the first time nobody knows when it was.
    const first = made.actor('first')
    first.begin('a')
    await first.stepTo('commitIf')
    first.kill()
    for (const name of ['second', 'third']) {
      made.clock.now += 61_000
      const worker = await atWork(name, 'a')
      worker.kill()
    }
    made.clock.now += 61_000
    const last = made.reconciler('last')
    await last.reconcile(BUCKET, 'a')
    expect(await state('a')).toMatchObject({ progress: 'dead', error: { code: 'worker-lost' } })
    expect(await made.recordsOf('a')).toEqual([])
  })

  it('beside which its worker ends again and again is done at last', async () => {
    const { made, documents, state } = await world()
    made.maxAttempts = 2
    await made.put('a', 'one\ntwo')
    for (let k = 0; k < 6; k++) {
      const worker = made.actor(`killed ${k}`)
      worker.begin('a')
      await worker.stepTo('commitIf')
      worker.kill()
      made.clock.now += 61_000
    }
    expect(await state('a')).toMatchObject({ progress: 'running', attempt: 1, lost: 5 })
    await made.reconciler('last').reconcile(BUCKET, 'a')
    expect(await documents('a')).toEqual(['one', 'two'])
    expect(await state('a')).toMatchObject({ progress: 'done', attempt: 1, lost: 6 })
  })

  it('of a bucket with versions comes back with its version', async () => {
    const { made, documents, state, reconciler } = await world()
    await made.bucket.setVersioning('enabled')
    const first = await made.put('a', 'one')
    await reconciler.reconcile(BUCKET, 'a')
    const versionId = first.status === 'ok' ? first.blob.versionId : undefined
    expect(await state('a')).toMatchObject({ object: { version: versionId } })
    const marker = await made.bucket.delete('a')
    await reconciler.reconcile(BUCKET, 'a')
    expect(await documents('a')).toEqual([])
    if (marker.status === 'ok' && marker.versionId !== undefined)
      await made.bucket.delete('a', { versionId: marker.versionId })
    await reconciler.reconcile(BUCKET, 'a')
    expect(await documents('a')).toEqual(['one'])
  })

  it('of a collection that was deleted is removed without an error, and made again on demand', async () => {
    const { made, documents, state, reconciler } = await world()
    await made.put('a', 'one')
    await made.put('b', 'two')
    await reconciler.reconcile(BUCKET, 'a')
    await reconciler.reconcile(BUCKET, 'b')
    await made.engine.catalog.deleteCollection('default_tenant', 'default_database', BUCKET)
    await made.bucket.delete('a')
    await reconciler.reconcile(BUCKET, 'a')
    expect(await state('a')).toMatchObject({ progress: 'gone' })
    await made.replay('b')
    await reconciler.reconcile(BUCKET, 'b')
    expect(await documents('b')).toEqual(['two'])
  })

  it('with many records replaces them all', async () => {
    const { made, documents, reconciler } = await world()
    const text = (name: string, count: number) =>
      Array.from({ length: count }, (_, k) => `${name} ${String(k).padStart(4, '0')}`)
    await made.put('a', text('old', 2_100).join('\n'))
    await reconciler.reconcile(BUCKET, 'a')
    await made.put('a', text('new', 1_900).join('\n'))
    await reconciler.reconcile(BUCKET, 'a')
    expect(await documents('a')).toEqual(text('new', 1_900))
  })
})

it('a sweep finds records of an object whose state was lost', async () => {
  const { made, documents, reconciler } = await world()
  await made.put('a', 'one\ntwo')
  await reconciler.reconcile(BUCKET, 'a')
  const { objects } = await made.store.list('objects/')
  await made.store.delete(objects.map(({ key }) => key))
  await made.put('a', 'three')
  await made.settle()
  expect(await documents('a')).toEqual(['three'])
})

it('an object that is replaced while it is processed is looked at again, without another message', async () => {
  const { made, documents } = await world()
  await made.put('a', 'one')
  const worker = made.actor('worker')
  worker.begin('a')
  await worker.stepTo('commitIf')
  await made.put('a', 'two')
  await worker.finish()
  expect(await documents('a')).toEqual(['two'])
})

it('a worker that stalls while its object is replayed and replaced changes nothing when it goes on', async () => {
  const { made, documents, state, reconciler } = await world()
  await made.put('a', 'one')
  const stalled = made.actor('stalled')
  stalled.begin('a')
  await stalled.stepTo('commitIf')
  await made.replay('a')
  await made.put('a', 'two')
  await reconciler.reconcile(BUCKET, 'a')
  expect(await documents('a')).toEqual(['two'])
  await stalled.finish()
  expect(await documents('a')).toEqual(['two'])
  expect(await state('a')).toMatchObject({ progress: 'done', run: 2 })
})

it('a damaged state is made again', async () => {
  const { made, documents, state } = await world()
  await made.put('a', 'one')
  await made.settle()
  const [{ key } = { key: '' }] = (await made.store.list('objects/')).objects
  await made.store.put(key, new TextEncoder().encode('{"crc32":'))
  await made.put('a', 'two')
  await made.settle()
  expect(await documents('a')).toEqual(['two'])
  expect(await state('a')).toMatchObject({ progress: 'done', records: 1 })
  // Of an object that is gone nobody knows the key; the others are looked at all the same.
  await made.store.put(`objects/${BUCKET}/00/00.json`, new TextEncoder().encode('xx'))
  await made.bucket.delete('a')
  await made.settle()
  expect(await documents('a')).toEqual([])
  expect(made.damaged[0]).toMatchObject({ code: 'object-state-damaged' })
})

it('what no rule wants any more keeps its records, and is processed again on demand', async () => {
  const { made, documents, state } = await world()
  await made.put('a', 'one')
  await made.put('b', 'fail')
  await made.settle()
  made.rules = new ProcessingRules([{ process: false }])
  await made.settle()
  expect(await documents('a')).toEqual(['one'])
  for (const key of ['a', 'b']) await made.replay(key)
  await made.settle()
  expect(await documents('a')).toEqual(['one'])
  expect(await state('b')).toMatchObject({ progress: 'dead', error: { code: 'corrupt-file' } })
  // A new version is not processed, and the records of the old one do not stand for it.
  await made.put('a', 'two')
  await made.settle()
  expect(await documents('a')).toEqual([])
})
