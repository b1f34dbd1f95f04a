/**
 * A segment with word indexes as the first release wrote it. It is never rewritten: each later release must find the same
 * in it. (`SILTSTONE_WRITE_GOLDEN=1` writes it if it does not exist.)
 */
import { fileURLToPath } from 'node:url'
import { it } from 'vitest'
import { expectGolden, goldenSegment } from '../format/testing/golden-segment.ts'
import { documentSource } from './word-source.ts'
import { keyOfTerm } from './count-terms.ts'
import { dimensionKey } from './keys.ts'
import { DOCUMENT_KEY } from '../model/schema.ts'
import { writeIndexed } from './testing.ts'
import { verifyWordIndexes } from './verify-word-index.ts'
import { WordDictionary } from './dictionary/word-dictionary.ts'
import { WordIndex } from './word-index.ts'

const folder = fileURLToPath(new URL('golden/v1/', import.meta.url))
const rocks = ['granite', 'basalts', 'slated', 'märble', '大理石の山', '😀 gneiss']

const rows = Array.from({ length: 1_200 }, (_, i) => ({
  document:
    i % 7 === 6 ? null : `Row ${i} tells of ${rocks[(i * 31) % 6]}, number ${(i * 7_919) % 101}. `.repeat(1 + (i % 3)),
  metadata:
    i % 5 === 4
      ? null
      : JSON.stringify({
          bm25: { '#type': 'sparse_vector', indices: [i % 9, 100 + (i % 50)], values: [1 + (i % 4) / 3, 2] },
          splade: { '#type': 'sparse_vector', indices: [7, 2 ** 31 + i], values: [-1 / (i + 1), i / 3] },
        }),
}))

it('reads what the first release wrote, and finds the same', async () => {
  const wanted = { texts: [documentSource], sparseKeys: ['bm25', 'splade'] }
  const reader = await goldenSegment(folder, (bucket) => writeIndexed(bucket, rows, wanted))
  await verifyWordIndexes(reader)
  const found: Record<string, unknown> = {}
  const words = WordIndex.of(reader, DOCUMENT_KEY, 'text') as WordIndex
  const terms = ['granit', 'basalt', 'slate', 'märble', '理石', 'number', '77', 'row', 'absent']
  const lists = await words.lists(terms.map(keyOfTerm))
  terms.forEach((term, i) => (found[term] = summary(lists[i])))
  found['lengths'] = [...(await words.lengths())].slice(0, 20)
  for (const key of wanted.sparseKeys) {
    const index = WordIndex.of(reader, key, 'sparse') as WordIndex
    const dimensions = [0, 7, 149, 2 ** 31 + 100]
    const weights = await index.weights()
    found[key] = { kind: index.params.kind, weights: weights && [...weights].slice(0, 8) }
    for (const [i, list] of (await index.lists(dimensions.map(dimensionKey))).entries())
      found[`${key} ${dimensions[i]}`] = summary(list)
  }
  expectGolden(folder, found)
})

it('reads the dictionary that the first release with one wrote, and finds the same', async () => {
  const folder = fileURLToPath(new URL('dictionary/golden/v1/', import.meta.url))
  const reader = await goldenSegment(folder, (bucket) =>
    writeIndexed(bucket, rows, { texts: [documentSource], sparseKeys: [] }),
  )
  await verifyWordIndexes(reader)
  const dictionary = WordDictionary.of(reader, '#document') as WordDictionary
  const found: Record<string, unknown> = { analyzer: dictionary.analyzer, words: dictionary.words }
  for (const text of ['', 'gran', '11', '大', 'märbles']) {
    const words = await dictionary.startingWith(text)
    found[`words with ${text}`] = [
      words.length,
      ...words.slice(0, 8).map(({ word, rows: count }) => `${word} ${count}`),
    ]
  }
  expectGolden(folder, found)
})

function summary(list: Awaited<ReturnType<WordIndex['lists']>>[number]) {
  const first: [number, number][] = []
  list?.each((row, payload) => first.length < 8 && first.push([row, payload]))
  return { count: list?.count ?? 0, bounds: list ? [list.bound(0), list.bound(list.blocks - 1)] : [], first }
}
