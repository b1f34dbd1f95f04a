import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareKeys } from '../ports/object-key.ts'
import { decodeFrontCoded, encodeFrontCoded } from './front-coded.ts'
import { encodeChecked } from './manifest.ts'
import { decodePublished, encodePublished, isPublished, PUBLISHED_VERSION, type Published } from './published.ts'
import { decodeInt8Pages, encodeInt8, int8RecordBytes } from './segment/int8-vectors.ts'

const EMPTY: Published = {
  name: 'notes',
  space: 'cosine',
  metadata: null,
  configuration: {},
  schema: null,
  version: 7,
  segments: [],
  embedder: null,
  digests: null,
  inline: [{ key: 'data/0', offset: 3, base64: 'AAEC' }],
  recall: 0.9,
  partBytes: {},
}

describe('search.json', () => {
  it('says what was encoded', () => {
    expect(decodePublished(encodePublished(EMPTY))).toEqual(EMPTY)
    expect(isPublished(encodePublished(EMPTY))).toBe(true)
  })

  it('names what is wrong in it', () => {
    const bytes = encodePublished(EMPTY)
    const flipped = bytes.map((byte, i) => (i === bytes.length - 10 ? byte ^ 1 : byte))
    expect(() => decodePublished(flipped)).toThrow(expect.objectContaining({ code: 'checksum-mismatch' }))
    const body = { ...EMPTY, format: 'siltstone.published', version: PUBLISHED_VERSION, collectionVersion: 7 }
    for (const [field, value] of [
      ['space', 'manhattan'],
      ['name', 3],
      ['collectionVersion', -1],
      ['configuration', []],
      ['partBytes', { x: 0 }],
      ['segments', {}],
      ['segments', [3]],
      ['embedder', { model: 'm' }],
      ['inline', {}],
      ['inline', [{ key: 'data/0', offset: -1, base64: '' }]],
      ['inline', [null]],
      ['format', 'other'],
    ] as const)
      expect(() => decodePublished(encodeChecked({ ...body, [field]: value }))).toThrow(
        expect.objectContaining({ kind: 'corrupt', message: expect.stringContaining(field) as string }),
      )
    expect(() => decodePublished(encodeChecked({ ...body, digests: {} }))).toThrow(
      expect.objectContaining({ kind: 'corrupt' }),
    )
    for (const [version, remedy] of [
      [PUBLISHED_VERSION + 1, 'newer'],
      [1, 'publish the collection again'],
    ] as const)
      expect(() => decodePublished(encodeChecked({ ...body, version }))).toThrow(
        expect.objectContaining({
          kind: 'unsupported',
          code: 'unknown-format-version',
          message: expect.stringContaining(remedy) as string,
        }),
      )
    expect(isPublished(new TextEncoder().encode('{}'))).toBe(false)
  })
})

it('front coding gives the texts back, and refuses bytes that are none', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 12 })), (texts) => {
      const sorted = texts.filter((text) => text.isWellFormed()).sort(compareKeys)
      const bytes = encodeFrontCoded(sorted)
      expect(decodeFrontCoded(bytes, sorted.length)).toEqual(sorted)
      expect(decodeFrontCoded(bytes, sorted.length + 1)).toBeUndefined()
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(10), (bytes, count) => {
      const texts = decodeFrontCoded(bytes, count)
      expect(texts === undefined || texts.length === count).toBe(true)
    }),
  )
  expect(() => encodeFrontCoded(['x'.repeat(256)])).toThrow(RangeError)
})

/** Below 127 times the smallest f32, values become zero. */
const SUBNORMAL = 127 * 2 ** -149

it('vectors of one byte per dimension are within half a step of the true ones', () => {
  const value = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 9 }), (values) => {
      const vector = Float32Array.from(values)
      const record = new Uint32Array(int8RecordBytes(vector.length) / 4)
      encodeInt8(vector, record)
      const recordBytes = record.byteLength
      const page = new Uint8Array(recordBytes + 4)
      page.set(new Uint8Array(record.buffer))
      const decoded = decodeInt8Pages(page, { recordBytes, recordsPerPage: 1, pageBytes: page.length }, vector.length)
      const step = Math.max(...vector.map(Math.abs)) / 127
      vector.forEach((one, d) => {
        expect(Math.abs((decoded[d] as number) - one)).toBeLessThanOrEqual(step * 0.501 + SUBNORMAL)
      })
    }),
  )
})
