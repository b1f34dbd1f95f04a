import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SegmentReader } from '../../format/segment/reader.ts'
import { Bucket, MapCache } from '../../format/segment/testing.ts'
import { compareKeys } from '../../ports/object-key.ts'
import { documentSource } from '../word-source.ts'
import { eachWord, fold } from '../../text/words.ts'
import { writeIndexed } from '../testing.ts'
import { verifyWordIndexes } from '../verify-word-index.ts'
import type { WordRows } from './layout.ts'
import { WordDictionary } from './word-dictionary.ts'

async function dictionaryOf(documents: readonly (string | null)[], maxWords?: number) {
  const bucket = new Bucket()
  const rows = documents.map((document) => ({ document, metadata: null }))
  const options = maxWords === undefined ? {} : { maxWords }
  const descriptor = await writeIndexed(bucket, rows, { texts: [documentSource], sparseKeys: [] }, options)
  const reader = new SegmentReader(descriptor, bucket.read, { cache: new MapCache() })
  await verifyWordIndexes(reader)
  return { dictionary: WordDictionary.of(reader, '#document') as WordDictionary, descriptor, bucket }
}

/** As a plain program counts. */
function counted(documents: readonly (string | null)[]): WordRows[] {
  const rows = new Map<string, number>()
  for (const document of documents) {
    const own = new Set<string>()
    eachWord(document ?? '', (word) => own.add(fold(word).toWellFormed()))
    for (const word of own) rows.set(word, (rows.get(word) ?? 0) + 1)
  }
  return Array.from(rows, ([word, count]) => ({ word, rows: count })).sort((a, b) => compareKeys(a.word, b.word))
}

/** Words with much and little in common, 9,000 of them. */
const many = Array.from(
  { length: 3_000 },
  (_, i) => `word${i} Word${i * 7} ${(i * 7_919).toString(36)}x ${i % 3 === 0 ? 'ÄRGER naïve 山石' : 'the'}`,
)

describe('a dictionary', () => {
  it.each([undefined, 700])('has the words that a plain program counts (%s in memory)', async (maxWords) => {
    const { dictionary } = await dictionaryOf([...many, null, ''], maxWords)
    const expected = counted(many)
    expect(dictionary.words).toBe(expected.length)
    expect(await dictionary.blockCount()).toBeGreaterThan(2)
    expect(await dictionary.startingWith('')).toEqual(expected)
    for (const text of ['word1', 'word29', 'w', 'word299', 'x', 'ä', '山', 'zzzz', '0', '\u{10ffff}', 'na'])
      expect(await dictionary.startingWith(text), text).toEqual(expected.filter(({ word }) => word.startsWith(text)))
  })

  it('finds the words of any documents that begin with any text', async () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', 'B', 'é', '\u{1d54f}', '\ufffd', '山', ' ', '1'),
      maxLength: 30,
    })
    const long = fc.nat(3).map((n) => `${'x'.repeat(61 + n)}\u{20000}\u{20001}`)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(text, long), { minLength: 1, maxLength: 20 }),
        text,
        async (documents, start) => {
          const { dictionary } = await dictionaryOf(documents, 5)
          const prefix = fold(start).toWellFormed()
          expect(await dictionary.startingWith(prefix)).toEqual(
            counted(documents).filter(({ word }) => word.startsWith(prefix)),
          )
        },
      ),
      { numRuns: 50 },
    )
  })

  it('reads the directory, then the blocks that may have the words', async () => {
    // Larger than what is read in one piece.
    const large = Array.from({ length: 3_000 }, (_, i) =>
      Array.from({ length: 16 }, (_, k) => `w${(((i * 16 + k) * 2_654_435_761) % 2 ** 32).toString(36)}`).join(' '),
    )
    const { dictionary, descriptor, bucket } = await dictionaryOf(large)
    expect(descriptor.sections.find(({ name }) => name === 'dictionary')?.length).toBeGreaterThan(128 * 1024)
    let reads = 0
    const counting: typeof bucket.read = (...place) => {
      reads++
      return bucket.read(...place)
    }
    const found = await WordDictionary.of(new SegmentReader(descriptor, counting), '#document')?.startingWith('w1a')
    expect(reads).toBe(2)
    expect(found).toEqual((await dictionary.startingWith('')).filter(({ word }) => word.startsWith('w1a')))
  })

  it('of documents without words is empty', async () => {
    const { dictionary } = await dictionaryOf(['…', null])
    expect(await dictionary.startingWith('')).toEqual([])
    expect(await dictionary.blockCount()).toBe(0)
  })
})

it('damage of a dictionary is found wherever a byte changes', async () => {
  const { descriptor, bucket } = await dictionaryOf(many.slice(0, 200))
  const [file] = [...bucket.objects.values()] as [Uint8Array]
  const section = descriptor.sections.find(({ name }) => name === 'dictionary')
  const { offset = 0, length = 0 } = section ?? {}
  expect(length).toBeGreaterThan(500)
  for (let at = offset; at < offset + length; at += 13) {
    file[at] = (file[at] as number) ^ 0x10
    const reader = new SegmentReader(descriptor, bucket.read)
    await expect(verifyWordIndexes(reader), `byte ${at - offset} of ${length}`).rejects.toMatchObject({
      kind: 'corrupt',
    })
    file[at] = (file[at] as number) ^ 0x10
  }
})
