import {
  type Collection,
  EmbedderRegistry,
  type Filter,
  invalid,
  newConfiguration,
  noLimits,
  parseSearch,
  parseWhere,
  prepare,
  StoreEngine,
  systemModels,
  unavailable,
  unsupported,
} from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rank, type Ranking } from './ranking.ts'
import type { Scope } from './scope.ts'

const WITHOUT_WORDS = { keys: { '#document': { string: { fts_index: { enabled: false, config: {} } } } } }
const TEXTS: Record<string, string> = {
  silt: 'Silt settles where the water slows down.',
  delta: 'Where a river meets the sea, it drops the mud that it carried.',
  invoice: 'Invoice AB-1234 is overdue.',
  other: 'Invoice CD-5678 was paid.',
  eggs: 'Beat two eggs with sugar and flour.',
}

let engine: StoreEngine
let scope: Scope
const embedder = () => new EmbedderRegistry({ ...memoryEnvironment(), models: systemModels, variables: {} }, {}).default

async function filled(name: string, schema: Record<string, unknown> | null = null): Promise<Collection> {
  const { info } = await engine.catalog.createCollection({
    tenant: scope.tenant,
    database: scope.database,
    name,
    getOrCreate: false,
    metadata: null,
    schema,
    ...newConfiguration({ configuration: { hnsw: { space: 'cosine' } } }),
  })
  const collection = await engine.collection(info.tenant, info.database, info.id)
  const vectors = await embedder().embed(Object.values(TEXTS))
  await collection.write(
    Object.entries(TEXTS).map(([id, document], i) => ({
      op: 'upsert' as const,
      id,
      vector: vectors[i] as Float32Array,
      document,
      metadata: null,
      uri: id === 'silt' ? 'https://silt.example' : null,
    })),
  )
  return collection
}

const asked = (query: string, more: Partial<Ranking> = {}): Ranking => ({
  query,
  filter: undefined,
  offset: 0,
  limit: 10,
  maxDistance: undefined,
  passageChars: 300,
  at: undefined,
  ...more,
})
const idsOf = ({ hits }: { hits: { id: string }[] }) => hits.map(({ id }) => id)

beforeEach(async () => {
  const env = memoryEnvironment()
  engine = await StoreEngine.open({ env })
  const ours = embedder()
  scope = {
    engine,
    embedderFor: async () => ours,
    tenant: 'default_tenant',
    database: 'default_database',
    canWrite: false,
    allowCreate: false,
    nowMs: () => env.clock.nowMs(),
    onError: (error) => expect.fail(String(error)),
  }
})
afterEach(() => engine.close())

