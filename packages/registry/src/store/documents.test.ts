import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytes } from '../testing/registry-world.ts'
import { decodeDocument, type DocumentKind, encodeDocument, type Envelope } from './documents.ts'

interface Note extends Envelope {
  text: string
}
const noteKind: DocumentKind<Note> = {
  format: 'note',
  v: 1,
  wrongField: ({ text }) => (typeof text === 'string' ? undefined : 'text'),
}
const note = (text: string, more: object = {}): Note => ({
  text,
  siltstone: { format: 'note', v: 1, writes: [], ...more },
})
const decode = (body: Uint8Array) => decodeDocument(noteKind, body, 'notes/1')

describe('a document', () => {
  it('has these bytes', () => {
    expect(new TextDecoder().decode(encodeDocument(note('é')))).toBe(
      '{"text":"é","siltstone":{"format":"note","v":1,"writes":[],"crc32":"53968cde"}}',
    )
  })

  it('is read as it was written, and written again with what was added', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, added) => {
        const read = decode(encodeDocument(note(text)))
        expect(read.text).toBe(text)
        const again = decode(
          encodeDocument({ ...read, siltstone: { ...read.siltstone, added } as Envelope['siltstone'] }),
        )
        expect(again).toMatchObject({ text, siltstone: { added } })
      }),
    )
  })

  it('with any one byte changed or cut is damaged', () => {
    const whole = encodeDocument(note('some text'))
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Uint8Array.from(whole, (byte, index) => (index === at ? byte ^ change : byte))
        expect(() => decode(changed)).toThrow(
          expect.objectContaining({ kind: 'corrupt', code: 'registry-damaged', key: 'notes/1' }),
        )
        expect(() => decode(whole.subarray(0, at))).toThrow(expect.objectContaining({ kind: 'corrupt' }))
      }),
    )
  })

  it('of another format, a newer version or another shape is refused by name', () => {
    expect(() => decode(encodeDocument(note('x', { format: 'other' })))).toThrow(/it is other, not note/)
    expect(() => decode(encodeDocument(note('x', { v: 2 })))).toThrow(
      expect.objectContaining({ kind: 'unsupported', code: 'unknown-format-version' }),
    )
    expect(() => decode(encodeDocument(note(3 as never)))).toThrow(/its field text/)
    expect(() => decode(bytes('{}'))).toThrow(expect.objectContaining({ kind: 'corrupt' }))
    expect(() => decode(bytes(''))).toThrow(expect.objectContaining({ kind: 'corrupt' }))
  })
})
