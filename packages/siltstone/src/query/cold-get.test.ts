import { expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { delayingObjectStore } from '../drivers/wrappers/delaying-object-store.ts'
import { roundsObjectStore } from '../drivers/wrappers/rounds-object-store.ts'
import { pathOf, StoreEngine } from '../engine/engine.ts'
import type { Filter } from '../model/filter.ts'
import { collectionRequest, upsert } from '../testing/operations.ts'

const ROWS = 3_000

async function filled() {
  const env = memoryEnvironment()
  const request = collectionRequest('things')
  const first = await StoreEngine.open({ env })
  const { info } = await first.catalog.createCollection(request)
  const writing = await first.collection(request.tenant, request.database, info.id)
  const numbers = Array.from({ length: ROWS }, (_, n) => n)
  await writing.write(
    numbers.map((n) =>
      upsert(`id-${n}`, [Math.sin(n), Math.cos(n)], {
        document: `Station ${n} of the coast.`,
        metadata: { n, name: `name ${n}`, fiftieth: n % 50 },
      }),
    ),
  )
  await first.compactor.compact(pathOf(info))
  await first.close()

  const capabilities = { ...env.store.capabilities, isLocal: false }
  const far = delayingObjectStore(env.store, { clock: env.clock, delayMs: () => 5, capabilities })
  const store = roundsObjectStore(far)
  /** Of a process with empty caches, which has opened the collection. */
  const roundsOf = async (filter: Filter, isPrepared: boolean) => {
    const engine = await StoreEngine.open({ env: { ...env, store } })
    const collection = await engine.collection(request.tenant, request.database, info.id)
    await (isPrepared ? collection.prepare({ documents: true, metadatas: true }) : collection.count())
    store.takeRounds()
    const { ids } = await collection.get({ filter, include: { documents: true, metadatas: true } })
    const taken = store.takeRounds()
    await engine.close()
    return { ids: ids.length, rounds: taken }
  }
  return roundsOf
}

it('the first get with a filter takes few rounds to a distant store, and one less after it was prepared', async () => {
  const roundsOf = await filled()
  const filters: [what: string, filter: Filter, ids: number][] = [
    ['one of many strings', { kind: 'compare', key: 'name', op: 'eq', value: 'name 77' }, 1],
    ['a list of rows', { kind: 'compare', key: 'fiftieth', op: 'eq', value: 7n }, 60],
    ['a text', { kind: 'document-regex', negated: false, pattern: 'Station 77 ' }, 1],
    [
      'a range',
      {
        kind: 'and',
        clauses: [
          { kind: 'compare', key: 'n', op: 'gte', value: 100n },
          { kind: 'compare', key: 'n', op: 'lt', value: 160n },
        ],
      },
      60,
    ],
  ]
  for (const [what, filter, ids] of filters) {
    // The check for later writes; the heads of the indexes with the directories of the columns; a page or a list; the rows.
    const cold = await roundsOf(filter, false)
    expect([what, cold.ids, cold.rounds <= 4]).toEqual([what, ids, true])
    const prepared = await roundsOf(filter, true)
    expect([what, prepared.ids, prepared.rounds <= 3]).toEqual([what, ids, true])
  }
})
