import { instrumented } from '../drivers/instrumented.ts'
import { beforeAll, describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import type { Collection } from '../model/store.ts'
import { pathOf, StoreEngine } from '../engine/engine.ts'
import type { Filter } from '../model/filter.ts'
import type { RecordOp } from '../model/record.ts'
import { forwardingStore } from '../ports/forwarding-store.ts'
import { seededRandom } from '../ports/seeded-random.ts'
import { collectionRequest } from '../testing/operations.ts'

const DIMENSION = 24
const HALF = 2_000
const ROWS = 2 * HALF
const K = 10

const random = seededRandom(5)
const vectorOf = () => Float32Array.from({ length: DIMENSION }, () => random.next() * 2 - 1)
const vectors = Array.from({ length: ROWS }, vectorOf)
const queries = Array.from({ length: 30 }, vectorOf)

function upsert(n: number): RecordOp {
  const metadata = JSON.stringify({ bucket: n % 100 })
  return { op: 'upsert', id: `id-${n}`, vector: vectors[n] as Float32Array, document: null, metadata, uri: null }
}

const below = (value: bigint): Filter => ({ kind: 'compare', key: 'bucket', op: 'lt', value })

describe.each(['l2', 'cosine', 'ip'] as const)('a search of two indexed segments and the log for %s', (space) => {
  describe.each([
    ['near', true],
    ['far', false],
  ])('in a store that is %s', (_, isLocal) => {
    let collection: Collection

    beforeAll(async () => {
      const env = memoryEnvironment()
      const store = forwardingStore(env.store, { capabilities: { ...env.store.capabilities, isLocal } })
      const engine = await StoreEngine.open({ env: instrumented({ ...env, store }) })
      const request = collectionRequest('things', { space })
      const { info } = await engine.catalog.createCollection(request)
      collection = await engine.collection(request.tenant, request.database, info.id)
      for (const first of [0, HALF]) {
        await collection.write(Array.from({ length: HALF - 5 * (first / HALF) }, (_row, i) => upsert(first + i)))
        await engine.compactor.compact(pathOf(info))
      }
      await collection.write(Array.from({ length: 5 }, (_row, i) => upsert(ROWS - 5 + i)))
      return () => engine.close()
    })

    it.each([
      ['no filter', undefined],
      ['a filter that admits half', below(50n)],
      ['a filter that admits a tenth', below(10n)],
      ['a filter that admits a hundredth', below(1n)],
    ])('with %s finds nearly all that an exact one finds', async (_filter, filter) => {
      const ask = async (exact: boolean) => {
        const request = { vectors: queries, k: K, include: {}, explain: true, ...(filter && { filter }) }
        return collection.query({ ...request, search: { exact, deviations: 3 } })
      }
      const [found, expected] = [await ask(false), await ask(true)]
      expect(found.explanation?.segments).toBe(2)
      let hits = 0
      for (const [i, { ids, distances }] of found.hits.entries()) {
        const right = expected.hits[i] as (typeof expected.hits)[number]
        expect(ids).toHaveLength(K)
        expect(distances).toEqual(distances.toSorted((a, b) => a - b))
        for (const [place, id] of ids.entries()) {
          const at = right.ids.indexOf(id)
          if (at < 0) continue
          hits++
          expect(distances[place]).toBe(right.distances[at])
        }
      }
      expect(hits / (K * queries.length)).toBeGreaterThanOrEqual(0.95)
    })

    it('measures more than the likeliest, and fewer than all candidates', async () => {
      const { explanation } = await collection.query({ vectors: queries, k: K, include: {}, explain: true })
      const { measured = 0, candidates = 0, clusters = 0 } = explanation ?? {}
      expect(clusters).toBeGreaterThan(0)
      expect(measured).toBeGreaterThan(2 * K * queries.length)
      expect(measured).toBeLessThan(candidates)
    })
  })
})
