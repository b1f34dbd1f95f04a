import fc from 'fast-check'
import { isSiltstoneError } from 'siltstone/internal'
import { describe, expect, it } from 'vitest'
import { inParts, packedChunk } from '../testing/xet-client.ts'
import { chunksOf } from './xorb.ts'

const runs = { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 60) }

async function read(xorb: Uint8Array, partBytes = 1_000): Promise<number[][]> {
  const chunks: number[][] = []
  for await (const { bytes } of chunksOf(inParts(xorb, partBytes))) chunks.push([...bytes])
  return chunks
}

describe('xorbs', () => {
  it('give back the chunks that were put in, packed in any way, in any parts', async () => {
    const part = fc.record({ bytes: fc.uint8Array({ maxLength: 50 }), scheme: fc.constantFrom(0, 1, 2) })
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 6 }), fc.nat(40), fc.boolean(), async (parts, size, footer) => {
        const packed = parts.map(({ bytes, scheme }) => packedChunk(bytes, scheme))
        const xorb = Buffer.concat([...packed, Buffer.from(footer ? 'XETBLOB and what follows' : '')])
        expect(await read(xorb, size + 1)).toEqual(parts.map(({ bytes }) => [...bytes]))
      }),
      runs,
    )
  })

  it('that are damaged are refused, whatever the damage', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), fc.nat(40), async (bytes, size) => {
        try {
          for (const each of await read(bytes, size + 1)) expect(each.length).toBeLessThanOrEqual(262_144)
        } catch (error) {
          expect(isSiltstoneError(error, 'invalid')).toBe(true)
        }
      }),
      runs,
    )
    const abc = Buffer.from('abc')
    await expect(read(packedChunk(abc, 0, 4))).rejects.toThrow('another size')
    await expect(read(packedChunk(abc, 1, 4))).rejects.toThrow('LZ4')
    await expect(read(packedChunk(abc, 3))).rejects.toThrow('compression 3')
    await expect(read(packedChunk(abc, 1, 0xffffff))).rejects.toThrow('has 16777215 bytes')
    await expect(read(packedChunk(abc, 0).subarray(0, 9))).rejects.toThrow('chunk 0 ends early')
    const many = Buffer.concat(Array.from({ length: 8_193 }, () => packedChunk(abc, 0)))
    await expect(read(many, many.length)).rejects.toThrow('more than 8192 chunks')
  })
})
