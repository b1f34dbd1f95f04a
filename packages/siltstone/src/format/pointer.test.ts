import { describe, expect, it } from 'vitest'
import { manifestKey, pointerKey } from './keys.ts'
import { decodePointer, encodePointer } from './pointer.ts'
import { flipBit, somePath, someUlid } from './testing.ts'

const key = pointerKey(somePath)
const target = manifestKey(somePath, 12, someUlid)

describe('pointer', () => {
  it('round trips', () => {
    expect(decodePointer(encodePointer(target), key)).toBe(target)
  })

  it('every prefix and flipped bit is corrupt', () => {
    const bytes = encodePointer(target)
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodePointer(bytes.slice(0, length), key)).toThrow('pointer')
    for (let bit = 0; bit < bytes.length * 8; bit++)
      expect(() => decodePointer(flipBit(bytes, bit), key)).toThrow('pointer')
  })

  it('must stay in its collection', () => {
    const other = pointerKey(somePath.replace('a', 'b'))
    expect(() => decodePointer(encodePointer(target), other)).toThrow(
      expect.objectContaining({ kind: 'corrupt', key: other }),
    )
  })
})
