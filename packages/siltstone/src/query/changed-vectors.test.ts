import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChangedRecord } from '../log/log-overlay.ts'
import type { View } from '../log/view.ts'
import type { Space } from '../model/collection.ts'
import { measureChanged } from './changed-vectors.ts'
import { Ranking } from './rank.ts'

const pause = () => Promise.resolve()

/** As many records as there are vectors, and a view that counts how often they are read. */
function changedRecords(vectors: readonly Float32Array[]) {
  const changed = vectors.map(() => ({}) as ChangedRecord)
  const reads = { count: 0, failing: false }
  const view = {
    vectors: (refs: readonly { changed: ChangedRecord }[]) => {
      reads.count++
      if (reads.failing) return Promise.reject(new Error('unreachable'))
      return Promise.resolve(refs.map((ref) => vectors[changed.indexOf(ref.changed)] as Float32Array))
    },
  } as unknown as View
  return { changed, view, reads }
}

async function search(space: Space, query: Float32Array, { changed, view }: ReturnType<typeof changedRecords>) {
  const ranking = Ranking.of(space, [query], 3, pause)
  await measureChanged(view, changed, ranking, (i) => i)
  return ranking.queries[0]?.nearest.sorted() ?? []
}

describe('measureChanged', () => {
  it('answers every search of a view alike, before and after it copies the vectors, and reads them once', async () => {
    const vector = fc.array(fc.float({ noNaN: true, min: -8, max: 8 }), { minLength: 3, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(vector, { minLength: 1, maxLength: 12 }),
        vector,
        fc.constantFrom<Space>('l2', 'cosine', 'ip'),
        async (vectors, query, space) => {
          const records = changedRecords(vectors.map((one) => Float32Array.from(one)))
          const own = Ranking.of(space, [Float32Array.from(query)], 3, pause)
          vectors.forEach((one, i) => own.offerFlat(Float32Array.from(one), 1, () => i))
          const expected = own.queries[0]?.nearest.sorted()
          for (let i = 0; i < 15; i++) expect(await search(space, Float32Array.from(query), records)).toEqual(expected)
          expect(records.reads.count).toBe(1)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('measures nothing of no records', async () => {
    const records = changedRecords([])
    expect(await search('l2', Float32Array.of(1), records)).toEqual([])
    expect(records.reads.count).toBe(0)
  })

  it('reads again after a failure', async () => {
    const records = changedRecords([Float32Array.of(1, 2)])
    records.reads.failing = true
    await expect(search('l2', Float32Array.of(1, 2), records)).rejects.toThrow('unreachable')
    records.reads.failing = false
    expect(await search('l2', Float32Array.of(1, 2), records)).toEqual([{ distance: 0, tag: 0 }])
  })

  it('measures more vectors than it takes at a time', async () => {
    const vectors = Array.from({ length: 5_000 }, (_, i) => new Float32Array(1_024).fill(i + 1))
    const changed = vectors.map(() => ({}) as ChangedRecord)
    const view = { vectors: () => Promise.resolve(vectors) } as unknown as View
    const ranking = Ranking.of('l2', [new Float32Array(1_024).fill(4_900)], 1, pause)
    await measureChanged(view, changed, ranking, (i) => i)
    expect(ranking.queries[0]?.nearest.sorted()).toEqual([{ distance: 0, tag: 4_899 }])
  })

  it('copies few vectors, but not many: they would take their memory twice', async () => {
    const isCopied = async (count: number): Promise<boolean> => {
      const vectors = Array.from({ length: count }, (_, i) => new Float32Array(1_024).fill(i + 1))
      const changed = vectors.map(() => ({}) as ChangedRecord)
      const view = { vectors: () => Promise.resolve(vectors) } as unknown as View
      const nearest = async () => {
        const ranking = Ranking.of('l2', [new Float32Array(1_024).fill(7)], 1, pause)
        await measureChanged(view, changed, ranking, (i) => i)
        return ranking.queries[0]?.nearest.sorted()[0]?.tag
      }
      for (let i = 0; i < 12; i++) expect(await nearest()).toBe(6)
      vectors[6]?.fill(0)
      return (await nearest()) === 6
    }
    expect(await isCopied(100)).toBe(true)
    expect(await isCopied(9_000)).toBe(false)
  })
})
