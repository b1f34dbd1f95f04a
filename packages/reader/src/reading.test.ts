import { openStore } from 'siltstone'
import { fileHost, type HostTraits, memoryEnvironment } from 'siltstone/testing'
import { beforeAll, describe, expect, it } from 'vitest'
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
  return { environment, store, things, host }
}

let made: Awaited<ReturnType<typeof world>>
beforeAll(async () => {
  made = await world()
})

function describeReading(name: string, openThings: () => Promise<Readable>): void {
  describe(`reading: ${name}`, () => {
    let things: Readable
    beforeAll(async () => {
      things = await openThings()
    })
    // oxlint-disable-next-line vitest/expect-expect -- a check throws
    it.each(READING_CHECKS)('$title', ({ run }) => run(things, { tolerance: 1e-4 }))
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
    await expect(open(URL, { fetch })).rejects.toMatchObject({ code: 'collection-not-named' })
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
