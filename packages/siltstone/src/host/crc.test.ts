import fc from 'fast-check'
import { expect, it } from 'vitest'
import { crc64Nvme, ScriptCrc64Nvme } from './crc.ts'

const hexOf = (parts: readonly Uint8Array[], digest = crc64Nvme()) => {
  for (const part of parts) digest.update(part)
  return Buffer.from(digest.digest()).toString('hex')
}

it('CRC-64/NVME has the check value of its catalogue', () => {
  expect(hexOf([Buffer.from('123456789')])).toBe('ae8b14860a799888')
  expect(hexOf([])).toBe('0000000000000000')
})

it('is the same in WebAssembly and in script, of any pieces, also with others between', () => {
  const piece = fc.oneof(fc.uint8Array({ maxLength: 70 }), fc.integer({ min: 524_270, max: 1_048_600 }).map(filled))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 4 }), (pieces) => {
      const [one, other] = [crc64Nvme(), crc64Nvme()]
      for (const bytes of pieces) {
        one.update(bytes)
        other.update(bytes.subarray(1))
      }
      expect(hexOf([], one)).toBe(hexOf(pieces, new ScriptCrc64Nvme()))
      expect(hexOf([], other)).toBe(
        hexOf(
          pieces.map((bytes) => bytes.subarray(1)),
          new ScriptCrc64Nvme(),
        ),
      )
    }),
    { numRuns: 20 },
  )
})

function filled(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7_919 + (i >> 8)) & 255)
}
