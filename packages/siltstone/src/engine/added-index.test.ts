import { expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { ManifestStore } from '../snapshot/manifest-store.ts'
import { everythingIndexed } from '../testing/folding-engine.ts'
import { collectionRequest, upsert } from '../testing/operations.ts'
import { isWordIndex } from '../word-index/layout.ts'
import { pathOf, StoreEngine } from './engine.ts'

const sparseKey = (enabled: boolean) => ({
  sparse_vector: { sparse_vector_index: { enabled, config: { bm25: true } } },
})
const fullText = (enabled: boolean) => ({ string: { fts_index: { enabled, config: {} } } })

it('a full compaction gives a lone segment the indexes that the schema was given later, once', async () => {
  const env = memoryEnvironment()
  const engine = await StoreEngine.open({ env, compact: { ...everythingIndexed, indexRows: 10 } })
  const { info } = await engine.catalog.createCollection(
    collectionRequest('things', { schema: { keys: { '#document': fullText(false) } } }),
  )
  const things = await engine.collection(info.tenant, info.database, info.id)
  const words = { '#type': 'sparse_vector', indices: [1, 7], values: [1, 0.5] }
  await things.write(
    Array.from({ length: 12 }, (_, i) =>
      upsert(`r${i}`, [i, 1], { document: `word${i} stone`, metadata: { words, title: `Title ${i}` } }),
    ),
  )
  const found = async () => {
    const texts = { query: { kind: 'text', text: 'word3' }, key: '#document' } as const
    const sparse = { query: { kind: 'sparse', indices: [7], values: [1], idf: true }, key: 'words' } as const
    const titles = {
      query: { kind: 'text', text: 'title 5', fields: [{ key: 'title', weight: 2 }] },
      key: 'title',
    } as const
    const searches = [texts, sparse, titles].map((knn) => ({
      rank: { kind: 'knn', knn: { ...knn, limit: 20, default: null, returnRank: false } } as const,
      offset: 0,
      select: { documents: false, embeddings: false, metadatas: false, scores: true },
    }))
    return (await things.search({ searches })).results
  }
  expect(await engine.compact(pathOf(info), { full: true })).toMatchObject({ folds: 1, merges: 0 })
  const before = await found()
  expect(before.map(({ ids }) => ids.length)).toEqual([1, 12, 12])
  await engine.catalog.changeCollection(info.tenant, info.database, info.id, {
    newSchema: {
      keys: { '#document': fullText(true), words: sparseKey(true) },
      text: { title: { language: 'english' } },
    },
  })
  expect(await engine.compact(pathOf(info), { full: true })).toMatchObject({ merges: 1 })
  const current = await new ManifestStore(env, pathOf(info)).current()
  const [only] = current === 'none' ? [] : current.manifest.segments
  expect(only?.segment.sections.filter(isWordIndex).map(({ params }) => params['key'])).toEqual([
    '#document',
    'title',
    'words',
  ])
  expect(await found()).toEqual(before)
  expect(await engine.compact(pathOf(info), { full: true })).toMatchObject({ merges: 0 })
})
