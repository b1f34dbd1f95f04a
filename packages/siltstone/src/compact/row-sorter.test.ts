import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { SegmentRow } from '../format/segment/writer.ts'
import { memoryScratch } from '../ports/scratch.ts'
import { RowSorter } from './row-sorter.ts'

const text = fc.option(fc.string({ unit: 'grapheme', maxLength: 30 }), { nil: null })
const row = fc.record({
  id: fc.string({ minLength: 1, unit: 'grapheme' }),
  cluster: fc.nat(5),
  version: fc.nat(),
  vector: fc.array(fc.float({ noNaN: true }), { minLength: 3, maxLength: 3 }),
  document: text,
  metadata: text,
  uri: text,
})

it('gives every row back, by cluster and order of insertion, however little memory it has', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 60 }), fc.integer({ min: 1, max: 20_000 }), async (made, runBytes) => {
      const rows = made.map(({ id, version, document, metadata, uri, vector }, i): SegmentRow => {
        // Any order of arrival.
        const ordinal = (i * 7919) % 100_003
        return { id, version, document, metadata, uri, ordinal, vector: Float32Array.from(vector) }
      })
      const sorter = new RowSorter(memoryScratch, runBytes)
      for (let i = 0; i < rows.length; i += 7)
        await sorter.add(
          rows.slice(i, i + 7),
          made.slice(i, i + 7).map(({ cluster }) => cluster),
        )
      const got = []
      for await (const batch of sorter.sorted()) got.push(...batch)
      await sorter.close()
      const expected = rows.map((it, arrival) => ({ row: it, arrival, cluster: made[arrival]?.cluster ?? -1 }))
      expected.sort((a, b) => a.cluster - b.cluster || a.row.ordinal - b.row.ordinal)
      expect(got).toEqual(expected)
    }),
    { numRuns: 200 },
  )
})

it('rows larger than a chunk go through the scratch disk too', async () => {
  const rows = Array.from({ length: 5 }, (_, i): SegmentRow => {
    const document = 'ü'.repeat(1_500_000 + i)
    return { id: `r${i}`, ordinal: 5 - i, version: 1, vector: Float32Array.of(i), document, metadata: null, uri: null }
  })
  const sorter = new RowSorter(memoryScratch, 4_000_000)
  await sorter.add(rows, [0, 0, 0, 0, 0])
  expect(sorter.spilledRuns).toBeGreaterThan(1)
  const ids = []
  for await (const batch of sorter.sorted()) for (const { row: it } of batch) ids.push(it.id, it.document?.length)
  expect(ids).toEqual(rows.toReversed().flatMap((it) => [it.id, it.document?.length]))
})
