import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import type { MetadataValue } from '../model/record.ts'
import { metadataFromJson } from '../records/index.ts'
import { collectionRequest } from '../testing/operations.ts'
import { upsert } from '../testing/world.ts'
import { pathOf, StoreEngine } from './engine.ts'
import { fieldsOf } from './fields.ts'

async function collectionOf(metadatas: (Record<string, unknown> | null)[], fold = false) {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const { info } = await engine.catalog.createCollection(collectionRequest('things'))
  const collection = await engine.collection(info.tenant, info.database, info.id)
  const records = metadatas.map((_, i) => upsert(`r${i}`, [i]))
  for (const [i, record] of records.entries())
    record.metadata = metadataFromJson(metadatas[i], `metadatas[${i}]`, 'add', 'plain')
  if (records.length > 0) await collection.write(records)
  if (fold) await engine.compact(pathOf(info))
  return collection
}

const scalar = fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.boolean(), fc.integer({ min: 0, max: 3 }))
const metadata = fc.dictionary(fc.constantFrom('k', 'l', '__proto__', 'constructor'), scalar, {
  noNullPrototype: false,
})

describe('the fields of a collection', () => {
  it('counts each value of each key, in the log and in segments', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(metadata, { maxLength: 12 }), fc.boolean(), async (list, fold) => {
        const counts = new Map<string, number>()
        for (const one of list)
          for (const [key, value] of Object.entries(one)) {
            const name = JSON.stringify([key, value])
            counts.set(name, (counts.get(name) ?? 0) + 1)
          }
        const report = await fieldsOf(await collectionOf(list, fold))
        const found = report.fields.flatMap(({ key, values }) =>
          values.map(({ value, records }) => [JSON.stringify([key, value]), records] as const),
        )
        expect(new Map(found)).toEqual(counts)
        expect(report).toMatchObject({ records: list.length, complete: true })
      }),
      { numRuns: 40 },
    )
  })

  it('lists the most frequent values first, and bounds what it keeps', async () => {
    const many = Array.from({ length: 10_050 }, (_, i) => ({
      n: i,
      long: 'x'.repeat(600),
      few: i % 3 === 0 ? 'a' : 'b',
    }))
    const collection = await collectionOf(many)
    const { fields } = await fieldsOf(collection, { values: 2 })
    expect(fields).toMatchObject([
      { key: 'few', distinct: 2, uncounted: false, values: [{ value: 'b' }, { value: 'a' }] },
      { key: 'long', distinct: 0, uncounted: true, values: [] },
      { key: 'n', distinct: 10_000, uncounted: true, records: 10_050 },
    ])
    expect(await fieldsOf(collection, { key: 'n', maxRecords: 3_000 })).toMatchObject({
      records: 3_000,
      complete: false,
      fields: [{ key: 'n', records: 3_000 }],
    })
  })

  it('counts a list by its members, and shows sparse vectors as a type', async () => {
    const sparse = { indices: [1], values: [2] } as unknown as MetadataValue
    const collection = await collectionOf([{ t: ['a', 'b', 'a'], s: sparse }, { t: ['b'] }, { t: 'b' }, null])
    const { fields } = await fieldsOf(collection)
    expect(fields).toEqual([
      { key: 's', types: ['sparse_vector'], records: 1, distinct: 0, uncounted: true, values: [] },
      {
        key: 't',
        types: ['string', 'string[]'],
        records: 3,
        distinct: 2,
        uncounted: false,
        values: [
          { value: 'b', records: 3 },
          { value: 'a', records: 1 },
        ],
      },
    ])
  })
})
