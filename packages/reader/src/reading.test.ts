import { openStore } from 'siltstone'
import { EnglishEmbedder, publish, StoreEngine, systemModels } from 'siltstone/internal'
import { fileHost, type HostTraits, memoryEnvironment, MemoryTarget } from 'siltstone/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { FetchObjectStore, PublishedSource, rrf } from 'siltstone/reading'
import { open } from './open.ts'
import { type Readable, READING_CHECKS, records } from './testing/index.ts'

const URL = 'http://127.0.0.1/store'

/** A store with the records of the checks, compacted. */
async function world() {
  const environment = memoryEnvironment()
  const store = await openStore({ environment })
  const things = await store.createCollection({ name: 'things', embeddingFunction: null })
  const all = records()
  await things.add({
    ids: all.map(({ id }) => id),
    embeddings: all.map(({ embedding }) => embedding),
    documents: all.map(({ document }) => document),
    metadatas: all.map(({ metadata }) => metadata),
    uris: all.map(({ uri }) => uri),
  })
  await things.compact()
  const host = (traits: HostTraits = {}) =>
    fileHost(async (path) => {
      const got = await environment.store.get(path.slice('store/'.length))
      return got.status === 'ok' ? { body: got.body, etag: got.etag ?? '' } : null
    }, traits)
  const engine = await StoreEngine.open({ env: environment })
  const collection = await engine.collection(things.tenant, things.database, things.id)
  const target = new MemoryTarget()
  const publishNow = () =>
    publish({ collection, staging: memoryEnvironment(), target, models: systemModels, keepMs: 0, isWhole: true })
  await publishNow()
  return { environment, store, things, host, publishNow, pages: (traits: HostTraits = {}) => hostOf(target, traits) }
}

function hostOf(target: MemoryTarget, traits: HostTraits = {}) {
  return fileHost(async (path) => {
    const body = target.files.get(path.slice('store/'.length))
    return body ? { body } : null
  }, traits)
}

let made: Awaited<ReturnType<typeof world>>
beforeAll(async () => {
  made = await world()
})

/** What distances and components lose to vectors of one byte per dimension. */
const INT8_TOLERANCE = 0.1

function describeReading(name: string, openThings: () => Promise<Readable>, tolerance = 1e-4): void {
  describe(`reading: ${name}`, () => {
    let things: Readable
    beforeAll(async () => {
      things = await openThings()
    })
    // oxlint-disable-next-line vitest/expect-expect -- a check throws
    it.each(READING_CHECKS)('$title', ({ run }) => run(things, { tolerance }))
  })
}

describeReading('the library in process', async () => made.things)
describeReading('a bucket', () => open(URL, { collection: 'things', fetch: made.host().fetch }))
describeReading('a bucket of another origin, whose host garbles ranges', () =>
  open(URL, { collection: 'things', fetch: made.host({ ranges: 'garbled', hidesHeaders: true }).fetch }),
)
describeReading('a bucket whose host ignores ranges', () =>
  open(URL, { collection: 'things', fetch: made.host({ ranges: 'ignored', missing: 'page' }).fetch }),
)

for (const traits of [
  {},
  { ranges: 'garbled', hidesHeaders: true },
  { ranges: 'ignored', missing: 'page' },
] satisfies HostTraits[])
  describeReading(
    `a published folder, host ${JSON.stringify(traits)}`,
    () => open(URL, { fetch: made.pages(traits).fetch }),
    INT8_TOLERANCE,
  )

