import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { unavailable } from '../errors.ts'
import { MemoryObjectStore } from '../drivers/memory/memory-object-store.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { interceptedStore } from '../ports/forwarding-store.ts'
import { CountingEmbedder } from '../testing/counting-embedder.ts'
import { Recorder } from '../testing/recorder.ts'
import { EmbeddingStore } from './store.ts'
import { sha256Hex } from './stored-embedding.ts'

let objects: MemoryObjectStore
let log: Recorder
let store: EmbeddingStore
let embedder: CountingEmbedder
beforeEach(() => {
  objects = new MemoryObjectStore({ clock: ManualClock.skippingSleeps() })
  log = new Recorder()
  store = new EmbeddingStore({ store: objects, log })
  embedder = new CountingEmbedder()
})
const events = () => log.events.map(({ level, event }) => `${level} ${event}`)
const vector = Float32Array.of(1, 2)

describe('EmbeddingStore', () => {
  it('puts, gets and deletes, and logs each', async () => {
    await store.put({ id: 'doc-1', embedding: vector, model: 'm' })
    expect((await objects.list('')).objects.map((object) => object.key)).toEqual(['embeddings/doc-1.json.gz'])
    expect(await store.get('doc-1')).toEqual({
      id: 'doc-1',
      embedding: vector,
      model: 'm',
      textSha256: undefined,
      key: 'embeddings/doc-1.json.gz',
    })
    await store.delete('doc-1')
    expect(await store.get('doc-1')).toBeUndefined()
    await store.delete('doc-1')
    expect(events()).toEqual(['info vector_stored', 'info vector_retrieved', 'warn vector_not_found'])
    expect(log.events.map((event) => event.fields)).toEqual([
      { id: 'doc-1', dimension: 2, model: 'm' },
      { id: 'doc-1', dimension: 2 },
      { id: 'doc-1' },
    ])
  })

  it('reads plain JSON too, prefers its own, and deletes both', async () => {
    await objects.put('embeddings/a.json', Buffer.from('{"id":"a","embedding":[9]}'))
    expect((await store.get('a'))?.embedding).toEqual(Float32Array.of(9))
    expect(await store.get('a', { plain: false })).toBeUndefined()
    await store.put({ id: 'a', embedding: vector, model: 'm' })
    expect((await store.get('a'))?.embedding).toEqual(vector)
    await store.delete('a')
    expect(await store.get('a')).toBeUndefined()
  })

  it('keeps one of two embeddings that are put at once in both forms, in whatever order their requests arrive', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const inner = new MemoryObjectStore({ clock: ManualClock.skippingSleeps() })
        const slow = interceptedStore(inner, async (_, send) => scheduler.schedule(Promise.resolve()).then(send))
        const writer = () => new EmbeddingStore({ store: slow })
        const puts = [true, false].map((compressed) =>
          writer().put({ id: 'a', embedding: Float32Array.of(compressed ? 1 : 2), compressed }),
        )
        await scheduler.waitFor(Promise.all(puts))
        const found = await new EmbeddingStore({ store: inner }).get('a')
        expect([1, 2]).toContain(found?.embedding[0])
      }),
    )
  })

  it('refuses ids that are no keys', async () => {
    for (const id of ['', '../secret', 'a/b', 'x'.repeat(201), 'ä']) {
      await expect(store.get(id)).rejects.toMatchObject({ kind: 'invalid', field: 'id' })
      await expect(store.put({ id, embedding: vector, model: 'm' })).rejects.toMatchObject({ kind: 'invalid' })
      await expect(store.delete(id)).rejects.toMatchObject({ kind: 'invalid' })
    }
    expect((await objects.list('')).objects).toEqual([])
  })

  it('stores nothing that it would not read back', async () => {
    const odd = (dimension: number) => Float32Array.from({ length: dimension }, (_, i) => -Math.cos(i) * 1e-30)
    const largest = odd(65_536)
    await store.put({ id: 'a', embedding: largest, model: 'm' })
    expect((await store.get('a'))?.embedding.every((number, i) => number === largest[i])).toBe(true)
    await expect(store.put({ id: 'a', embedding: odd(65_537), model: 'm' })).rejects.toMatchObject({
      code: 'bad-embedding',
      field: 'embedding',
    })
  })

  it('refuses names of models that are no names', async () => {
    await store.put({ id: 'a', embedding: vector, model: 'm'.repeat(512) })
    await expect(store.put({ id: 'a', embedding: vector, model: 'm'.repeat(513) })).rejects.toMatchObject({
      code: 'bad-embedding',
      field: 'model',
    })
  })

  it('logs the code of a failure and passes it on', async () => {
    const broken = async () => {
      throw unavailable('disk-full', 'no space')
    }
    objects.put = broken
    objects.get = broken
    objects.delete = async (keys) => ({ deleted: [], failed: keys.map((key) => ({ key, error: new Error('denied') })) })
    await expect(store.put({ id: 'a', embedding: vector, model: 'm' })).rejects.toMatchObject({ code: 'disk-full' })
    await expect(store.get('a')).rejects.toMatchObject({ code: 'disk-full' })
    await expect(store.delete('a')).rejects.toThrow('denied')
    expect(log.events).toEqual([
      { level: 'error', event: 'vector_store_failed', fields: { id: 'a', dimension: 2, error: 'disk-full' } },
      { level: 'error', event: 'vector_retrieve_failed', fields: { id: 'a', error: 'disk-full' } },
      { level: 'error', event: 'vector_delete_failed', fields: { id: 'a', error: 'Error' } },
    ])
  })

  it('generates on a miss, stores, and reads the next time', async () => {
    const first = await store.getOrGenerate('a', 'text', embedder)
    expect(first).toMatchObject({
      embedding: Float32Array.of(4, 116),
      model: 'counting-1',
      textSha256: sha256Hex('text'),
    })
    expect(await store.getOrGenerate('a', 'text', embedder)).toEqual(first)
    expect(embedder.asked).toEqual(['text'])
  })

  it('generates anew for another text or model', async () => {
    await store.getOrGenerate('a', 'text', embedder)
    expect((await store.getOrGenerate('a', 'other text', embedder)).embedding[0]).toBe(10)
    embedder.model = 'counting-2'
    expect((await store.getOrGenerate('a', 'other text', embedder)).model).toBe('counting-2')
    expect((await store.get('a'))?.model).toBe('counting-2')
    expect(embedder.asked).toHaveLength(3)
  })

  it('reports a damaged object and generates it anew', async () => {
    await objects.put('embeddings/a.json.gz', Buffer.from('garbage'))
    expect((await store.getOrGenerate('a', 'text', embedder)).embedding).toEqual(Float32Array.of(4, 116))
    expect(log.eventsNamed('vector_damaged')).toEqual([{ id: 'a', error: 'embedding-damaged' }])
    expect((await store.get('a'))?.embedding).toEqual(Float32Array.of(4, 116))
  })

  it('shares one generation among those who miss at once, and forgets a failed one', async () => {
    embedder.before = async () => Promise.reject(new Error('down'))
    const failing = [store.getOrGenerate('a', 'text', embedder), store.getOrGenerate('a', 'text', embedder)]
    for (const outcome of await Promise.allSettled(failing)) expect(outcome.status).toBe('rejected')
    expect(embedder.asked).toEqual(['text'])
    embedder.before = async () => {}
    await Promise.all(Array.from({ length: 5 }, () => store.getOrGenerate('a', 'text', embedder)))
    expect(embedder.asked).toEqual(['text', 'text'])
  })
})
