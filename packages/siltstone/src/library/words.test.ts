import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { pathOf, StoreEngine } from '../engine/engine.ts'
import { prepare } from '../search/prepare.ts'
import type { Knn, Rank, SearchHits } from '../model/search.ts'
import type { Collection } from '../model/store.ts'
import { chromaBm25Document } from '../text/chroma-bm25.ts'
import { collectionRequest, update, upsert } from '../testing/operations.ts'

const schema = {
  defaults: {},
  keys: {
    words: {
      sparse_vector: {
        sparse_vector_index: {
          enabled: true,
          config: {
            embedding_function: { type: 'known', name: 'chroma_bm25', config: {} },
            source_key: '#document',
            bm25: true,
          },
        },
      },
    },
  },
}

const documents = [
  'Rivers carry silt.',
  'Silt turns to stone; stone is stone.',
  '河流携带泥沙',
  'The invoice is overdue.',
  '',
]

describe('texts as queries', () => {
  let engine: StoreEngine
  let things: Collection

  beforeAll(async () => {
    engine = await StoreEngine.open({ env: memoryEnvironment() })
    const { info } = await engine.catalog.createCollection(collectionRequest('things', { schema }))
    things = await engine.collection(info.tenant, info.database, info.id)
    await things.write(documents.map((document, i) => upsert(`d${i}`, [i, 1], { document })))
  })
  afterAll(() => engine.close())

  async function found(text: string, key: string, others: Partial<Knn> = {}): Promise<SearchHits> {
    const knn: Knn = { query: { kind: 'text', text }, key, limit: 10, default: null, returnRank: false, ...others }
    const rank: Rank = { kind: 'knn', knn }
    const select = { documents: false, embeddings: false, metadatas: false, scores: true }
    const searches = await prepare([{ rank, offset: 0, select }], {
      schema: things.info.schema,
      needsIndex: true,
      embed: async (texts) => texts.map(() => Float32Array.of(0, 1)),
    })
    const { results } = await things.search({ searches })
    return results[0] as SearchHits
  }

  it.each<[string, string, string[]]>([
    ['stones', '#document', ['d1']],
    ['What is silt?', '#document', ['d0', 'd1']],
    ['泥沙', '#document', ['d2']],
    ['silted rivers', 'words', ['d0', 'd1']],
    ['…', '#document', []],
    ['', 'words', []],
  ])('%s under %s', async (text, key, ids) => {
    const before = await found(text, key)
    expect(before.ids).toEqual(ids)
    await engine.compact(pathOf(things.info))
    expect(await found(text, key)).toEqual(before)
  })

  it('find vectors that the store made, which a changed document replaces', async () => {
    const { metadatas } = await things.get({ include: { metadatas: true } })
    const stored = JSON.parse(metadatas?.[0] ?? '{}') as { words?: object }
    const { indices, values } = chromaBm25Document('Rivers carry silt.')
    expect(stored.words).toMatchObject({ indices, values: values.map((value) => expect.closeTo(value, 6) as number) })
    await things.write([update('d3', { document: 'The river is overdue.' })])
    expect((await found('invoice', 'words')).ids).toEqual([])
    expect((await found('river', 'words')).ids.sort()).toEqual(['d0', 'd3'])
    expect((await found('river', '#document')).ids.sort()).toEqual(['d0', 'd3'])
  })

  it('are refused under keys that no words are known of', async () => {
    await expect(found('silt', 'other')).rejects.toMatchObject({ code: 'text-query', field: 'query' })
  })
})
