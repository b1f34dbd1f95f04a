import { EnglishEmbedder, publish, StoreEngine, systemModels } from 'siltstone/internal'
import type { Fetch } from 'siltstone/page-reading'
import { collectionRequest, fileHost, memoryEnvironment, MemoryTarget } from 'siltstone/testing'
import { describe, expect, it } from 'vitest'
import { type Caches, OfflineFolder } from './offline.ts'
import { folderFormat as format, PageSearch } from './page-search.ts'

const FOLDER = 'http://127.0.0.1/search/'

/** As browsers have them: a response is kept as its bytes. */
class MemoryCaches implements Caches {
  readonly content = new Map<string, Map<string, ArrayBuffer>>()
  /** Writes that succeed before one fails. */
  room = Number.POSITIVE_INFINITY

  async keys() {
    return [...this.content.keys()]
  }

  async open(name: string) {
    const files = this.content.get(name) ?? new Map<string, ArrayBuffer>()
    this.content.set(name, files)
    return {
      match: async (url: unknown) => {
        const bytes = files.get(String(url))
        return bytes && new Response(bytes.slice(0))
      },
      put: async (url: unknown, response: Response) => {
        if (this.room-- <= 0) throw new DOMException('The quota has been exceeded.', 'QuotaExceededError')
        files.set(String(url), await response.arrayBuffer())
      },
    }
  }

  async delete(name: string) {
    return this.content.delete(name)
  }
}

/** A folder that is published again and again, on a host that can be cut off. */
async function world() {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const { info } = await engine.catalog.createCollection(collectionRequest('notes', { space: 'cosine' }))
  const collection = await engine.collection(info.tenant, info.database, info.id)
  const target = new MemoryTarget()
  const publishText = async (text: string) => {
    const [vector] = await new EnglishEmbedder({ models: systemModels }).embed([text])
    const record = { id: 'one', vector: vector as Float32Array, document: text, metadata: null, uri: null }
    await collection.write([{ op: 'upsert', ...record }])
    await publish({ collection, staging: memoryEnvironment(), target, models: systemModels })
  }
  const host = fileHost(async (path) => {
    const body = target.files.get(path.slice('search/'.length))
    return body ? { body } : null
  })
  let isCut = false
  const fetch: Fetch = async (url, init) => {
    if (isCut) throw new TypeError('Failed to fetch')
    return host.fetch(url, init)
  }
  const caches = new MemoryCaches()
  /** As a new tab. */
  const folder = () => new OfflineFolder(FOLDER, { format, fetch, caches })
  const find = async (): Promise<string | undefined> => {
    const search = await PageSearch.open(FOLDER, FOLDER, { fetch: folder().fetch })
    return (await search.search('what settles in streams?', 1))[0]?.text
  }
  return { target, host, caches, folder, find, publishText, cut: (value: boolean) => (isCut = value) }
}

describe('a folder that is kept', () => {
  it('answers without a network, and nothing without a copy', async () => {
    const { folder, find, publishText, cut } = await world()
    await publishText('Silt settles.')
    cut(true)
    await expect(find()).rejects.toMatchObject({ code: 'host-unreachable' })
    cut(false)
    expect([await folder().keep(), await folder().keep()]).toEqual([true, false])
    cut(true)
    expect(await find()).toBe('Silt settles.')
  })

  it('reads of its copy what has not changed, and searches what the network shows', async () => {
    const { host, folder, find, publishText } = await world()
    await publishText('Silt settles.')
    await folder().keep()
    host.requests.length = 0
    expect(await find()).toBe('Silt settles.')
    expect(host.requests.map(({ path }) => path)).toEqual(['search/search.json'])
    await publishText('Sand settles too.')
    expect(await find()).toBe('Sand settles too.')
  })

  it('shows one publication, wherever the making of a copy breaks off', async () => {
    const { caches, folder, find, publishText, cut } = await world()
    await publishText('Silt settles.')
    await folder().keep()
    const writes = [...caches.content.values()][0]?.size ?? 0
    await publishText('Sand settles too.')
    for (const room of [0, 1, Math.floor(writes / 2), writes - 1]) {
      caches.room = room
      await expect(folder().keep()).rejects.toThrow('quota')
      cut(true)
      expect(await find()).toBe('Silt settles.')
      cut(false)
      expect(await find()).toBe('Sand settles too.')
    }
    caches.room = Number.POSITIVE_INFINITY
    await folder().keep()
    expect(caches.content.size).toBe(1)
    cut(true)
    expect(await find()).toBe('Sand settles too.')
  })

  it('is not kept with a damaged or missing file', async () => {
    const { target, caches, folder, find, publishText, cut } = await world()
    await publishText('Silt settles.')
    const [name, bytes] = [...target.files].find(([key]) => key.startsWith('data/')) as [string, Uint8Array]
    target.files.set(
      name,
      bytes.map((byte, i) => (i === 9 ? byte ^ 1 : byte)),
    )
    await expect(folder().keep()).rejects.toThrow('is not as search.json says')
    target.files.delete(name)
    await expect(folder().keep()).rejects.toThrow('answered 404')
    cut(true)
    await expect(find()).rejects.toMatchObject({ code: 'host-unreachable' })
    cut(false)
    target.files.set(name, bytes)
    await folder().keep()
    cut(true)
    expect(await find()).toBe('Silt settles.')
    expect(caches.content.size).toBe(1)
  })
})
