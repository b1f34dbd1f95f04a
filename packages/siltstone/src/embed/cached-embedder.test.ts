import * as fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { unavailable } from '../errors.ts'
import { MemoryObjectStore } from '../drivers/memory/memory-object-store.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { CountingEmbedder } from '../testing/counting-embedder.ts'
import { Recorder } from '../testing/recorder.ts'
import { CachedEmbedder } from './cached-embedder.ts'
import { contentId } from './stored-embedding.ts'

let objects: MemoryObjectStore
let recorder: Recorder
let inner: CountingEmbedder
let cached: CachedEmbedder
beforeEach(() => {
  objects = new MemoryObjectStore({ clock: ManualClock.skippingSleeps() })
  recorder = new Recorder()
  inner = new CountingEmbedder()
  cached = new CachedEmbedder(inner, { store: objects, log: recorder, metrics: recorder })
})
const expected = (text: string) => Float32Array.of(text.length, text.charCodeAt(0))
const keyOf = (text: string) => `embeddings/${contentId(inner.model, text)}.json.gz`
const counter = (name: string) => recorder.counters.get(`embedding_cache_${name}`) ?? 0

describe('CachedEmbedder', () => {
  it('only looks up when it may not write, and reports no failure for that', async () => {
    const reader = new CachedEmbedder(inner, { store: objects, log: recorder, metrics: recorder, readOnly: true })
    expect(await reader.embed(['a'])).toEqual([expected('a')])
    expect([(await objects.list('')).objects, counter('errors')]).toEqual([[], 0])
    await cached.embed(['a'])
    await reader.embed(['a'])
    expect(inner.asked).toEqual(['a', 'a'])
  })

  it('asks the provider once for each text, whoever asks and however often', async () => {
    const texts = fc.array(fc.constantFrom('a', 'b', 'cc', 'ddd', 'e', 'ff'), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(fc.array(texts, { minLength: 1, maxLength: 6 }), fc.boolean(), async (calls, atOnce) => {
        const store = new MemoryObjectStore({ clock: ManualClock.skippingSleeps() })
        const provider = new CountingEmbedder()
        const embedder = new CachedEmbedder(provider, { store })
        const answers: Float32Array[][] = []
        if (atOnce) answers.push(...(await Promise.all(calls.map((call) => embedder.embed(call)))))
        else for (const call of calls) answers.push(await embedder.embed(call))
        expect(answers).toEqual(calls.map((call) => call.map(expected)))
        expect(provider.asked.toSorted()).toEqual([...new Set(calls.flat())].toSorted())
        const other = new CountingEmbedder()
        await new CachedEmbedder(other, { store }).embed(calls.flat())
        expect(other.asked).toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  it('counts hits and misses, and logs them quietly', async () => {
    await cached.embed(['a', 'b'])
    await cached.embed(['b', 'c'])
    expect([counter('hits'), counter('misses'), counter('errors')]).toEqual([1, 3, 0])
    expect(new Set(recorder.events.map((event) => event.level))).toEqual(new Set(['debug']))
    expect(cached).toMatchObject({ name: 'counting', model: 'counting-1', dimension: 2, usage: inner.usage })
  })

  it('keeps models apart', async () => {
    await cached.embed(['a'])
    const other = new CountingEmbedder()
    other.model = 'counting-2'
    await new CachedEmbedder(other, { store: objects }).embed(['a'])
    expect(other.asked).toEqual(['a'])
  })

  it('hands out vectors that the caller may change', async () => {
    const [one, two] = await Promise.all([cached.embed(['a', 'a']), cached.embed(['a'])])
    one[0]?.fill(7)
    expect(one[1]).toEqual(expected('a'))
    expect(two[0]).toEqual(expected('a'))
  })

  it('replaces what is damaged or of another dimension', async () => {
    await objects.put(keyOf('a'), Buffer.from('garbage'))
    await objects.put(keyOf('b'), Buffer.from('{"embedding":[1,2,3],"model":"counting-1"}'))
    expect(await cached.embed(['a', 'b'])).toEqual([expected('a'), expected('b')])
    expect(counter('errors')).toBe(1)
    expect(recorder.eventsNamed('vector_damaged')).toHaveLength(1)
    await cached.embed(['a', 'b'])
    expect(inner.asked).toHaveLength(2)
  })

  it('works on when the bucket does not', async () => {
    const broken = async () => {
      throw unavailable('store-down', 'no answer')
    }
    objects.get = broken
    objects.put = broken
    expect(await cached.embed(['a'])).toEqual([expected('a')])
    expect(counter('errors')).toBe(2)
    const failures = recorder.events.filter((event) => event.level === 'error').map((event) => event.event)
    expect(failures).toEqual(['vector_retrieve_failed', 'vector_store_failed'])
  })

  it('gives a failure to its starter; others try their own texts again', async () => {
    inner.before = async (texts) => {
      if (texts.includes('bad')) throw new Error('bad text')
    }
    const [starter, other] = await Promise.allSettled([cached.embed(['bad', 'good']), cached.embed(['good', 'fine'])])
    expect(starter).toMatchObject({ status: 'rejected', reason: { message: 'bad text' } })
    expect(other).toEqual({ status: 'fulfilled', value: [expected('good'), expected('fine')] })
    await expect(cached.embed(['bad'])).rejects.toThrow('bad text')
  })

  it('goes on while anyone waits, and aborts when the last one gave up', async () => {
    let signal: AbortSignal | undefined
    let answer = () => {}
    const asked = new Promise<void>((resolve) => {
      inner.before = (_, given) => {
        signal = given
        resolve()
        return new Promise((done, fail) => {
          answer = done
          given?.addEventListener('abort', () => fail(given.reason as Error))
        })
      }
    })
    const [one, two] = [new AbortController(), new AbortController()]
    const first = cached.embed(['a'], { signal: one.signal })
    const second = cached.embed(['a'], { signal: two.signal })
    await asked
    one.abort(new Error('first gone'))
    await expect(first).rejects.toThrow('first gone')
    expect(signal?.aborted).toBe(false)
    two.abort(new Error('second gone'))
    await expect(second).rejects.toThrow('second gone')
    expect(signal?.aborted).toBe(true)

    const third = cached.embed(['a'])
    while (inner.asked.length < 2) await new Promise((resolve) => setImmediate(resolve))
    answer()
    expect(await third).toEqual([expected('a')])
  })
})
