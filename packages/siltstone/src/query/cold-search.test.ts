import { beforeAll, describe, expect, it } from 'vitest'
import { pathOf, StoreEngine } from '../engine/engine.ts'
import type { Filter } from '../model/filter.ts'
import { instrumented } from '../drivers/instrumented.ts'
import { delayingObjectStore } from '../drivers/wrappers/delaying-object-store.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import type { RecordOp } from '../model/record.ts'
import { collectionRequest } from '../testing/operations.ts'

const DIMENSION = 16
const HALF = 1_500

function record(n: number): RecordOp {
  const vector = Float32Array.from({ length: DIMENSION }, (_, d) => Math.sin(n * (d + 1)))
  const metadata = JSON.stringify({ tenth: n % 10, hundredth: n % 100 })
  return { op: 'upsert', id: `id-${n}`, vector, document: `document ${n}`, metadata, uri: null }
}

const equal = (key: string): Filter => ({ kind: 'compare', key, op: 'eq', value: 3n })

/** A round is what is asked of storage at once: each costs what the way there and back costs. */
describe('the first search of a process that holds nothing, over two indexed segments far away', () => {
  const env = memoryEnvironment()
  const request = collectionRequest('things')
  let id: string

  beforeAll(async () => {
    const engine = await StoreEngine.open({ env })
    const { info } = await engine.catalog.createCollection(request)
    ;({ id } = info)
    const collection = await engine.collection(request.tenant, request.database, id)
    for (const first of [0, HALF]) {
      await collection.write(Array.from({ length: HALF }, (_, i) => record(first + i)))
      await engine.compactor.compact(pathOf(info))
    }
    await engine.close()
  })

  const store = delayingObjectStore(env.store, {
    clock: env.clock,
    delayMs: () => 5,
    capabilities: env.store.capabilities,
  })
  it.each([
    ['without a filter', undefined, 5],
    ['with one that admits a tenth', equal('tenth'), 7],
    ['with one that admits a hundredth', equal('hundredth'), 7],
  ])('%s takes few rounds', async (_, filter, most) => {
    const fresh = await StoreEngine.open({ env: instrumented({ ...env, store }) })
    const collection = await fresh.collection(request.tenant, request.database, id)
    const { explanation, hits } = await collection.query({
      vectors: [record(13).vector as Float32Array],
      k: 10,
      include: { documents: true, metadatas: true },
      explain: true,
      ...(filter && { filter }),
    })
    expect(hits[0]?.ids).toHaveLength(10)
    expect(explanation?.segments).toBe(2)
    expect(explanation?.rounds).toBeLessThanOrEqual(most)
    await fresh.close()
  })
})
