import { beforeAll, describe, expect, it } from 'vitest'
import { FetchObjectStore } from '../drivers/fetch/fetch-object-store.ts'
import { fileHost } from '../drivers/fetch/testing/file-host.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { StoreEngine } from '../engine/engine.ts'
import { systemModels } from '../host/model-host.ts'
import { hybrid, knn } from '../library/search-expressions.ts'
import { publish } from '../publish/publish.ts'
import { MemoryTarget } from '../publish/testing.ts'
import { collectionRequest, upsert } from '../testing/operations.ts'
import { HybridSearch } from './hybrid-search.ts'
import { PublishedSource } from './published-source.ts'
import { ReadOnlyCollection } from './read-only-collection.ts'

const DIMENSION = 16
const WORDS = ['silt', 'river', 'bread', 'eggs', 'invoice', 'stone', 'mud', 'lake', 'delta']
const vectorOf = (n: number) => Array.from({ length: DIMENSION }, (_, d) => Math.sin(n * (d + 1)))
const textOf = (n: number) => [n % 9, (n % 80) % 4, (n % 5) + 4].map((word) => WORDS[word]).join(' ')
const embed = async (texts: readonly string[]) =>
  texts.map((text) => Float32Array.from(vectorOf(text.length * 7 + 0.3)))

async function sourceOf(rows: number): Promise<PublishedSource> {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const { info } = await engine.catalog.createCollection(collectionRequest('things'))
  const collection = await engine.collection(info.tenant, info.database, info.id)
  await collection.write(Array.from({ length: rows }, (_, n) => upsert(`r-${n}`, vectorOf(n), { document: textOf(n) })))
  const target = new MemoryTarget()
  await publish({ collection, staging: memoryEnvironment(), target, models: systemModels })
  await engine.close()
  const { fetch } = fileHost(async (path) => {
    const body = target.files.get(path)
    return body ? { body } : null
  })
  return PublishedSource.open(new FetchObjectStore('http://127.0.0.1', { fetch }), { cacheBytes: 1e6, embed })
}

const QUERIES = ['river mud', 'a lake of eggs', 'stone', 'nothing known', 'invoice']

async function byLibrary(source: PublishedSource, query: string, limit: number) {
  const [vector] = await embed([query])
  const rank = hybrid({ query, vector: Array.from(vector ?? []) })
  const { ids, scores } = await new ReadOnlyCollection(source).search({ rank, limit, select: ['#score'] })
  return { ids: ids[0] ?? [], scores: (scores[0] ?? []).map((score) => -(score as number)) }
}

describe('the search of a search box', () => {
  describe('where each record is measured', () => {
    let source: PublishedSource
    beforeAll(async () => {
      source = await sourceOf(90)
    })

    it.each(QUERIES)('ranks %j as `hybrid` does, to the bit', async (query) => {
      const found = await new HybridSearch(source).search(query, 20)
      const expected = await byLibrary(source, query, 90)
      expect(found.map(({ score }) => score)).toEqual(expected.scores.slice(0, 20))
      for (const { id, score, document } of found) {
        expect(score).toBe(expected.scores[expected.ids.indexOf(id)])
        expect(document).toBe(textOf(Number(id.slice(2))))
      }
    })

    it('finds nothing where nothing is asked for', async () => {
      expect(await new HybridSearch(source).search('river', 0)).toEqual([])
    })
  })

  describe('through an index', () => {
    let source: PublishedSource
    beforeAll(async () => {
      source = await sourceOf(2_000)
    })

    it.each(QUERIES)('finds %j nearly as `hybrid` does, whose lists are read further', async (query) => {
      const found = await new HybridSearch(source).search(query, 10)
      const { scores } = await byLibrary(source, query, 10)
      expect(found).toHaveLength(10)
      expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).sort((a, b) => b - a))
      const last = (scores.at(-1) as number) - 1e-6
      expect(found.filter(({ score }) => score >= last).length).toBeGreaterThanOrEqual(8)
    })

    it('scores each record by its words, also those that are not among the best by words', async () => {
      const query = 'stone'
      const rank = knn({ query, key: '#document', limit: 2_000 })
      const { ids, scores } = await new ReadOnlyCollection(source).search({ rank, limit: 2_000, select: ['#score'] })
      const byWords = new Map(ids[0]?.map((id, i) => [id, scores[0]?.[i] as number]))
      expect(byWords.size).toBeGreaterThan(100)
      for (const { id, score } of await new HybridSearch(source).search(query, 50)) {
        const position = Math.exp(-score - (byWords.get(id) ?? 1)) - 1
        expect(Math.abs(position - Math.round(position))).toBeLessThan(1e-3)
        expect(Math.round(position)).toBeLessThanOrEqual(100)
      }
    })
  })
})