describe('the ranking of the tool search', () => {
  it('is that of $hybrid, with distances and words', async () => {
    const collection = await filled('notes')
    for (const query of ['why do rivers drop mud?', 'AB-1234', 'the', 'sugar river invoice', 'zzz']) {
      const found = await rank(scope, collection, asked(query))
      const json = { rank: { $hybrid: { query } }, select: { keys: ['#score'] } }
      const searches = await prepare([parseSearch(json, 'search', noLimits, 'plain').search], {
        schema: null,
        needsIndex: false,
        embed: (texts) => embedder().embed(texts),
      })
      const { results } = await collection.search({ searches })
      expect([idsOf(found), found.hits.map(({ score }) => score)]).toEqual([results[0]?.ids, results[0]?.scores])
      expect(found).toMatchObject({ by: 'meaning and words', hasMore: false, version: 1 })
      expect(found.hits.every(({ distance }) => typeof distance === 'number')).toBe(true)
    }
    const { hits } = await rank(scope, collection, asked('invoice AB-1234'))
    expect(hits[0]).toMatchObject({ id: 'invoice', document: TEXTS['invoice'], uri: null })
    expect(hits[0]?.words.toSorted()).toEqual(['1234', 'AB', 'invoice'])
    expect(hits.find(({ id }) => id === 'other')?.words).toEqual(['invoice'])
    expect(hits.find(({ id }) => id === 'silt')).toMatchObject({ words: [], uri: 'https://silt.example' })
  })

  it('pages through one order, and filters', async () => {
    const collection = await filled('notes')
    const whole = await rank(scope, collection, asked('river mud'))
    const pages = []
    for (let offset = 0; offset < 6; offset += 2)
      pages.push(await rank(scope, collection, asked('river mud', { offset, limit: 2 })))
    expect(pages.flatMap(idsOf)).toEqual(idsOf(whole))
    expect(pages.map(({ hasMore }) => hasMore)).toEqual([true, true, false])
    const filter = parseWhere({ '#id': { $in: ['eggs', 'silt'] } }, 'plain') as Filter
    expect(idsOf(await rank(scope, collection, asked('river mud', { filter }))).toSorted()).toEqual(['eggs', 'silt'])
  })

  it('keeps its order within a largest distance, whatever words are farther', async () => {
    const collection = await filled('notes')
    const query = 'water and mud of a river, or an invoice'
    const whole = await rank(scope, collection, asked(query))
    for (const { distance: maxDistance = 0 } of whole.hits) {
      const near = await rank(scope, collection, asked(query, { maxDistance }))
      expect(near.hits).toEqual(whole.hits.filter(({ distance = 9 }) => distance <= maxDistance))
    }
    const none = await rank(scope, collection, asked('invoice', { maxDistance: 0.001 }))
    expect(none).toMatchObject({
      hits: [],
      note: expect.stringMatching(/nothing within 0.001; the nearest is at 0\.\d+/),
    })
    const [first] = idsOf(whole)
    const filter = parseWhere({ '#id': { $ne: first } }, 'plain') as Filter
    expect(idsOf(await rank(scope, collection, asked(query, { filter, maxDistance: 2 })))).toEqual(
      idsOf(whole).slice(1),
    )
  })

  it('is by words alone where no embedder fits, then without distances', async () => {
    const collection = await filled('notes')
    const embedderFor = () => Promise.reject(invalid('embedding-function-unsupported', 'made by "other"'))
    const found = await rank({ ...scope, embedderFor }, collection, asked('an overdue invoice'))
    expect(idsOf(found)).toEqual(['invoice', 'other'])
    expect(found).toMatchObject({ by: 'words', hits: [{ words: ['overdue', 'invoice'], distance: undefined }, {}] })
    const far = rank({ ...scope, embedderFor }, collection, asked('invoice', { maxDistance: 1 }))
    await expect(far).rejects.toMatchObject({ code: 'no-distance' })
    const longer = { ...embedder(), embed: async () => [new Float32Array(384)] }
    expect((await rank({ ...scope, embedderFor: async () => longer }, collection, asked('invoice'))).by).toBe('words')
    const neither = await filled('neither', WITHOUT_WORDS)
    await expect(rank({ ...scope, embedderFor }, neither, asked('x'))).rejects.toThrow('made by "other"')
  })

  it('is by meaning alone where words are not indexed', async () => {
    const collection = await filled('notes', WITHOUT_WORDS)
    const found = await rank(scope, collection, asked('invoice AB-1234'))
    expect(found.by).toBe('meaning')
    expect(found.hits).toHaveLength(5)
    for (const { score, distance, words } of found.hits) expect([score, words]).toEqual([distance, []])
    const { hits } = await rank(scope, collection, asked('invoice', { maxDistance: found.hits[0]?.score }))
    expect(hits.length).toBeLessThan(5)
  })

  it('is by meaning alone until there is a word index, and says so', async () => {
    const collection = await filled('notes')
    const search = collection.search.bind(collection)
    collection.search = (request) =>
      request.searches.some(({ rank: expression }) => JSON.stringify(expression).includes('"kind":"text"'))
        ? Promise.reject(unsupported('words-not-indexed', 'no word index'))
        : search(request)
    const found = await rank(scope, collection, asked('invoice', { limit: 2 }))
    expect(found).toMatchObject({ by: 'meaning', hasMore: true, note: expect.stringContaining('word index') })
    expect(found.hits).toHaveLength(2)
  })

  it('tells that the embedder fails, instead of ranking by words', async () => {
    const collection = await filled('notes')
    const broken = { ...embedder(), embed: () => Promise.reject(unavailable('embedder-down', 'no answer')) }
    const failing = rank({ ...scope, embedderFor: async () => broken }, collection, asked('invoice'))
    await expect(failing).rejects.toMatchObject({ code: 'embedder-down' })
  })
})
