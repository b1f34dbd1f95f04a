import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32 } from '#codec'
import { crcHex } from './checksum.ts'
import { hash64, hash64Bytes } from './hash64.ts'

describe('checksums', () => {
  it('is CRC-32/ISO-HDLC', () => {
    expect(crcHex(crc32(Buffer.from('123456789')))).toBe('cbf43926')
    expect(crcHex(0)).toBe('00000000')
  })

  it('can be continued', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(crc32(b, crc32(a))).toBe(crc32(Buffer.concat([a, b])))
      }),
    )
  })
})

describe('hash64', () => {
  // The first two words as the reference implementation gives them (Python's mmh3, x86 variant).
  it.each([
    ['', 0, 0],
    ['a', 0xa794933c, 0x5556b01b],
    ['hello', 0x2b2444a0, 0xdb91def7],
    ['record-17', 0xd8fd3c5f, 0xf6f70115],
    ['0123456789abcdef', 0xfb7d4409, 0x36aed30a],
    ['The quick brown fox jumps over the lazy dog', 0x2f1583c3, 0xecee2c67],
    ['é€😀 tail.', 0x1db88e55, 0x286bfd01],
  ])('agrees with the reference on %j', (text, hi, lo) => expect(hash64(text)).toEqual({ hi, lo }))

  it('hashes UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 3000 }), (text) => {
        const bytes = new TextEncoder().encode(text)
        expect(hash64(text)).toEqual(hash64Bytes(bytes))
      }),
    )
  })
})