describe('a published folder', () => {
  it('is one file that changes and parts that do not, of which a query reads some', async () => {
    const host = made.pages()
    const things = await open(`${URL}/search.json`, { fetch: host.fetch })
    await things.query({ queryEmbeddings: [records()[3]?.embedding ?? []], nResults: 3 })
    const read = host.requests.reduce((sum, { bytes }) => sum + bytes, 0)
    const all = (await things.count()) * 4 * 16
    expect(read).toBeLessThan(all)
    expect(new Set(host.requests.map(({ path }) => path.replace(/[0-9a-f]{16}-\d+/, '#')))).toEqual(
      new Set(['store/search.json', 'store/data/#.bin']),
    )
  })

  it('that is published again is followed by readers that have the old description', async () => {
    const { store, publishNow, pages } = await world()
    const things = await open(URL, { fetch: pages().fetch })
    const own = await store.getCollection({ name: 'things', embeddingFunction: null })
    await own.delete({ ids: ['record-7'] })
    await publishNow()
    // Its parts are gone, so the new description is read.
    expect((await things.get({ ids: ['record-7', 'record-8'] })).ids).toEqual(['record-8'])
    expect([await things.version(), await things.refresh()]).toEqual([2, false])
    await store.close()
  })

  it('embeds the texts of queries as the library does, to the bit', async () => {
    const environment = memoryEnvironment()
    const engine = await StoreEngine.open({ env: environment })
    const store = await openStore({ environment })
    const notes = await store.createCollection({ name: 'notes' })
    const documents = ['Rivers carry silt.', 'Bread needs flour.', 'The invoice is overdue.']
    await notes.add({ ids: ['silt', 'bread', 'invoice'], documents })
    const collection = await engine.collection(notes.tenant, notes.database, notes.id)
    const target = new MemoryTarget()
    const report = await publish({ collection, staging: memoryEnvironment(), target, models: systemModels })
    expect(report.embedder).toBe(true)
    for (const traits of [{}, { ranges: 'ignored' }] satisfies HostTraits[]) {
      const host = hostOf(target, traits)
      const read = await open(URL, { fetch: host.fetch })
      expect(
        (await read.query({ queryTexts: ['why do streams drop mud?', 'what do bakers buy?'], nResults: 1 })).ids,
      ).toEqual([['silt'], ['bread']])
      const both = rrf({ ranks: [{ query: 'unpaid bill' }, { query: 'overdue', key: '#document' }] })
      expect((await read.search({ rank: both, limit: 1 })).ids).toEqual([['invoice']])
    }
    const source = await PublishedSource.open(new FetchObjectStore(URL, { fetch: hostOf(target).fetch }), {
      cacheBytes: 1e6,
    })
    const texts = ['', 'snow 雪 and größe!', 'supercalifragilistic', ...documents, 'a b c d e f g h i j k l m n o p']
    expect(await source.embed(texts)).toEqual(await new EnglishEmbedder({ models: systemModels }).embed(texts))
    await store.close()
  })

  it('is named where it is missing, damaged or newer', async () => {
    const { fetch } = fileHost(async () => null)
    await expect(open(URL, { fetch })).rejects.toMatchObject({ kind: 'not-found', code: 'not-published' })
    const broken = fileHost(async () => ({ body: new TextEncoder().encode('{}') }))
    await expect(open(URL, { fetch: broken.fetch })).rejects.toMatchObject({ kind: 'corrupt', key: 'search.json' })
    const without = await open(URL, { fetch: made.pages().fetch })
    await expect(without.query({ queryTexts: ['a'] })).rejects.toMatchObject({ code: 'embedder-missing' })
  })
})

describe('a bucket', () => {
  it('is read as of its last snapshot, and shows a newer one when it is asked to', async () => {
    const { environment, store, host } = await world()
    const things = await open(URL, { collection: 'things', fetch: host().fetch })
    const stale = await open(URL, { collection: 'things', fetch: host().fetch })
    const own = await store.getCollection({ name: 'things', embeddingFunction: null })
    await own.delete({ ids: ['record-7'] })
    expect([await things.count(), await things.version()]).toEqual([1_200, 1])
    await own.compact()
    expect(await things.refresh()).toBe(true)
    expect([await things.count(), await things.version(), await things.refresh()]).toEqual([1_199, 2, false])
    expect((await things.get({ ids: ['record-7'] })).ids).toEqual([])
    // The garbage collector deletes what only the old snapshot named: a reader that still has it follows the pointer.
    await own.compact({ full: true })
    const { objects } = await environment.store.list('snapshot/')
    const [old] = objects.map(({ key }) => key).filter((key) => key.includes('/segment/'))
    await environment.store.delete([old ?? ''])
    expect((await stale.get({ ids: ['record-7', 'record-8'] })).ids).toEqual(['record-8'])
    expect(await stale.version()).toBe(2)
    await store.close()
  })

  it('before its first snapshot is empty', async () => {
    const environment = memoryEnvironment()
    const store = await openStore({ environment })
    await store.createCollection({ name: 'none', embeddingFunction: null })
    const { fetch } = fileHost(async (path) => {
      const got = await environment.store.get(path)
      return got.status === 'ok' ? { body: got.body } : null
    })
    const none = await open('http://127.0.0.1', { collection: 'none', fetch })
    expect([await none.count(), (await none.get()).ids]).toEqual([0, []])
    await expect(open('http://127.0.0.1', { collection: 'other', fetch })).rejects.toMatchObject({
      kind: 'not-found',
      code: 'collection-missing',
    })
    await store.close()
  })

  it('needs a reader that names a collection and embeds its texts', async () => {
    const { fetch } = made.host()
    await expect(open(URL, { fetch })).rejects.toMatchObject({ code: 'not-published' })
    const things = await open(URL, { collection: 'things', fetch })
    await expect(things.query({ queryTexts: ['a'] })).rejects.toMatchObject({ code: 'embedder-missing' })
    const short = await open(URL, { collection: 'things', fetch, embed: async () => [] })
    await expect(short.query({ queryTexts: ['a'] })).rejects.toMatchObject({ code: 'embedding-function-answer' })
    const embed = async (texts: readonly string[]) => texts.map(() => records()[7]?.embedding ?? [])
    const named = await open(URL, { collection: 'things', fetch, embed })
    expect((await named.query({ queryTexts: ['seven'], nResults: 1 })).ids).toEqual([['record-7']])
  })

  it('refuses reads that need the log', async () => {
    const things = await open(URL, { collection: 'things', fetch: made.host().fetch })
    for (const [args, field] of [
      [{ readLevel: 'index_and_wal' }, 'readLevel'],
      [{ at: 1 }, 'at'],
      [{ atLeast: 1 }, 'atLeast'],
    ] as const)
      await expect(things.get(args)).rejects.toMatchObject({ code: 'snapshot-only', field })
    expect((await things.get({ readLevel: 'index_only', limit: 1 })).ids).toEqual(['record-0'])
  })
})
