/** Answers of more records than a call of a function takes arguments, which is about 120,000. */
import { expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { collectionRequest, upsert } from '../testing/operations.ts'
import { pathOf, StoreEngine } from './engine.ts'

const RECORDS = 150_000
const BATCH = 10_000

it('a search by words answers with as many records as it is asked for', async () => {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const { info } = await engine.catalog.createCollection(collectionRequest('large'))
  const { tenant, database, id } = info
  const large = await engine.collection(tenant, database, id)
  for (let from = 0; from < RECORDS; from += BATCH)
    await large.write(
      Array.from({ length: BATCH }, (_, i) =>
        upsert(`r${from + i}`, [1], { document: i === 0 ? 'silt and some sand' : 'silt' }),
      ),
    )
  await engine.compact(pathOf(info), { full: true })
  const knn = { query: { kind: 'text', text: 'silt' }, key: '#document', limit: RECORDS } as const
  const { results } = await large.search({
    searches: [
      {
        rank: { kind: 'knn', knn: { ...knn, default: null, returnRank: false } },
        offset: 0,
        limit: RECORDS,
        select: { documents: false, embeddings: false, metadatas: false, scores: true },
      },
    ],
  })
  const ids = results[0]?.ids ?? []
  expect(new Set(ids).size).toBe(RECORDS)
  // The longer documents rank lower.
  const longer = Array.from({ length: RECORDS / BATCH }, (_, i) => `r${i * BATCH}`)
  expect(ids.slice(-longer.length).toSorted()).toEqual(longer.toSorted())
})
