import { describe, expect, it } from 'vitest'
import { describeObjectStore } from '../../ports/object-store.contract.ts'
import { forwardingStore } from '../../ports/forwarding-store.ts'
import { okOf, pattern } from '../../ports/store-testing.contract.ts'
import type { ObjectStore } from '../../ports/object-store.ts'
import { memoryEnvironment } from '../memory/memory-environment.ts'
import type { Fetch } from './fetch.ts'
import { FetchObjectStore } from './fetch-object-store.ts'
import { fileHost, type HostTraits } from './testing/file-host.ts'

const URL = 'http://127.0.0.1/site'

/** What lies in a store, as a host under `/site` gives it. */
function hostOf(inner: ObjectStore, traits: HostTraits = {}) {
  return fileHost(async (path) => {
    const got = await inner.get(path.slice('site/'.length))
    if (got.status !== 'ok') return null
    const { body, etag = '', lastModifiedMs } = got
    return { body, etag, lastModifiedMs }
  }, traits)
}

/** HTTP tells times in seconds. */
const inSeconds = (timeMs: number): number => Math.floor(timeMs / 1_000) * 1_000

async function hosted(traits: HostTraits = {}, body = pattern(5_000)) {
  const { store: inner } = memoryEnvironment()
  await inner.put('data/a.bin', body)
  const host = hostOf(inner, traits)
  const store = new FetchObjectStore(URL, { fetch: host.fetch })
  const read = async (offset: number, length: number, immutable = true) =>
    okOf(await store.get('data/a.bin', { range: { offset, length }, immutable })).body
  return { inner, store, host, read, body }
}

/** Reads through `fetch`; what a host of files cannot do goes to the store behind it. */
for (const ranges of ['honest', 'compressed'] as const)
  describeObjectStore(`fetch, ranges ${ranges}`, async () => {
    const { store: inner } = memoryEnvironment()
    const fetched = new FetchObjectStore(URL, { fetch: hostOf(inner, { ranges }).fetch })
    const store = forwardingStore(inner, {
      get: (key, options) => fetched.get(key, options),
      head: async (key) => {
        const info = await inner.head(key)
        return info && { ...info, lastModifiedMs: inSeconds(info.lastModifiedMs) }
      },
    })
    return {
      store,
      dispose: async () => {
        await fetched.close()
        await inner.close()
      },
    }
  })

describe('hosts that do not keep to HTTP', () => {
  it.each<HostTraits>([
    {},
    { hidesHeaders: true },
    { ranges: 'ignored' },
    { ranges: 'ignored', hidesHeaders: true },
    { ranges: 'compressed' },
    { ranges: 'compressed', hidesHeaders: true },
    { ranges: 'truncated' },
    { ranges: 'truncated', hidesHeaders: true },
    { ranges: 'empty', hidesHeaders: true },
    { ranges: 'shifted' },
    { ranges: 'rejected' },
    { ranges: 'refused' },
    { ranges: 'refused', hidesHeaders: true },
  ])('get the right bytes from %j', async (traits) => {
    const { read, body, store, host } = await hosted(traits)
    const parts = await Promise.all([read(0, 10), read(1_000, 700), read(4_990, 10)])
    expect(parts).toEqual([body.slice(0, 10), body.slice(1_000, 1_700), body.slice(4_990)])
    const honest = (traits.ranges ?? 'honest') === 'honest'
    expect(store.usesRanges).toBe(honest || traits.ranges === 'refused')
    if (honest) return
    const before = host.requests.length
    expect(await read(3, 5)).toEqual(body.slice(3, 8))
    // The object is in memory.
    expect(host.requests.length - before).toBe(0)
  })

  it('fetch an object whole once, however many ranges are asked for at the same time', async () => {
    const { read, host } = await hosted({ ranges: 'truncated' })
    await Promise.all(Array.from({ length: 20 }, (_, i) => read(i * 100, 50)))
    expect(host.requests.filter(({ range }) => range === undefined)).toHaveLength(1)
  })

  it('keep at most so many bytes of whole objects', async () => {
    const { inner, host } = await hosted({ ranges: 'ignored' })
    await inner.put('data/b.bin', pattern(4_000))
    const store = new FetchObjectStore(URL, { fetch: host.fetch, wholeBytes: 6_000 })
    const read = (key: string) => store.get(key, { range: { offset: 0, length: 1 }, immutable: true })
    for (const key of ['data/a.bin', 'data/b.bin', 'data/b.bin', 'data/a.bin']) await read(key)
    expect(host.requests.map(({ path }) => path.at(-5))).toEqual(['a', 'b', 'a'])
  })

  it('garble ranges, which checksums notice: then the object is fetched whole', async () => {
    const { read, body, store } = await hosted({ ranges: 'garbled' })
    expect(await read(0, 10)).not.toEqual(body.slice(0, 10))
    expect([store.distrustRanges(), store.distrustRanges()]).toEqual([true, false])
    expect(await read(0, 10)).toEqual(body.slice(0, 10))
  })

  it.each(['404', 'page'] as const)('answer a missing object with %s', async (missing) => {
    const { store } = await hosted({ missing })
    expect(await store.get('data/none.bin')).toEqual({ status: 'not-found' })
    const range = { offset: 0, length: 3 }
    expect(await store.get('data/none.bin', { range, immutable: true })).toEqual({ status: 'not-found' })
    expect(store.usesRanges).toBe(true)
  })

  it('weaken ETags, or hide them', async () => {
    const { store } = await hosted({ weakEtags: true })
    const { etag = '' } = okOf(await store.get('data/a.bin'))
    expect(etag).not.toMatch(/^W/)
    expect(await store.get('data/a.bin', { ifNoneMatch: etag })).toEqual({ status: 'not-modified' })
    const hiding = await hosted({ hidesHeaders: true })
    expect(okOf(await hiding.store.get('data/a.bin')).etag).toBeUndefined()
    await expect(hiding.store.get('data/a.bin', { ifMatch: etag })).rejects.toMatchObject({ code: 'etag-hidden' })
  })
})

