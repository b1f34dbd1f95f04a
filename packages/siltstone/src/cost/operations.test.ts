import { beforeAll, describe, expect, it } from 'vitest'
import { pathOf, StoreEngine } from '../engine/engine.ts'
import type { Collection } from '../model/store.ts'
import { newConfiguration } from '../library/configuration.ts'
import { countingObjectStore, type StoreCounts } from '../drivers/wrappers/counting-object-store.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { seededRandom } from '../ports/seeded-random.ts'
import { OPERATIONS, type Operation } from './operations.ts'

/** Of which the table may be wrong: it is a mean, the engine gets better. */
const FACTOR = 2

const base = memoryEnvironment()
const store = countingObjectStore(base.store)
const env = { ...base, store }
const random = seededRandom(7)
const DIMENSION = 32
let engine: StoreEngine
let notes: Collection
let made = 0

const vector = () => Float32Array.from({ length: DIMENSION }, () => random.next() - 0.5)
const records = (count: number) =>
  Array.from({ length: count }, () => ({
    op: 'upsert' as const,
    id: `r${made++}`,
    vector: vector(),
    document: 'A text of some length, as documents are. '.repeat(8),
    metadata: '{"year":2026,"kind":"note"}',
    uri: null,
  }))

beforeAll(async () => {
  engine = await StoreEngine.open({ env })
  const { info } = await engine.catalog.createCollection({
    tenant: 'default_tenant',
    database: 'default_database',
    name: 'notes',
    getOrCreate: false,
    metadata: null,
    schema: null,
    ...newConfiguration({}),
  })
  notes = await engine.collection(info.tenant, info.database, info.id)
  for (let i = 0; i < 3; i++) await notes.write(records(4_000))
  await engine.compact(pathOf(info))
})

async function counted(work: () => Promise<unknown>): Promise<{ put: number; get: number }> {
  store.takeCounts()
  await work()
  const { put, list, get, head }: StoreCounts = store.takeCounts()
  return { put: put + list, get: get + head }
}

function expectAbout(actual: { put: number; get: number }, ...parts: [Operation, number][]): void {
  for (const kind of ['put', 'get'] as const) {
    const said = parts.reduce((sum, [operation, times]) => sum + OPERATIONS[operation][kind] * times, 0)
    // A few requests more or less are nothing.
    expect(actual[kind], `${kind}: the table says ${said}`).toBeLessThanOrEqual(said * FACTOR + 2)
    expect(actual[kind], `${kind}: the table says ${said}`).toBeGreaterThanOrEqual(said / FACTOR - 2)
  }
}

describe('the engine makes the requests that the table says', () => {
  const path = () => pathOf(notes.info)

  it('an entry', async () => {
    await notes.write(records(1))
    expectAbout(await counted(() => notes.write(records(10))), ['entry', 1])
  })

  it('a fold of two entries, and of ten', async () => {
    await engine.compact(path(), { merge: false })
    for (const entries of [2, 10]) {
      for (let i = 0; i < entries; i++) await notes.write(records(50))
      expectAbout(await counted(() => engine.compact(path(), { merge: false })), ['fold', 1], ['foldedEntry', entries])
    }
  })

  it('a merge', async () => {
    await engine.compact(path())
    let outcome = await engine.compact(path())
    for (let i = 0; i < 4; i++) {
      await notes.write(records(300))
      await engine.compact(path(), { merge: false })
    }
    const requests = await counted(async () => (outcome = await engine.compact(path())))
    expect(outcome.merges).toBe(1)
    expectAbout(requests, ['merge', 1])
  })

  it('a warm query', async () => {
    const query = { vectors: [vector()], k: 10, include: { documents: true } }
    await notes.query(query)
    expectAbout(await counted(() => notes.query(query)), ['warmQuery', 1])
  })

  it('a cold query: at most that many', async () => {
    const requests = await counted(async () => {
      const fresh = await StoreEngine.open({ env })
      const { tenant, database, id } = notes.info
      await (await fresh.collection(tenant, database, id)).query({
        vectors: [vector()],
        k: 10,
        include: { documents: true },
      })
      await fresh.close()
    })
    const { put, get } = OPERATIONS.coldQuery
    expect(requests.put).toBeLessThanOrEqual(put + 1)
    expect(requests.get).toBeLessThanOrEqual(get * FACTOR)
    expect(requests.get).toBeGreaterThan(10)
  })

  it('a garbage collection', async () => {
    expectAbout(await counted(() => engine.collectGarbage(path())), ['collect', 1])
  })
})
