// First: it puts mocks in the place of the process.
import { siltstone } from 'siltstone/testing/cli'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  closeEnvironment,
  DirectoryBlobs,
  EnglishEmbedder,
  type Environment,
  openEnvironment,
  type Queue,
  StoreEngine,
  systemModels,
} from 'siltstone/internal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Objects } from '../objects.ts'
import { openObjects } from '../open-objects.ts'
import { openStore } from '../open-store.ts'
import { openObjectsQueue } from './directory-queue.ts'
import { openProcessing, type Processing } from './processing.ts'
import { ProcessingRules } from './rules.ts'
import { storeRules } from './stored-rules.ts'
import { linesProcessor } from './testing/lines-processor.ts'

const KEYS = JSON.stringify([{ accessKeyId: 'TESTKEY1', secretAccessKey: 'a secret for the tests' }])
const bytes = (text: string) => new TextEncoder().encode(text)

let data: string
let environment: Environment
let engine: StoreEngine
let buckets: DirectoryBlobs
let queue: Queue
let processing: Processing
let objects: Objects
let fails = true

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'siltstone-library-'))
  environment = await openEnvironment(data)
  const { clock, random } = environment
  engine = await StoreEngine.open({ env: environment })
  buckets = await DirectoryBlobs.open(data, { clock, random })
  queue = (await openObjectsQueue(data, { clock, random, create: true })) as Queue
  const embedder = new EnglishEmbedder({ models: systemModels })
  const rules = new ProcessingRules([{ prefix: 'private/', process: false }])
  await storeRules(environment.store, rules)
  processing = await openProcessing({
    environment,
    engine,
    embedderFor: async () => embedder,
    queue,
    buckets: async () => ['media'],
    blobs: (bucket) => buckets.bucket(bucket),
    scheme: 'siltstone',
    rules,
    pipeline: {
      choose: async () => linesProcessor(() => fails),
      versionOf: () => '1',
      close: async () => undefined,
    },
    maxAttempts: 1,
    sweepEachMs: 0,
  })
  processing.worker.start()
  objects = await openObjects(data, { bucket: 'media', keys: KEYS })
})
afterAll(async () => {
  await objects.close()
  await processing.close()
  await queue.close()
  await buckets.close()
  await engine.close()
  await closeEnvironment(environment)
  rmSync(data, { recursive: true, force: true })
})

