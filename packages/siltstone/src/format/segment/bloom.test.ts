import { describe, expect, it } from 'vitest'
import { hash64 } from '../hash64.ts'
import { SplitBlockBloom } from './bloom.ts'

describe('the filter of ids', () => {
  it('has every key, and few others', () => {
    const filter = SplitBlockBloom.forKeys(20_000)
    for (let i = 0; i < 20_000; i++) {
      const { hi, lo } = hash64(`key-${i}`)
      filter.add(hi, lo)
    }
    const has = (text: string): boolean => {
      const { hi, lo } = hash64(text)
      return filter.mayHave(hi, lo)
    }
    let wrong = 0
    for (let i = 0; i < 20_000; i++) {
      expect(has(`key-${i}`)).toBe(true)
      if (has(`other-${i}`)) wrong++
    }
    expect(wrong).toBeGreaterThan(0)
    expect(wrong / 20_000).toBeLessThan(0.02)
  })

  it('works for a few keys', () => {
    expect(SplitBlockBloom.forKeys(1).words.length).toBe(8)
    const filter = SplitBlockBloom.forKeys(1)
    expect(filter.mayHave(0xffffffff, 7)).toBe(false)
    filter.add(0xffffffff, 7)
    expect(filter.mayHave(0xffffffff, 7)).toBe(true)
  })
})
