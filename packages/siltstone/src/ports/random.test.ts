import { describe, expect, it } from 'vitest'
import type { Random } from './random.ts'
import { seededRandom, xoshiro128starstar } from './seeded-random.ts'
import { systemRandom } from '../host/system-random.ts'

describe('xoshiro128starstar', () => {
  it('gives the numbers of the reference implementation', () => {
    const random = xoshiro128starstar([1, 2, 3, 4])
    expect(Array.from({ length: 10 }, () => random.nextUint32())).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ])
  })
})

describe('seededRandom', () => {
  it('replays from its seed, and differs between seeds', () => {
    const take = (seed: number) => {
      const random = seededRandom(seed)
      return Array.from({ length: 20 }, () => random.next())
    }
    expect(take(7)).toEqual(take(7))
    expect(new Set([...take(0), ...take(1), ...take(2)]).size).toBe(60)
  })
})

describe.each<[string, Random]>([
  ['seeded', seededRandom(1)],
  ['system', systemRandom],
])('random: %s', (_name, random) => {
  it('is spread over [0, 1)', () => {
    const counts = Array.from({ length: 10 }, () => 0)
    for (let at = 0; at < 20_000; at++) {
      const value = random.next()
      expect(value >= 0 && value < 1).toBe(true)
      counts[Math.floor(value * 10)] = (counts[Math.floor(value * 10)] as number) + 1
    }
    // 2,000 expected in each with a deviation of 42: eight of them never happen by chance.
    expect(counts.every((count) => Math.abs(count - 2000) < 340)).toBe(true)
  })
})
