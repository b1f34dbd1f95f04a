import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SegmentReader } from '../format/segment/reader.ts'
import { Bucket, segmentUlid } from '../format/segment/testing.ts'
import { SegmentWriter } from '../format/segment/writer.ts'
import { memoryScratch } from '../ports/scratch.ts'
import { eachPosting, PostingBuffer } from './postings.ts'
import { TrigramReader } from './trigram-reader.ts'
import { TrigramTable } from './trigram-table.ts'
import { TrigramWriter } from './trigram-writer.ts'

async function written(documents: readonly string[], maxPairs?: number, asciiPairs?: number) {
  const bucket = new Bucket()
  const fileKey = (name: string) => `segment/${name}`
  const writer = new SegmentWriter({ id: segmentUlid, dimension: 1, fileKey, open: bucket.open, singleFile: true })
  const trigrams = new TrigramWriter(memoryScratch, maxPairs, asciiPairs)
  for (const [i, document] of documents.entries()) {
    await trigrams.add(i, document)
    const vector = Float32Array.of(i)
    await writer.append({ id: `${i}`, ordinal: i, version: 1, vector, document, metadata: null, uri: null })
  }
  await trigrams.section(writer)
  await trigrams.close()
  const descriptor = await writer.finish()
  const section = descriptor.sections.find(({ name }) => name === 'trigrams')
  const bytes = [...bucket.objects.values()][0]?.subarray(
    section?.offset,
    (section?.offset ?? 0) + (section?.length ?? 0),
  )
  return { reader: new SegmentReader(descriptor, bucket.read), bytes, bucket, descriptor }
}

const units = fc.constantFrom('a', 'b', 'c', ' ', '\u007f', '\u0080', 'é', '中', '😀', '\u0000', '\uffff')
const documents = fc.array(
  fc.array(units, { maxLength: 12 }).map((all) => all.join('')),
  { minLength: 1, maxLength: 60 },
)

describe('lists of trigrams', () => {
  it('never miss a document that contains the text', async () => {
    await fc.assert(
      fc.asyncProperty(documents, fc.array(units, { maxLength: 5 }), async (all, needle) => {
        const index = TrigramReader.of((await written(all)).reader) as TrigramReader
        const text = needle.join('')
        const rows = await index.candidates(text)
        await index.verify()
        if (text.length < 3) expect(rows).toBeUndefined()
        all.forEach((document, row) => {
          if (document.includes(text) && rows) expect(rows.has(row)).toBe(true)
        })
      }),
      { numRuns: 150 },
    )
  })

  it('are the same bytes when they were spilled', async () => {
    await fc.assert(
      fc.asyncProperty(documents, fc.integer({ min: 1, max: 40 }), async (all, maxPairs) => {
        expect((await written(all, maxPairs)).bytes).toEqual((await written(all)).bytes)
      }),
      { numRuns: 60 },
    )
  })

  it('are the same bytes from whichever trigram on those of ASCII are found without a hash', async () => {
    await fc.assert(
      fc.asyncProperty(documents, fc.nat(200), fc.integer({ min: 1, max: 100 }), async (all, asciiPairs, maxPairs) => {
        const expected = (await written(all)).bytes
        expect((await written(all, maxPairs, asciiPairs)).bytes).toEqual(expected)
      }),
      { numRuns: 25 },
    )
  })

  it('narrow a text to the groups that contain all of its trigrams, and ignore frequent ones', async () => {
    const all = Array.from(
      { length: 4_000 },
      (_, i) => `the document ${i} is about ${i % 500 === 77 ? 'basalt' : 'granite'}`,
    )
    const index = TrigramReader.of((await written(all)).reader) as TrigramReader
    expect((await index.candidates('basalt'))?.count()).toBe(4 * 8)
    expect((await index.candidates('marble'))?.count()).toBe(0)
    expect(await index.candidates('the document')).toBeUndefined()
    expect((await index.candidates('about basalt'))?.count()).toBe(4 * 8)
  })

  it('take several blocks', async () => {
    const all = Array.from({ length: 3_000 }, (_, i) =>
      String.fromCharCode(...Array.from({ length: 40 }, (_, k) => 0x4e00 + ((i * 7_919 + k * 104_729) % 20_000))),
    )
    const { reader } = await written(all, 20_000)
    const index = TrigramReader.of(reader) as TrigramReader
    expect((await index.directory()).blocks).toBeGreaterThan(10)
    await index.verify()
    for (const row of [0, 1_234, 2_999])
      expect((await index.candidates((all[row] as string).slice(3, 9)))?.has(row)).toBe(true)
  })

  it('verify finds any damage', async () => {
    const { descriptor, bucket } = await written(
      Array.from({ length: 500 }, (_, i) => `row ${i} of ${(i * 7919) % 1_000}`),
    )
    const { offset = 0, length = 0 } = descriptor.sections.find(({ name }) => name === 'trigrams') ?? {}
    const [key, whole] = [...bucket.objects][0] as [string, Uint8Array]
    for (let round = 0; round < 50; round++) {
      const damaged = Uint8Array.from(whole)
      const at = offset + Math.floor((round * length) / 50)
      damaged[at] = (damaged[at] as number) ^ (1 << (round % 8))
      bucket.objects.set(key, damaged)
      const index = TrigramReader.of(new SegmentReader(descriptor, bucket.read)) as TrigramReader
      await expect(index.verify()).rejects.toMatchObject({
        kind: 'corrupt',
        message: expect.stringContaining('trigrams'),
      })
    }
  })
})

it('postings are read back, and a truncated list is detected', () => {
  const lists = fc.uniqueArray(fc.oneof(fc.nat(300), fc.nat(2 ** 31 - 2)), { minLength: 1 })
  fc.assert(
    fc.property(lists, (numbers) => {
      numbers.sort((a, b) => a - b)
      const buffer = new PostingBuffer()
      buffer.skip(3)
      buffer.begin()
      for (const number of numbers) {
        buffer.add(number)
        buffer.add(number)
      }
      const back: number[] = []
      expect(eachPosting(buffer.bytes, 3, buffer.length, (number) => back.push(number))).toBe(numbers.length)
      expect(back).toEqual(numbers)
      expect(eachPosting(Uint8Array.of(5, 200), 0, 2, () => undefined)).toBe(-1)
    }),
  )
})

it('a table of trigrams numbers them in order of first use, also when it grows', () => {
  const table = new TrigramTable()
  for (let i = 0; i < 10_000; i++) expect(table.numberOf((i * 2_654_435_761) >>> 0, i % 65_536)).toBe(i)
  for (let i = 0; i < 10_000; i++) expect(table.numberOf((i * 2_654_435_761) >>> 0, i % 65_536)).toBe(i)
  expect(table.count).toBe(10_000)
})