describe('requests', () => {
  /** Answers in turn: a status, or no answer. */
  function answering(...answers: (number | 'nothing')[]) {
    const sent: { url: string; init: Parameters<Fetch>[1] }[] = []
    const fetch: Fetch = async (url, init) => {
      sent.push({ url, init })
      const answer = answers[Math.min(sent.length, answers.length) - 1]
      if (answer === 'nothing') throw new TypeError('Failed to fetch')
      const get = (name: string) => (name === 'retry-after' ? '7' : null)
      return { status: answer ?? 200, headers: { get }, body: null, arrayBuffer: async () => new ArrayBuffer(2) }
    }
    return { sent, store: (url: string) => new FetchObjectStore(url, { fetch }) }
  }

  it('go below the address, whatever its end', async () => {
    const { sent, store } = answering(200)
    for (const url of [
      'https://a.example/x',
      'https://a.example/x/',
      'https://a.example/x//',
      'https://a.example/x/search.json?v=1#top',
    ])
      await store(url).get('b c/ü#%.bin')
    expect(new Set(sent.map(({ url }) => url))).toEqual(new Set(['https://a.example/x/b%20c/%C3%BC%23%25.bin']))
    expect(() => store('ftp://a.example/')).toThrow(expect.objectContaining({ code: 'bad-url' }))
    expect(() => store('search')).toThrow(expect.objectContaining({ code: 'bad-url', field: 'url' }))
  })

  it('need no preflight: they are GETs, with one range at most', async () => {
    const { sent, store } = answering(206)
    await store('https://a.example').get('k', { range: { offset: 4, length: 2 }, immutable: true })
    await store('https://a.example').get('k')
    expect(sent.map(({ init }) => init)).toEqual([
      { headers: { Range: 'bytes=4-5' }, cache: 'default' },
      { headers: {}, cache: 'no-cache' },
    ])
  })

  it('wait for no other range of the object: of those at a time, browsers may keep one', async () => {
    const { sent, store } = answering(206)
    const one = store('https://a.example')
    const get = (key: string) => one.get(key, { range: { offset: 4, length: 2 }, immutable: true })
    await Promise.all([get('k'), get('k'), get('other')])
    await get('k')
    expect(sent.map(({ init }) => init.cache)).toEqual(['default', 'no-store', 'default', 'default'])
  })

  it('are sent once more when no answer comes or the host fails', async () => {
    for (const first of ['nothing', 503, 429] as const) {
      const { sent, store } = answering(first, 200)
      expect(await store('https://a.example').get('k')).toMatchObject({ status: 'ok' })
      expect(sent).toHaveLength(2)
    }
    const { store } = answering('nothing')
    await expect(store('https://a.example').get('k')).rejects.toMatchObject({ code: 'host-unreachable', key: 'k' })
    await expect(answering(500).store('https://a.example').get('k')).rejects.toMatchObject({
      kind: 'unavailable',
      retryAfterMs: 7_000,
    })
    const forbidden = answering(403)
    await expect(forbidden.store('https://a.example').get('k')).rejects.toMatchObject({ code: 'access-denied' })
    expect(forbidden.sent).toHaveLength(1)
  })

  it('only read', async () => {
    const store = answering(200).store('https://a.example')
    for (const call of [store.put(), store.upload(), store.delete()])
      await expect(call).rejects.toMatchObject({ kind: 'unsupported', code: 'read-only' })
    for (const call of [store.list(), store.head()])
      await expect(call).rejects.toMatchObject({ kind: 'unsupported', code: 'cannot-list' })
  })
})
