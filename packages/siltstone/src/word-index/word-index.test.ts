import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SegmentReader } from '../format/segment/reader.ts'
import { Bucket, MapCache } from '../format/segment/testing.ts'
import { documentSource } from './word-source.ts'
import { Analyzer } from '../text/analyzer.ts'
import { bitsOf, pack, packedWords, unpack, unpackAscending, unpackOne } from './bit-packing.ts'
import { keyOfTerm } from './count-terms.ts'
import { dimensionKey } from './keys.ts'
import { DOCUMENT_KEY } from '../model/schema.ts'
import { type IndexedRow, writeIndexed } from './testing.ts'
import { verifyWordIndexes } from './verify-word-index.ts'
import { WordIndex } from './word-index.ts'

const english = Analyzer.of('english')

describe('packed numbers', () => {
  it('are those that were packed', () => {
    const numbers = fc
      .integer({ min: 0, max: 32 })
      .chain((bits) =>
        fc.tuple(fc.constant(bits), fc.array(fc.integer({ min: 0, max: 2 ** bits - 1 }), { maxLength: 200 })),
      )
    fc.assert(
      fc.property(numbers, fc.nat(5), ([bits, values], start) => {
        const words = new Uint32Array(start + packedWords(values.length, bits))
        pack(Uint32Array.from(values), values.length, bits, words, start)
        const read = new Uint32Array(values.length)
        unpack(words, start, bits, values.length, read)
        expect([...read]).toEqual(values)
        expect(values.map((_, i) => unpackOne(words, start, bits, i))).toEqual(values)
      }),
    )
  })

  it('are distances to the number before, less 1', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000_000), { maxLength: 200 }), fc.nat(5), (distances, start) => {
        const bits = bitsOf(Math.max(0, ...distances))
        const words = new Uint32Array(start + packedWords(distances.length, bits))
        pack(Uint32Array.from(distances), distances.length, bits, words, start)
        const read = new Uint32Array(distances.length + 1)
        unpackAscending(words, start, bits, distances.length, -1, read, 1)
        let last = -1
        expect([...read.subarray(1)]).toEqual(distances.map((distance) => (last += distance + 1)))
      }),
    )
  })
})

/** Term → [row, occurrences less 1], as a plain program counts. */
function counted(rows: readonly IndexedRow[]): Map<string, [number, number][]> {
  const lists = new Map<string, [number, number][]>()
  rows.forEach(({ document }, row) => {
    const counts = new Map<string, number>()
    english.each(document ?? '', (term) => counts.set(term, (counts.get(term) ?? 0) + 1))
    for (const [term, count] of counts) lists.set(term, [...(lists.get(term) ?? []), [row, count - 1]])
  })
  return lists
}

function postingsOf(list: NonNullable<Awaited<ReturnType<WordIndex['lists']>>[number]>): [number, number][] {
  const postings: [number, number][] = []
  list.each((row, payload) => postings.push([row, payload]))
  return postings
}

async function readerOf(rows: readonly IndexedRow[], sparseKeys: string[] = [], maxPostings?: number) {
  const bucket = new Bucket()
  const wanted = { texts: [documentSource], sparseKeys }
  const descriptor = await writeIndexed(bucket, rows, wanted, maxPostings === undefined ? {} : { maxPostings })
  return new SegmentReader(descriptor, bucket.read, { cache: new MapCache() })
}

/** A row with a given word for each power of two that divides its number. */
const powers = Array.from({ length: 3_000 }, (_, i): IndexedRow => {
  const words = Array.from({ length: 12 }, (_, p) => (i % 2 ** p === 0 ? `power${p} `.repeat(1 + (i % 3)) : ''))
  return { metadata: null, document: i % 10 === 9 ? null : `${words.join('')}row${i}` }
})

