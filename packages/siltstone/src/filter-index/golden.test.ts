/**
 * A segment with filter indexes as the first release wrote it. It is never rewritten: each later release must find the
 * same results in it. (`SILTSTONE_WRITE_GOLDEN=1` writes it if it does not exist.)
 */
import { fileURLToPath } from 'node:url'
import { it } from 'vitest'
import type { Filter } from '../model/filter.ts'
import { expectGolden, goldenSegment } from '../format/testing/golden-segment.ts'
import { type FilterIndex, filterIndexOf } from './filter-index.ts'
import { type FilteredRow, writeFiltered } from './testing.ts'
import { verifyFilterIndex } from './verify-filter-index.ts'

const folder = fileURLToPath(new URL('golden/v1/', import.meta.url))
/** More strings than a key lists, so that they are hashed. */
const ROWS = 5_000

const rocks = ['granite', 'basalt', 'slate', 'märble', '大理石の山', '😀 gneiss']

const metadataOf = (i: number): string =>
  `{"section":"${rocks[i % 6]}","n":${(i * 37) % 501},"f":${i}.5,"flag":${i % 3 === 0},"id":"row-${i}",` +
  `"big":${9007199254740992n + BigInt(i % 4)},"tags":["t${i % 7}","t${i % 11}"]}`

const rows = Array.from(
  { length: ROWS },
  (_, i): FilteredRow => ({
    metadata: i % 10 === 9 ? null : metadataOf(i),
    document: i % 7 === 6 ? null : `Row ${i} tells of ${rocks[(i * 31) % 6]}, number ${(i * 7_919) % 1_009}.`,
  }),
)

const filters: Record<string, Filter> = {
  section: { kind: 'compare', key: 'section', op: 'eq', value: '大理石の山' },
  notSection: { kind: 'compare', key: 'section', op: 'ne', value: 'granite' },
  number: { kind: 'compare', key: 'n', op: 'lt', value: 50n },
  fraction: { kind: 'compare', key: 'f', op: 'gte', value: 4_000.5 },
  flag: { kind: 'compare', key: 'flag', op: 'eq', value: true },
  hashed: { kind: 'in', key: 'id', negated: false, values: ['row-77', 'row-4321', 'no'] },
  big: { kind: 'compare', key: 'big', op: 'eq', value: 9007199254740993n },
  bigger: { kind: 'compare', key: 'big', op: 'gt', value: 9007199254740993n },
  tag: { kind: 'contains', key: 'tags', negated: false, value: 't10' },
  text: { kind: 'document-contains', negated: false, text: 'märble, number 1' },
  wide: { kind: 'document-contains', negated: false, text: '大理石の山, number 77.' },
  pattern: { kind: 'document-regex', negated: true, pattern: 'slate, number 1\\d+\\.' },
}

it('reads what the first release wrote, and finds the same', async () => {
  const reader = await goldenSegment(folder, (bucket) => writeFiltered(bucket, rows, String))
  await verifyFilterIndex(reader)
  const index = (await filterIndexOf(reader)) as FilterIndex
  const found: Record<string, { certain: number; possible: number; first: number[] }> = {}
  for (const [name, filter] of Object.entries(filters)) {
    const { certain, possible } = await index.bounds(filter)
    found[name] = { certain: certain.count(), possible: possible.count(), first: possible.toArray().slice(0, 8) }
  }
  expectGolden(folder, found)
})
