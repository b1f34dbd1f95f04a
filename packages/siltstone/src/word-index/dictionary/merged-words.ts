/**
 * Merges the dictionaries of segments into that of a new one: their words, less those of rows that the new segment does not have,
 * and the words of rows that no dictionary knows.
 */
import { compareKeys } from '../../ports/object-key.ts'
import type { WordRows } from './layout.ts'
import type { WordDictionary } from './word-dictionary.ts'

const BLOCKS_AT_ONCE = 8

/** The words of a dictionary in byte order, some at a time. @throws SiltstoneError `corrupt` */
async function* scanWords(dictionary: WordDictionary): AsyncGenerator<readonly WordRows[]> {
  const count = await dictionary.blockCount()
  for (let first = 0; first < count; first += BLOCKS_AT_ONCE)
    yield* await dictionary.blocks(first, Math.min(count, first + BLOCKS_AT_ONCE))
}

async function* one(words: AsyncIterable<WordRows>): AsyncGenerator<readonly WordRows[]> {
  for await (const word of words) yield [word]
}

interface Cursor {
  batches: AsyncGenerator<readonly WordRows[]>
  batch: readonly WordRows[]
  at: number
  /** −1: its documents are taken away. */
  sign: 1 | -1
}

/**
 * @param fresh words of rows that no dictionary knows @param removed words of rows that the new segment does not have; both in byte order
 * @returns words in byte order
 * @throws SiltstoneError `corrupt` when a dictionary is damaged, or does not know what is removed
 */
export async function* mergedWords(
  dictionaries: readonly WordDictionary[],
  fresh: AsyncIterable<WordRows>,
  removed: AsyncIterable<WordRows>,
): AsyncGenerator<WordRows> {
  const cursor = (batches: AsyncGenerator<readonly WordRows[]>, sign: 1 | -1 = 1): Cursor => ({
    batches,
    batch: [],
    at: 0,
    sign,
  })
  const cursors = [
    ...dictionaries.map((dictionary) => cursor(scanWords(dictionary))),
    cursor(one(fresh)),
    cursor(one(removed), -1),
  ]
  await Promise.all(cursors.map(refill))
  for (;;) {
    let word: string | undefined
    for (const { batch, at } of cursors) {
      const head = batch[at]
      if (head && (word === undefined || compareKeys(head.word, word) < 0)) ({ word } = head)
    }
    if (word === undefined) return
    let rows = 0
    for (const it of cursors) {
      const head = it.batch[it.at]
      if (head?.word !== word) continue
      rows += it.sign * head.rows
      if (++it.at === it.batch.length) await refill(it)
    }
    if (rows < 0)
      dictionaries[0]?.fail(`, or another that is merged with it, does not know all rows of ${JSON.stringify(word)}`)
    if (rows > 0) yield { word, rows }
  }
}

async function refill(cursor: Cursor): Promise<void> {
  const next = await cursor.batches.next()
  cursor.batch = next.done ? [] : next.value
  cursor.at = 0
}
