import { decodeTime, isValid } from 'ulid'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { seededIds, systemIds } from './system-ids.ts'
import { systemClock } from './system-clock.ts'
import { systemRandom } from './system-random.ts'

describe('ids', () => {
  it('grow with each ULID, also within a millisecond and when the clock steps back', async () => {
    const clock = new ManualClock()
    const ids = seededIds(1, clock)
    const made: string[] = []
    for (let at = 0; at < 300; at++) {
      made.push(ids.ulid())
      if (at % 50 === 0) clock.stepWallClock(-1000)
      if (at % 30 === 0) await clock.advance(1)
    }
    expect(made.toSorted()).toEqual(made)
    expect(new Set(made).size).toBe(300)
    expect(made.every((id) => id.length === 26 && isValid(id))).toBe(true)
  })

  it('carry the time of the clock, 0 included', () => {
    expect(decodeTime(seededIds(1, new ManualClock(1_234_567)).ulid())).toBe(1_234_567)
    expect(decodeTime(seededIds(1, new ManualClock(0)).ulid())).toBe(1)
  })

  it('replay from a seed', () => {
    const take = (seed: number) => {
      const ids = seededIds(seed, new ManualClock())
      return [ids.ulid(), ids.uuid(), ids.ulid(), ids.uuid()]
    }
    expect(take(5)).toEqual(take(5))
    expect(take(5)).not.toEqual(take(6))
  })

  it('make UUIDs of version 4', () => {
    const ids = systemIds(systemClock, systemRandom)
    const made = Array.from({ length: 200 }, () => ids.uuid())
    expect(made.every((id) => /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(id))).toBe(true)
    expect(new Set(made).size).toBe(200)
  })
})