describe('a word index of documents', () => {
  it.each([undefined, 500])('has the postings that a plain program counts (runs of %s)', async (maxPostings) => {
    const reader = await readerOf(powers, [], maxPostings)
    await verifyWordIndexes(reader)
    const index = WordIndex.of(reader, DOCUMENT_KEY, 'text') as WordIndex
    const expected = counted(powers)
    expect(index.params.terms).toBe(expected.size)
    const terms = [...expected.keys()]
    for (let again = 0; again < 2; again++) {
      const lists = await index.lists(terms.map(keyOfTerm))
      terms.forEach((term, i) => {
        expect(postingsOf(lists[i] as NonNullable<(typeof lists)[number]>), term).toEqual(expected.get(term))
      })
    }
    expect(await index.lists([keyOfTerm('absent')])).toEqual([undefined])
  })

  it('finds rows in a list', async () => {
    const index = WordIndex.of(await readerOf(powers), DOCUMENT_KEY, 'text') as WordIndex
    const [list] = await index.lists([keyOfTerm('power1')])
    const expected = new Map(counted(powers).get('power1'))
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(3_500), { maxLength: 60 }), (some) => {
        const rows = some.sort((a, b) => a - b)
        const found: [number, number][] = []
        list?.find(rows, (i, payload) => found.push([rows[i] as number, payload]))
        expect(found).toEqual(rows.filter((row) => expected.has(row)).map((row) => [row, expected.get(row)]))
      }),
    )
  })

  it('has the lengths of the documents', async () => {
    const index = WordIndex.of(
      await readerOf([
        { metadata: null, document: 'a b a' },
        { metadata: null, document: null },
        { metadata: null, document: '' },
        { metadata: null, document: 'x '.repeat(300) },
      ]),
      DOCUMENT_KEY,
      'text',
    ) as WordIndex
    expect([...(await index.lengths())]).toEqual([4, 0, 1, 301])
    expect(index.params).toMatchObject({ valued: 3, totalLength: 303, lengthBytes: 2, kind: 'english-1' })
  })

  it('holds any documents', async () => {
    const document = fc.option(fc.string({ unit: fc.constantFrom('a', 'b', 'ß', '山', '石', ' ', 'é'), maxLength: 40 }))
    await fc.assert(
      fc.asyncProperty(fc.array(document, { minLength: 1, maxLength: 40 }), async (documents) => {
        const rows = documents.map((text) => ({ metadata: null, document: text }))
        const reader = await readerOf(rows, [], 20)
        await verifyWordIndexes(reader)
        const index = WordIndex.of(reader, DOCUMENT_KEY, 'text') as WordIndex
        for (const [term, postings] of counted(rows)) {
          const [list] = await index.lists([keyOfTerm(term)])
          expect(list && postingsOf(list)).toEqual(postings)
        }
      }),
      { numRuns: 30 },
    )
  })
})

describe('a word index of sparse vectors', () => {
  const vectorOf = (indices: readonly number[], values: readonly number[]) =>
    JSON.stringify({ s: { '#type': 'sparse_vector', indices, values } })

  it.each([
    ['a table', (i: number) => 1 + (i % 7) / 4],
    ['floats', (i: number) => Math.sin(i) * 100],
  ])('has the weights to the bit, in %s', async (kind, weightOf) => {
    const count = kind === 'floats' ? 4_000 : 1_000
    const rows = Array.from({ length: count }, (_, i): IndexedRow => {
      const indices = [...new Set([i % 3, 5 + (i % 40), 1_000 + (i % 500), 2 ** 32 - 1 - (i % 2)])].sort(
        (a, b) => a - b,
      )
      // Twenty more make more different weights than a table holds.
      const more = kind === 'floats' ? Array.from({ length: 20 }, (_, k) => 10_000 + k) : []
      const all = [...indices.slice(0, -1), ...more, indices.at(-1) as number]
      return {
        document: null,
        metadata:
          i % 11 === 10
            ? '{"s":1}'
            : vectorOf(
                all,
                all.map((_, k) => weightOf(i * 31 + k)),
              ),
      }
    })
    const reader = await readerOf(rows, ['s', 'other'])
    await verifyWordIndexes(reader)
    expect(WordIndex.of(reader, 'other', 'sparse')?.params).toMatchObject({ terms: 0, valued: 0 })
    const index = WordIndex.of(reader, 's', 'sparse') as WordIndex
    expect(index.params.kind).toBe(kind === 'floats' ? 'floats' : 'table')
    const expected = new Map<number, [number, number][]>()
    rows.forEach(({ metadata }, row) => {
      const { s } = JSON.parse(metadata ?? '{}') as { s: { indices?: number[]; values?: number[] } }
      s.indices?.forEach((dimension, k) => {
        expected.set(dimension, [...(expected.get(dimension) ?? []), [row, Math.fround(s.values?.[k] as number)]])
      })
    })
    const weights = await index.weights()
    const dimensions = [...expected.keys()]
    const lists = await index.lists(dimensions.map(dimensionKey))
    const valueOf = (payload: number) =>
      weights ? weights[payload] : new Float32Array(Uint32Array.of(payload).buffer)[0]
    dimensions.forEach((dimension, i) => {
      const list = lists[i] as NonNullable<(typeof lists)[number]>
      expect(postingsOf(list).map(([row, payload]) => [row, valueOf(payload)])).toEqual(expected.get(dimension))
    })
  })
})

describe('damage', () => {
  it('is found wherever a byte changes', async () => {
    const bucket = new Bucket()
    const rows = powers.slice(0, 300).map((row, i) => ({
      ...row,
      metadata: JSON.stringify({ s: { '#type': 'sparse_vector', indices: [i % 5, 10 + i], values: [1, i] } }),
    }))
    const descriptor = await writeIndexed(bucket, rows, { texts: [documentSource], sparseKeys: ['s'] })
    const [file] = [...bucket.objects.values()] as [Uint8Array]
    const sections = descriptor.sections.filter(({ type }) => type === 'postings')
    expect(sections.length).toBe(2)
    for (const { offset, length } of sections)
      for (let at = offset; at < offset + length; at += 61) {
        file[at] = (file[at] as number) ^ 0x10
        const reader = new SegmentReader(descriptor, bucket.read)
        await expect(verifyWordIndexes(reader), `byte ${at - offset} of ${length}`).rejects.toMatchObject({
          kind: 'corrupt',
        })
        file[at] = (file[at] as number) ^ 0x10
      }
  })
})
