import { beforeAll, describe, expect, it } from 'vitest'
import { FetchObjectStore } from '../drivers/fetch/fetch-object-store.ts'
import { fileHost } from '../drivers/fetch/testing/file-host.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { StoreEngine } from '../engine/engine.ts'
import { systemModels } from '../host/model-host.ts'
import { hybrid } from '../library/search-expressions.ts'
import { publish } from '../publish/publish.ts'
import { MemoryTarget } from '../publish/testing.ts'
import { collectionRequest, upsert } from '../testing/operations.ts'
import { HybridSearch } from './hybrid-search.ts'
import { PublishedSource } from './published-source.ts'
import { ReadOnlyCollection } from './read-only-collection.ts'

const ROWS = 400
const DIMENSION = 16
const WORDS = ['silt', 'river', 'bread', 'eggs', 'invoice', 'stone', 'mud', 'lake', 'delta']
/** Each text and each vector stands in several records, so that many are equally near and have equal scores. */
const vectorOf = (n: number) => Array.from({ length: DIMENSION }, (_, d) => Math.sin((n % 80) * (d + 1)))
const textOf = (n: number) => [n % 9, (n % 80) % 4, (n % 5) + 4].map((word) => WORDS[word]).join(' ')

async function sourceOf(): Promise<PublishedSource> {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const { info } = await engine.catalog.createCollection(collectionRequest('things'))
  const collection = await engine.collection(info.tenant, info.database, info.id)
  await collection.write(Array.from({ length: ROWS }, (_, n) => upsert(`r-${n}`, vectorOf(n), { document: textOf(n) })))
  const target = new MemoryTarget()
  await publish({ collection, staging: memoryEnvironment(), target, models: systemModels })
  await engine.close()
  const { fetch } = fileHost(async (path) => {
    const body = target.files.get(path)
    return body ? { body } : null
  })
  const embed = async (texts: readonly string[]) =>
    texts.map((text) => Float32Array.from(vectorOf(text.length * 7 + 0.3)))
  return PublishedSource.open(new FetchObjectStore('http://127.0.0.1', { fetch }), { cacheBytes: 1e6, embed })
}

describe('the search of a search box', () => {
  let source: PublishedSource
  beforeAll(async () => {
    source = await sourceOf()
  })

  it.each([
    ['river mud', 10],
    ['a lake of eggs', 25],
    ['stone', 40],
    ['nothing known', 12],
    ['invoice', 1],
  ])('ranks %j as `hybrid` does, equal records in the order of insertion', async (query, limit) => {
    const found = await new HybridSearch(source).search(query, limit)
    const library = new ReadOnlyCollection(source)
    const [vector] = await source.embed([query])
    // Of records at one distance where the list ends, either may be in it: both lists are as long as needed.
    const rank = hybrid({ query, vector: Array.from(vector ?? []), limit })
    const expected = await library.search({ rank, limit, select: ['#score', '#document'] })
    const scores = found.map(({ score }) => score)
    expect(scores).toEqual((expected.scores[0] ?? []).map((score) => -(score as number)))
    const last = scores.at(-1) as number
    const sure = (list: readonly string[]) => list.filter((_, i) => (scores[i] as number) > last)
    const byScore = (list: readonly string[]) => Object.values(Object.groupBy(sure(list), (_, i) => `${scores[i]}`))
    expect(byScore(found.map(({ id }) => id)).map((ids) => ids?.length)).toEqual(
      byScore(expected.ids[0] ?? []).map((ids) => ids?.length),
    )
    const place = (id: string) => Number(id.slice(2))
    for (const [i, { id, score }] of found.entries())
      if (score === found[i - 1]?.score) expect(place(id)).toBeGreaterThan(place(found[i - 1]?.id ?? ''))
    expect(found.map(({ document }) => document)).toEqual(found.map(({ id }) => textOf(place(id))))
  })

  it('finds nothing where there is nothing', async () => {
    expect(await new HybridSearch(source).search('river', 0)).toEqual([])
  })
})