describe('objects that a worker processes', () => {
  it('are waited for, searched and opened at their place', async () => {
    await objects.put(
      'up/rivers.txt',
      bytes('Rivers drop mud where the water slows down.\nA cake needs flour and eggs.'),
    )
    expect(await objects.wait('up/rivers.txt')).toMatchObject({
      progress: 'done',
      records: 2,
      collections: ['media'],
      processor: 'lines@1',
    })
    const [hit, ...rest] = await objects.search('where does sediment settle?', {
      where: { object_key: 'up/rivers.txt' },
    })
    expect(rest).toHaveLength(1)
    expect(hit).toMatchObject({ key: 'up/rivers.txt', kind: 'passage', text: expect.stringContaining('mud') as string })
    const opened = await hit?.open()
    expect(opened?.url).toMatch(/^http:\/\/127\.0\.0\.1:9000\/media\/up\/rivers\.txt\?X-Amz-Algorithm=/)
    const [only] = await objects.search('baking', { nResults: 1, where: { object_key: 'up/rivers.txt' } })
    expect(only?.text).toContain('cake')
  })

  it('are a part of the store that has their records', async () => {
    await using store = await openStore(data, { objects: { bucket: 'media', keys: KEYS } })
    await store.objects.put('up/store.txt', bytes('Deltas grow where rivers end.'))
    await store.objects.wait('up/store.txt')
    const [hit] = await store.objects.search('where do deltas grow?', { where: { object_key: 'up/store.txt' } })
    expect((await hit?.open())?.url).toContain('/media/up/store.txt?X-Amz-')
    const collection = await store.getCollection({ name: 'media' })
    expect((await collection.get({ where: { object_key: 'up/store.txt' } })).ids).toHaveLength(1)
    await store.objects.delete('up/store.txt', { wait: true })
    expect((await collection.get({ where: { object_key: 'up/store.txt' } })).ids).toEqual([])
    await expect(openStore('s3://bucket/store')).rejects.toMatchObject({ code: 'no-objects-place' })
  })

  it('are gone from searches when a deletion was waited for', async () => {
    await objects.put('gone.txt', bytes('Volcanoes erupt.'))
    await objects.wait('gone.txt')
    await objects.delete('gone.txt', { wait: true })
    expect(await objects.status('gone.txt')).toMatchObject({ progress: 'gone', records: 0, version: null })
    const hits = await objects.search('volcanoes')
    expect(hits.filter(({ key }) => key === 'gone.txt')).toEqual([])
  })

  it('keep their records when they are moved', async () => {
    await objects.put('m/a.txt', bytes('Glaciers carve valleys.'))
    await objects.wait('m/a.txt')
    await objects.move('m/a.txt', 'm/b.txt')
    await Promise.all([objects.wait('m/a.txt'), objects.wait('m/b.txt')])
    const hits = await objects.search('glaciers', { where: { object_key: { $in: ['m/a.txt', 'm/b.txt'] } } })
    expect(hits.map(({ key }) => key)).toEqual(['m/b.txt'])
  })

  it('are given up with a reason, and processed again on demand', async () => {
    await objects.put('bad/flaky.txt', bytes('flaky'))
    expect(await objects.wait('bad/flaky.txt')).toMatchObject({ progress: 'dead', error: { code: 'flaky' } })
    const dead = []
    for await (const one of objects.dead()) dead.push(one.key)
    expect(dead).toEqual(['bad/flaky.txt'])
    fails = false
    expect(await objects.replay({ prefix: 'bad/', dead: true })).toBe(1)
    expect(await objects.wait('bad/flaky.txt')).toMatchObject({ progress: 'done', records: 1 })
    expect(await objects.replay({ dead: true })).toBe(0)
    fails = true
  })

  it('are not waited for when no rule wants them', async () => {
    await objects.put('private/a.txt', bytes('A secret.'))
    expect(await objects.wait('private/a.txt')).toMatchObject({ progress: 'unprocessed', records: 0 })
    await expect(processing.worker.close().then(() => objects.put('late.txt', bytes('late')))).resolves.toBeDefined()
    await expect(objects.wait('late.txt', { timeoutMs: 1 })).rejects.toMatchObject({ code: 'wait-timeout' })
    expect(await objects.status('late.txt')).toMatchObject({ progress: 'queued', records: 0 })
  })

  it('are shown by the commands', async () => {
    const cli = async (...args: string[]) => {
      const { code, out, err } = await siltstone(['objects', ...args, '--data', data])
      return code === 0 ? out : `${code} ${err}`
    }
    expect(await cli('status', 'siltstone://media/up/rivers.txt')).toBe(
      'done             2 records  up/rivers.txt\n1 done\n',
    )
    const all = JSON.parse(await cli('status', 'siltstone://media/', '--json')) as { key: string; progress: string }[]
    expect(all.map(({ key, progress }) => `${progress} ${key}`)).toEqual([
      'done bad/flaky.txt',
      'queued late.txt',
      'done m/b.txt',
      'unprocessed private/a.txt',
      'done up/rivers.txt',
    ])
    expect(await cli('wait', 'siltstone://media/up/')).toContain('1 done')
    expect(await cli('wait', 'siltstone://media/late.txt', '--timeout', '0')).toMatch(/is queued after 0 ms/)
    expect(await cli('replay', 'siltstone://media/up/rivers.txt')).toBe('1 to be processed again\n')
    expect(await cli('status', 'siltstone://media/up/rivers.txt')).toContain('queued')
    expect(await cli('dead', 'siltstone://media/')).toBe('no objects\n')
    expect(await cli('status', 'media')).toMatch(/siltstone:\/\/bucket\/key/)
  })
})
