import { fileHash, getChunks, hmac, xorbHash } from '@huggingface/xetchunk-wasm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashOfText, hashText, isShared, keyedHash, xetHashes } from './hashes.ts'

const runs = { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 100) }
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe('hashes of Xet', () => {
  it('are those of the client of Hugging Face', async () => {
    const hashes = await xetHashes()
    const chunk = fc.record({ hash, sizeBytes: fc.integer({ min: 1, max: 131_072 }) })
    fc.assert(
      fc.property(fc.array(chunk, { minLength: 1, maxLength: 60 }), (chunks) => {
        const theirs = chunks.map((each) => ({ hash: each.hash, length: each.sizeBytes }))
        expect(hashText(hashes.xorb(chunks))).toBe(hashText(xorbHash(theirs)))
        expect(hashText(hashes.file(chunks))).toBe(hashText(fileHash(theirs)))
      }),
      runs,
    )
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), (bytes) => {
        expect(getChunks(bytes).map((each) => hashText(each.hash))).toEqual([hashText(hashes.chunk(bytes))])
      }),
      runs,
    )
  })

  it('keep their text, and are keyed as clients key them', async () => {
    const [text, key] = ['0123456789abcdef'.repeat(4), new Uint8Array(32).fill(7)]
    expect(hashText(hashOfText(text))).toBe(text)
    expect(hashText(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(
      '07060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918',
    )
    expect(hashText((await keyedHash(key))(hashOfText(text)))).toBe(hashText(hmac(hashOfText(text), key)))
  })

  it('of one chunk in 1,024 are asked for', () => {
    const ending = (low: number, high: number) => Uint8Array.from({ length: 32 }, (_, i) => [low, high][i - 24] ?? 255)
    expect([isShared(ending(0, 0)), isShared(ending(0, 4)), isShared(ending(0, 1)), isShared(ending(1, 0))]).toEqual([
      true,
      true,
      false,
      false,
    ])
  })
})
