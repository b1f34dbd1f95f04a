/**
 * What every implementation of the codec promises. Both are compared with Node's own modules, so they agree with each
 * other: bytes that one runtime writes mean the same in another.
 */
import { createHash } from 'node:crypto'
import { constants, crc32 as zlibCrc32, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Codec } from './codec.ts'

const plain = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes)
/** Any sequence of UTF-16 units, lone surrogates included, with many ASCII characters among them. */
const anyText = fc.string({ unit: fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), units()) })
const anyBytes = fc.uint8Array({ maxLength: 300 })
/** Bytes that are nearly UTF-8: sequences cut off, doubled and mixed. */
const nearlyUtf8 = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 3 }),
      anyText.map((text) => new Uint8Array(Buffer.from(text).subarray(0, 5))),
    ),
  )
  .map((pieces) => new Uint8Array(Buffer.concat(pieces)))

function units() {
  return fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit))
}

/** Compressible content: runs of a few bytes, repeated. */
const content = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 2_000 })), { maxLength: 8 })
  .map((runs) => new Uint8Array(Buffer.concat(runs.map(([run, times]) => Buffer.alloc(run.length * times, run)))))

/** @param compresses false: an implementation for readers alone */
export function codecContract(name: string, codec: Codec, { compresses }: { compresses: boolean }): void {
  describe(`codec: ${name}`, () => {
    it('computes CRC-32, in one piece or continued', () => {
      expect(codec.crc32(Buffer.from('123456789'))).toBe(0xcbf43926)
      fc.assert(
        fc.property(anyBytes, fc.nat(300), (bytes, cut) => {
          expect(codec.crc32(bytes)).toBe(zlibCrc32(bytes))
          expect(codec.crc32(bytes.subarray(cut), codec.crc32(bytes.subarray(0, cut)))).toBe(zlibCrc32(bytes))
        }),
      )
    })

    it('computes SHA-256 of texts of every length', () => {
      expect(codec.sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
      for (let length = 0; length < 200; length++)
        expect(codec.sha256Hex('x'.repeat(length))).toBe(sha256('x'.repeat(length)))
      fc.assert(fc.property(anyText, (text) => codec.sha256Hex(text) === sha256(text)))
    })

    it('decompresses what Node compressed, at every level', () => {
      fc.assert(
        fc.property(content, fc.constantFrom(-5, 1, 3, 19), (bytes, level) => {
          const packed = zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } })
          expect(Buffer.compare(codec.zstdDecompress(packed, bytes.length), bytes)).toBe(0)
        }),
        { numRuns: 60 },
      )
    })

    it('decompresses large frames, random content, and frames that carry a checksum or do not say their size', () => {
      let state = 1
      const random = Uint8Array.from({ length: 700_000 }, () => (state = Math.imul(state, 48_271) % 0x7fffffff) >>> 8)
      const texts = Buffer.from(Array.from({ length: 60_000 }, (_, i) => `row ${i} of ${i % 97}\n`).join(''))
      for (const bytes of [random, texts, Buffer.concat([texts, random, texts])])
        for (const params of [{}, { [constants.ZSTD_c_checksumFlag]: 1 }, { [constants.ZSTD_c_contentSizeFlag]: 0 }]) {
          const packed = zstdCompressSync(bytes, { params })
          expect(Buffer.compare(codec.zstdDecompress(packed, bytes.length), bytes)).toBe(0)
        }
    })

    it('refuses compressed bytes that are cut off, too large, or no frame', () => {
      const bytes = Buffer.from('all happy families are alike; '.repeat(400))
      const packed = zstdCompressSync(bytes)
      for (let length = 0; length < packed.length; length++)
        expect(() => codec.zstdDecompress(packed.subarray(0, length), bytes.length), `${length} bytes`).toThrow(Error)
      expect(() => codec.zstdDecompress(packed, bytes.length - 1)).toThrow(Error)
      expect(() => codec.zstdDecompress(Buffer.from('no frame at all'), 100)).toThrow(Error)
      const unsized = zstdCompressSync(bytes, { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } })
      expect(() => codec.zstdDecompress(unsized, bytes.length - 1)).toThrow(Error)
    })

    it('ignores what follows the first frame', () => {
      const [first, second] = [zstdCompressSync(Buffer.from('first')), zstdCompressSync(Buffer.from('second'))]
      for (const more of [second, Buffer.alloc(3), Buffer.from('anything')])
        expect(Buffer.from(codec.zstdDecompress(Buffer.concat([first, more]), 100)).toString()).toBe('first')
    })

    it('gives an error or bytes for damaged frames, never more than allowed', () => {
      const bytes = Buffer.from(Array.from({ length: 3_000 }, (_, i) => `${i * i};`).join(''))
      const packed = zstdCompressSync(bytes)
      fc.assert(
        fc.property(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
          const damaged = plain(packed)
          damaged[place] = (damaged[place] as number) ^ change
          let length = 0
          try {
            length = codec.zstdDecompress(damaged, bytes.length).length
          } catch (error) {
            expect(error).toBeInstanceOf(Error)
          }
          expect(length).toBeLessThanOrEqual(bytes.length)
        }),
        { numRuns: 300 },
      )
    })

    it('compresses, or says that it cannot', () => {
      const bytes = Buffer.from('again and '.repeat(50))
      if (compresses) expect(Buffer.compare(codec.zstdCompress(bytes), zstdCompressSync(bytes))).toBe(0)
      else expect(() => codec.zstdCompress(bytes)).toThrow(expect.objectContaining({ kind: 'unsupported' }))
    })

    it('encodes UTF-8, lone surrogates as U+FFFD', () => {
      expect(plain(codec.utf8Encode('a\ud800b'))).toEqual(plain(Buffer.from('a\ufffdb')))
      fc.assert(
        fc.property(anyText, (text) => {
          const expected = plain(Buffer.from(text))
          expect(plain(codec.utf8Encode(text))).toEqual(expected)
          expect(codec.utf8Length(text)).toBe(expected.length)
          const room = codec.allocate(text.length * 3 + 7)
          expect(codec.utf8Writer(room)(text, 7)).toBe(expected.length)
          expect(plain(room.subarray(7, 7 + expected.length))).toEqual(expected)
        }),
      )
    })

    it('writes whole characters only, as many as fit', () => {
      fc.assert(
        fc.property(anyText, fc.nat(12), (text, size) => {
          const room = new Uint8Array(size)
          const reference = Buffer.alloc(size)
          expect(codec.utf8Writer(room)(text, 0)).toBe(reference.write(text, 0, 'utf8'))
          expect(room).toEqual(plain(reference))
        }),
      )
    })

    it('decodes UTF-8 and replaces what is invalid; a byte order mark stays', () => {
      expect(codec.utf8Decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa')
      fc.assert(
        fc.property(nearlyUtf8, fc.nat(20), fc.nat(20), (bytes, start, length) => {
          const [from, to] = [Math.min(start, bytes.length), Math.min(start + length, bytes.length)]
          expect(codec.utf8Decode(bytes)).toBe(Buffer.from(bytes).toString())
          expect(codec.utf8Decode(bytes, from, to)).toBe(Buffer.from(bytes).toString('utf8', from, to))
          expect(codec.utf8Reader(bytes)(from, to)).toBe(codec.utf8Decode(bytes, from, to))
          expect(codec.isUtf8(bytes)).toBe(isUtf8(bytes))
        }),
        { numRuns: 500 },
      )
    })

    it('knows ASCII, and finds it', () => {
      const ascii = fc.string({ unit: fc.constantFrom('a', 'b', 'c') })
      fc.assert(
        fc.property(
          ascii,
          fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }),
          (text, word) => {
            const bytes = plain(Buffer.from(text))
            expect(codec.isAscii(bytes)).toBe(true)
            expect(codec.utf8Reader(bytes, true)(0, bytes.length)).toBe(text)
            expect(codec.indexOfAscii(bytes, word)).toBe(text.indexOf(word))
            expect(codec.lastIndexOfAscii(bytes, word)).toBe(text.lastIndexOf(word))
          },
        ),
      )
      expect(codec.isAscii(Uint8Array.of(0x7f))).toBe(true)
      expect(codec.isAscii(Uint8Array.of(0x61, 0x80))).toBe(false)
    })

    it('compares bytes', () => {
      fc.assert(
        fc.property(anyBytes, anyBytes, (a, b) => {
          expect(codec.equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0)
          expect(codec.equalBytes(a, plain(a))).toBe(true)
          expect(codec.equalBytes(a, Uint8Array.of(...a, 0))).toBe(false)
        }),
      )
    })

    it('writes and reads base64 in both alphabets, and skips what is in neither', () => {
      fc.assert(
        fc.property(anyBytes, (bytes) => {
          const [text, url] = [codec.toBase64(bytes), codec.toBase64Url(bytes)]
          expect(text).toBe(Buffer.from(bytes).toString('base64'))
          expect(url).toBe(Buffer.from(bytes).toString('base64url'))
          expect(plain(codec.fromBase64(text))).toEqual(bytes)
          expect(plain(codec.fromBase64(url))).toEqual(bytes)
          expect(plain(codec.fromBase64(text.replaceAll(/(.{5})/g, '$1\n ')))).toEqual(bytes)
        }),
      )
    })

    it('lets timers run when it yields', async () => {
      let ran = false
      setTimeout(() => {
        ran = true
      }, 0)
      for (let i = 0; i < 1_000 && !ran; i++) {
        await codec.yieldToEventLoop()
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(ran).toBe(true)
    })
  })
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** By its definition: decoding and encoding gives the same bytes. */
function isUtf8(bytes: Uint8Array): boolean {
  return Buffer.from(Buffer.from(bytes).toString()).equals(bytes)
}
