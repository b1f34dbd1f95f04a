/** A folder that is published again and again, with what changed, beside one that is published once. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FetchObjectStore } from '../drivers/fetch/fetch-object-store.ts'
import { fileHost } from '../drivers/fetch/testing/file-host.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { StoreEngine } from '../engine/engine.ts'
import { systemModels } from '../host/model-host.ts'
import { knn } from '../library/search-expressions.ts'
import { PublishedSource } from '../reader/published-source.ts'
import { ReadOnlyCollection } from '../reader/read-only-collection.ts'
import { collectionRequest, upsert } from '../testing/operations.ts'
import { ordinalAt, planChanges } from './change-plan.ts'
import { publish } from './publish.ts'
import type { PublishedRecord } from './record-digests.ts'
import { MemoryTarget } from './testing.ts'

const ROWS = 300
const DIMENSION = 16
const WORDS = ['silt', 'river', 'bread', 'eggs', 'invoice', 'stone', 'mud']

const vectorOf = (id: number, content: number) =>
  Array.from({ length: DIMENSION }, (_, d) => Math.sin((id + 1) * (d + 1) + content))

function record(id: number, content: number) {
  const words = [id % 7, (id * content) % 7, content % 7].map((n) => WORDS[n])
  return upsert(`r-${id}`, vectorOf(id, content), {
    document: `${words.join(' ')} ${id} ${content}`,
    metadata: JSON.stringify({ third: id % 3, content }),
  })
}

async function readerOf(target: MemoryTarget): Promise<ReadOnlyCollection> {
  const { fetch } = fileHost(async (path) => {
    const body = target.files.get(path)
    return body ? { body } : null
  })
  const store = new FetchObjectStore('http://127.0.0.1', { fetch })
  return new ReadOnlyCollection(await PublishedSource.open(store, { cacheBytes: 1e6 }))
}

/** Everything that can be asked, where the answer does not depend on which clusters are looked at. */
async function answersOf(target: MemoryTarget) {
  const reader = await readerOf(target)
  const queryEmbeddings = [vectorOf(7, 0), vectorOf(3, 5)]
  const near = await reader.query({ queryEmbeddings, nResults: 8, search: { exact: true } })
  const filtered = await reader.query({ queryEmbeddings, nResults: 5, where: { third: 1 }, search: { exact: true } })
  const words = await reader.search([
    { rank: knn({ query: 'river mud', key: '#document', limit: 20 }), limit: 20, select: ['#score', '#document'] },
    { rank: knn({ query: 'inv*', key: '#document', limit: 20 }), limit: 20, select: ['#score'] },
  ])
  const all = await reader.get({ include: ['documents', 'metadatas'] })
  return {
    near: [near.ids, near.distances],
    filtered: [filtered.ids, filtered.distances],
    words: [words.ids, words.scores, words.documents],
    all: all.rows(),
    count: await reader.count(),
  }
}

const edit = fc.record({
  what: fc.constantFrom('change', 'change', 'delete', 'insert', 'move', 'restore'),
  id: fc.nat(ROWS - 1),
  content: fc.nat(9),
})

describe('a folder that is published again with what changed', () => {
  it('answers as a newly published one, with the same scores', async () => {
    let continued = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(edit, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 2 }),
        async (publications) => {
          const engine = await StoreEngine.open({ env: memoryEnvironment() })
          const { info } = await engine.catalog.createCollection(collectionRequest('things'))
          const collection = await engine.collection(info.tenant, info.database, info.id)
          await collection.write(Array.from({ length: ROWS }, (_, id) => record(id, 0)))
          const target = new MemoryTarget()
          const to = (into: MemoryTarget) =>
            publish({ collection, staging: memoryEnvironment(), target: into, models: systemModels, keepMs: 0 })
          await to(target)
          for (const edits of publications) {
            for (const { what, id, content } of edits) {
              if (what === 'delete' || what === 'move') await collection.delete({ ids: [`r-${id}`] })
              if (what === 'change' || what === 'move') await collection.write([record(id, content)])
              if (what === 'restore') await collection.write([record(id, 0)])
              if (what === 'insert') await collection.write([record(ROWS + id, content)])
            }
            if ((await to(target)).recordsWritten < ROWS / 2) continued++
          }
          const fresh = new MemoryTarget()
          await to(fresh)
          expect(await answersOf(target)).toEqual(await answersOf(fresh))
          await engine.close()
        },
      ),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 2) },
    )
    expect(continued).toBeGreaterThan(0)
  })
})

describe('the plan of changes', () => {
  const digests = fc.uniqueArray(fc.nat(40), { maxLength: 30 })
  const digestOf = (id: number, content: number) => ({ id: `${id}`, content: `${id}:${content}` })

  it('gives the order of the records, and leaves as many as it can', () => {
    fc.assert(
      fc.property(digests, digests, fc.func(fc.integer({ min: 0, max: 5 })), (before, after, contentOf) => {
        // Rows in another order than the records.
        const published = new Map<string, PublishedRecord>(
          before.map((id, position) => [
            `${id}`,
            { position, row: before.length - 1 - position, content: digestOf(id, 0).content },
          ]),
        )
        const records = after.map((id) => digestOf(id, contentOf(id) === 0 ? 1 : 0))
        const { written, deletedRows } = planChanges(published, records)
        const ordinals = records.map(({ id }, place) => {
          const known = published.get(id)
          return written.get(place) ?? ordinalAt(known?.position ?? Number.NaN, before.length)
        })
        expect(ordinals).toEqual([...new Set(ordinals)].sort((a, b) => a - b))
        const kept = records.filter((_, place) => !written.has(place)).map(({ id }) => published.get(id)?.row)
        expect([...kept, ...deletedRows].sort((a = 0, b = 0) => a - b)).toEqual(before.map((_, i) => i))
        expect(deletedRows).toEqual(deletedRows.toSorted((a, b) => a - b))
        for (const [place, { id, content }] of records.entries())
          if (!written.has(place)) expect(published.get(id)?.content).toBe(content)
      }),
    )
  })

  it('writes one record where one changed, was inserted or moved, and none where one was deleted', () => {
    const published = new Map<string, PublishedRecord>(
      Array.from({ length: 10 }, (_, i) => [`${i}`, { position: i, row: i, content: `${i}:0` }]),
    )
    const all = Array.from({ length: 10 }, (_, i) => digestOf(i, 0))
    const counts = (records: typeof all) => {
      const { written, deletedRows } = planChanges(published, records)
      return [written.size, deletedRows.length]
    }
    expect(counts(all)).toEqual([0, 0])
    expect(counts(all.with(4, digestOf(4, 1)))).toEqual([1, 1])
    expect(counts(all.toSpliced(3, 0, digestOf(99, 0)))).toEqual([1, 0])
    expect(counts([digestOf(99, 0), ...all])).toEqual([1, 0])
    expect(counts([...all.slice(1), digestOf(0, 0)])).toEqual([1, 1])
    expect(counts([digestOf(9, 0), ...all.slice(0, 9)])).toEqual([1, 1])
    expect(counts(all.toSpliced(5, 1))).toEqual([0, 1])
    // More than there are ordinals between two records.
    const many = Array.from({ length: 300 }, (_, i) => digestOf(1_000 + i, 0))
    expect(counts([...all.slice(0, 2), ...many, ...all.slice(2)])).toEqual([301, 1])
  })
})
