import { describe, expect, it } from 'vitest'
import { RowSet } from '../format/row-set.ts'
import { chooseAccessPaths, type SearchedSegment } from './access-path.ts'

const ROWS = 100_000
const NEAR = 4 * 1024
const FAR = 32 * 1024

/** A segment with two rows per page of 4 KB, 100 rows per cluster, and lists of 8 KB. */
function part({ every, first = 0, count, gapBytes, indexed = true }: Asked): SearchedSegment {
  const rows = new RowSet(ROWS)
  for (let i = 0; i < count; i++) rows.add(first + i * every)
  const clusters = ROWS / 100
  const ivf = {
    directory: {
      clusters,
      firstRows: Uint32Array.from({ length: clusters + 1 }, (_, i) => i * 100),
      offsets: Float64Array.from({ length: clusters + 1 }, (_, i) => i * 8192),
    },
  }
  const reader = { vectorReader: { geometry: { recordsPerPage: 2, pageBytes: 4096 } }, source: { gapBytes } }
  return {
    segment: { reader, rows: ROWS },
    rows,
    count,
    firstTag: 0,
    ivf: indexed ? ivf : undefined,
  } as unknown as SearchedSegment
}

interface Asked {
  every: number
  first?: number
  count: number
  gapBytes: number
  indexed?: boolean
}

const indexedOf = (parts: SearchedSegment[], k = 10) => chooseAccessPaths(parts, k).indexed.length

describe('few admitted rows', () => {
  it('are all measured where a read costs little', () => {
    expect(indexedOf([part({ every: 100, count: 1_000, gapBytes: NEAR })])).toBe(0)
  })

  it('are searched through the index when they are scattered over a remote segment', () => {
    expect(indexedOf([part({ every: 100, count: 1_000, gapBytes: FAR })])).toBe(1)
  })

  it('are all measured in a remote segment too when they are adjacent or very few', () => {
    expect(indexedOf([part({ every: 1, count: 1_000, gapBytes: FAR })])).toBe(0)
    expect(indexedOf([part({ every: 1_000, count: 90, gapBytes: FAR })])).toBe(0)
  })

  it('are measured in a segment without an index, which says nothing of the others', () => {
    const far = { every: 100, count: 500, gapBytes: FAR }
    const { exact, indexed } = chooseAccessPaths([part(far), part({ ...far, indexed: false })], 10)
    expect([exact.length, indexed.length]).toEqual([1, 1])
    const adjacent = { ...far, every: 1 }
    expect(indexedOf([part(adjacent), part({ ...adjacent, indexed: false })])).toBe(0)
  })
})

describe('many admitted rows', () => {
  it('are searched through the index, except in segments that have few of them', () => {
    const near = { every: 10, gapBytes: NEAR }
    const parts = [part({ ...near, count: 1_500 }), part({ ...near, count: 80 }), part({ ...near, count: 0 })]
    const { exact, indexed } = chooseAccessPaths(parts, 10)
    expect(indexed.map(({ count }) => count)).toEqual([1_500])
    expect(exact.map(({ count }) => count)).toEqual([80])
  })

  it('are more than four times k', () => {
    const parts = [part({ every: 10, count: 1_500, gapBytes: NEAR })]
    expect(indexedOf(parts, 375)).toBe(0)
    expect(indexedOf(parts, 374)).toBe(1)
  })
})
