import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RowSet } from './row-set.ts'

const sets = fc.integer({ min: 1, max: 300 }).chain((rows) =>
  fc.record({
    rows: fc.constant(rows),
    members: fc.uniqueArray(fc.integer({ min: 0, max: rows - 1 })),
    start: fc.integer({ min: 0, max: rows }),
    end: fc.integer({ min: 0, max: rows }),
  }),
)

function setOf(rows: number, members: readonly number[]): RowSet {
  const set = new RowSet(rows)
  for (const member of members) set.add(member)
  return set
}

describe('a set of rows', () => {
  it('counts its members, and those of a range', () => {
    fc.assert(
      fc.property(sets, ({ rows, members, start, end }) => {
        const set = setOf(rows, members)
        expect(set.count()).toBe(members.length)
        expect(set.rangeCount(start, end)).toBe(members.filter((row) => row >= start && row < end).length)
        expect(set.toArray()).toEqual([...members].sort((a, b) => a - b))
      }),
    )
  })

  it('is full up to its last row', () => {
    for (const rows of [1, 31, 32, 33, 64]) expect(RowSet.full(rows).toArray()).toHaveLength(rows)
  })

  it('adds ranges', () => {
    fc.assert(
      fc.property(sets, ({ rows, members, start, end }) => {
        const set = setOf(rows, members)
        set.addRange(start, end)
        const all = Array.from({ length: rows }, (_, row) => row)
        expect(set.toArray()).toEqual(all.filter((row) => (row >= start && row < end) || members.includes(row)))
      }),
    )
  })
})
