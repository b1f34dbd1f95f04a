import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { RowSet } from '../format/row-set.ts'
import { Pacer } from '../pacer.ts'
import { seededRandom } from '../ports/seeded-random.ts'
import { PostingList, wordBound } from '../word-index/posting-list.ts'
import { BestSums } from './best-sums.ts'
import { cursorOver } from './cursor-over.ts'
import { FieldsCursor } from './fields-cursor.ts'
import { wordPart } from './list-scoring.ts'
import { type RowCursor, WINDOW_ROWS } from './row-cursor.ts'
import type { ListScoring } from './score.ts'
import { SegmentScan } from './segment-scan.ts'
import type { IndexedSource } from './word-state.ts'

const ROWS = 3 * WINDOW_ROWS + 1_000
const random = seededRandom(11)
const lengths = Uint8Array.from({ length: ROWS }, () => 2 + Math.floor(60 * random.next() ** 2))
const source = { lengths, weights: undefined } as IndexedSource
const MARGIN = 1e-9

interface TermPostings {
  list: PostingList
  frequencies: ReadonlyMap<number, number>
}

/** @param share of rows in the parts of the segment where the term is frequent @param parts of 16 equal ones, as bits */
function postingsOf(share: number, parts: number): TermPostings {
  const frequencies = new Map<number, number>()
  for (let row = 0; row < ROWS; row++) {
    const isFrequent = ((parts >>> Math.floor((16 * row) / ROWS)) & 1) === 1
    if (random.next() >= (isFrequent ? share : share / 50)) continue
    frequencies.set(row, Math.min((lengths[row] as number) - 1, 1 + Math.floor(8 * random.next() ** 5)))
  }
  const rows = Uint32Array.from(frequencies.keys())
  const payloads = Uint32Array.from(frequencies.values(), (frequency) => frequency - 1)
  const list = PostingList.of(rows, payloads, false, (some, repetitions) =>
    wordBound(Math.max(...repetitions) + 1, Math.min(...Array.from(some, (row) => (lengths[row] as number) - 1))),
  )
  return { list, frequencies }
}

const shares = [0.9, 0.3, 0.05, 0.01, 0.001, 0.00005]
const terms = shares.flatMap((share) => [0xffff, 0x0ff0, 0x8001].map((parts) => postingsOf(share, parts)))
const every = RowSet.full(ROWS)
const subset = (share: number) => {
  const rows = new RowSet(ROWS)
  for (let row = 0; row < ROWS; row++) if (random.next() < share) rows.add(row)
  return rows
}
const admittedSets = [every, subset(0.5), subset(0.02), subset(0.002)]

it('finds the rows with the largest sums, for terms that are frequent in any parts, whatever is admitted', async () => {
  const term = fc.record({ term: fc.nat(terms.length - 1), weight: fc.double({ min: 0.1, max: 9, noNaN: true }) })
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(term, { minLength: 1, maxLength: 6, selector: (one) => one.term }),
      fc.constantFrom(1, 10, 100),
      fc.nat(admittedSets.length - 1),
      fc.boolean(),
      async (query, k, set, areFields) => {
        const admitted = admittedSets[set] as RowSet
        const scorings = query.map(
          ({ weight }): ListScoring => ({
            kind: 'words',
            weight,
            saturation: areFields ? 0 : 1,
            base: 0.3,
            perWord: 0.05,
          }),
        )
        const together = (sum: number) => 3 / (1 + 1.2 / sum)
        const cursors = query.map(({ term: t }, i): RowCursor => {
          const one = cursorOver((terms[t] as TermPostings).list, scorings[i] as ListScoring, source, ROWS)
          return areFields ? new FieldsCursor([one], together) : one
        })
        const sums = new Float64Array(ROWS)
        query.forEach(({ term: t }, i) => {
          for (const [row, frequency] of (terms[t] as TermPostings).frequencies) {
            const part = wordPart(scorings[i] as never, frequency - 1, (lengths[row] as number) - 1)
            sums[row] = (sums[row] as number) + (areFields ? together(part) : part)
          }
        })
        const expected = [...admitted]
          .filter((row) => (sums[row] as number) > 0)
          .sort((a, b) => (sums[b] as number) - (sums[a] as number))
          .slice(0, k)
        const best = new BestSums(k)
        const scan = new SegmentScan(cursors, {
          admitted,
          admittedRows: admitted.count(),
          visible: every,
          best,
          margin: MARGIN,
          canPrune: true,
        })
        const kept = await scan.run(new Pacer(1e9, async () => {}))
        const found = new Map(kept.rows.map((row, i) => [row, kept.sums[i] as number]))
        expect(found.size).toBe(kept.rows.length)
        for (const row of expected) expect(found.get(row)).toBeCloseTo(sums[row] as number, 9)
      },
    ),
    { numRuns: 40 },
  )
})
