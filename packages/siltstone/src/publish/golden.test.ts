/**
 * A folder as each version of the format has it. It is never rewritten: each later reader must find the same in it.
 * (`SILTSTONE_WRITE_GOLDEN=1` writes that of the current version if it does not exist.)
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { FetchObjectStore } from '../drivers/fetch/fetch-object-store.ts'
import { fileHost } from '../drivers/fetch/testing/file-host.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { StoreEngine } from '../engine/engine.ts'
import { PUBLISHED_VERSION } from '../format/published.ts'
import { expectGolden } from '../format/testing/golden-segment.ts'
import { systemModels } from '../host/model-host.ts'
import { knn } from '../library/search-expressions.ts'
import { PublishedSource } from '../reader/published-source.ts'
import { ReadOnlyCollection } from '../reader/read-only-collection.ts'
import { collectionRequest, upsert } from '../testing/operations.ts'
import { directoryTarget } from './directory-target.ts'
import { publish } from './publish.ts'

const folderOf = (version: number) => fileURLToPath(new URL(`golden/v${version}/`, import.meta.url))
const ROWS = 300
const vectorOf = (n: number) => Array.from({ length: 16 }, (_, d) => Math.sin(n * (d + 1)))

const recordOf = (n: number, document: string) =>
  upsert(`row-${n}`, vectorOf(n), { document, metadata: JSON.stringify({ n, odd: n % 2 === 1 }) })

/** Published, and published again after some records changed. */
async function write(folder: string): Promise<void> {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const { info } = await engine.catalog.createCollection(collectionRequest('golden'))
  const collection = await engine.collection(info.tenant, info.database, info.id)
  const publishNow = () =>
    publish({
      collection,
      staging: memoryEnvironment(),
      target: directoryTarget(folder),
      models: systemModels,
      keepMs: 0,
    })
  await collection.write(Array.from({ length: ROWS }, (_, n) => recordOf(n, `märble number ${n} 雪`)))
  await publishNow()
  await collection.delete({ ids: ['row-5'] })
  await collection.write([recordOf(42, 'märble number 42, changed'), recordOf(ROWS, 'märble 42 was added')])
  await publishNow()
  await engine.close()
}

it.each([2, 3, 4, 5, PUBLISHED_VERSION])('reads what version %i published, and finds the same', async (version) => {
  const folder = folderOf(version)
  const isNew = version === PUBLISHED_VERSION && process.env['SILTSTONE_WRITE_GOLDEN'] === '1' && !existsSync(folder)
  if (isNew) await write(folder)
  const { fetch } = fileHost(async (path) => (existsSync(folder + path) ? { body: readFileSync(folder + path) } : null))
  const store = new FetchObjectStore('http://127.0.0.1', { fetch })
  const golden = new ReadOnlyCollection(await PublishedSource.open(store, { cacheBytes: 1e6 }))
  const near = await golden.query({
    queryEmbeddings: [vectorOf(7), vectorOf(123.4)],
    nResults: 4,
    where: { odd: true },
  })
  const words = await golden.search({
    rank: knn({ query: 'märble 42', key: '#document', limit: 2 }),
    select: ['#document'],
  })
  const some = await golden.get({ ids: ['row-3', 'row-299'], include: ['documents', 'metadatas', 'uris'] })
  expect(near.distances[0]?.[0]).toBeLessThan(0.01)
  expectGolden(folder, {
    ids: near.ids,
    distances: near.distances.map((list) => list.map((one) => Number(one?.toFixed(4)))),
    words: [words.ids, words.documents],
    records: some.rows(),
    count: await golden.count(),
  })
})
