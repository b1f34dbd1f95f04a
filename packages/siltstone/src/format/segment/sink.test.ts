import { crc32 } from '#codec'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { concatBytes } from '../../codec/bytes.ts'
import { crcHex } from '../checksum.ts'
import { FileSink } from './sink.ts'

const sizes = fc.array(fc.oneof(fc.nat(5_000), fc.integer({ min: 400_000, max: 1_400_000 })), { maxLength: 6 })

it('passes on all bytes in order, whatever the sizes of the writes', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, async (lengths) => {
      const pieces = lengths.map((length, i) => new Uint8Array(length).fill(i + 1))
      const chunks: Uint8Array[] = []
      const sink = new FileSink('k', async () => ({ write: async (chunk) => void chunks.push(chunk) }))
      for (const piece of pieces) await sink.write(piece)
      const whole = concatBytes(pieces)
      expect(sink.position).toBe(whole.length)
      expect(await sink.finish()).toEqual({ key: 'k', sizeBytes: whole.length, crc32: crcHex(crc32(whole)) })
      expect(Buffer.compare(concatBytes(chunks), whole)).toBe(0)
      // Few writes: the last one, and one of half a megabyte or more, with a smaller one before it, per half megabyte.
      expect(chunks.length).toBeLessThanOrEqual(1 + 2 * (whole.length / 2 ** 19))
    }),
    { numRuns: 30 },
  )
})

it('opens no file for nothing', async () => {
  const sink = new FileSink('k', () => Promise.reject(new Error('opened')))
  expect(await sink.finish()).toEqual({ key: 'k', sizeBytes: 0, crc32: '00000000' })
})
