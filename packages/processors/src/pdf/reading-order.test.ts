import { describe, expect, it } from 'vitest'
import { textInOrder } from './reading-order.ts'

/** Pieces that stand one behind the other from left to right. */
const standing = (...texts: string[]) => texts.map((text, k) => ({ text, left: k * 10 }))

describe('the order of a line', () => {
  it('from left to right is that of its pieces', () => {
    expect(textInOrder(standing('Rivers', ' ', 'carry', ' ', 'sand.'))).toBe('Rivers carry sand.')
    expect(textInOrder([])).toBe('')
  })

  it('from right to left is read from its right end, numbers and other words as they are', () => {
    const pieces = standing('.', 'הים', ' ', '14', ' ', 'to', ' ', '2024', ' ', 'בשנת', ' ', 'הנהר')
    expect(textInOrder(pieces)).toBe('הנהר בשנת 14 to 2024 הים.')
    expect(textInOrder(standing('.2024', ' ', 'בשנת'))).toBe('בשנת 2024.')
  })

  it('that is in order already stays', () => {
    const pieces = ['הנהר', ' ', 'נושא', ' ', 'חול'].map((text, k) => ({ text, left: 500 - k * 10 }))
    expect(textInOrder(pieces)).toBe('הנהר נושא חול')
  })

  it('from left to right may quote some words of the other direction', () => {
    const pieces = standing('The word', ' ', 'אל', ' ', 'חול', ' ', 'is Hebrew.')
    expect(textInOrder(pieces)).toBe('The word חול אל is Hebrew.')
  })

  it('has letters of Arabic as they are typed, not as they are drawn', () => {
    expect(textInOrder(standing('ﻞ', 'ﻤ', 'ﺤ', 'ﺗ'))).toBe('تحمل')
    expect(textInOrder(standing('ﬁle'))).toBe('ﬁle')
  })
})
