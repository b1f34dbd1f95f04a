import { describe, expect, it } from 'vitest'
import { recallOf } from './recall.ts'

const hits = (...distances: number[]) => ({ distances })

describe('recall', () => {
  it('is the share of the nearest that was found', () => {
    expect(recallOf(hits(1, 2, 4, 5), hits(1, 2, 3, 4))).toBe(0.75)
    expect(recallOf(hits(), hits(1, 2))).toBe(0)
    expect(recallOf(hits(1, 2), hits(1, 2))).toBe(1)
  })

  it('takes records at the same distance for one another', () => {
    expect(recallOf(hits(1, 2), hits(1, 2 - 1e-12))).toBe(1)
  })

  it('is whole where there is nothing to find', () => {
    expect(recallOf(hits(), hits())).toBe(1)
  })

  it('does not count more answers than were asked for', () => {
    expect(recallOf(hits(1, 1, 1), hits(1, 1))).toBe(1)
  })
})
