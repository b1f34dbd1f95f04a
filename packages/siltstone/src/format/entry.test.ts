import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSiltstoneError } from '../errors.ts'
import { decodeEntry, encodeEntry, type LogEntry } from './entry.ts'
import { inboxKey, logEntryKey, takenKey } from './keys.ts'
import { flipBit, recordsOf, somePath, someUlid } from './testing.ts'

const key = logEntryKey(somePath, 7)
const control = fc.constantFrom<LogEntry['control']>(
  null,
  null,
  { kind: 'closed' },
  { kind: 'reset', manifestKey: 'snapshot/x' },
  { kind: 'void', keys: ['a', 'crc32:00000000'] },
)
const entries = fc.record({
  id: fc.constant(someUlid),
  number: fc.constant(7),
  collection: fc.constant(somePath),
  createdAtMs: fc.integer({ min: 0, max: 2e12 }),
  writer: fc.string(),
  sequenced: fc.array(
    fc
      .record({
        key: fc.constant(inboxKey(somePath, someUlid)),
        etag: fc.oneof(fc.string(), fc.constant('crc32:01234567')),
        sizeBytes: fc.nat(),
      })
      .chain((delta) =>
        fc.oneof(
          recordsOf(3).map((records) => ({ ...delta, records })),
          fc.string().map((refused) => ({ ...delta, refused })),
          fc.constant({ ...delta, taken: { key: takenKey(somePath, 7, someUlid), crc32: '0123abcd' } }),
        ),
      ),
    { maxLength: 3 },
  ),
  records: recordsOf(3),
  control,
})

const sample: LogEntry = {
  id: someUlid,
  number: 7,
  collection: somePath,
  createdAtMs: 1,
  writer: 'test',
  sequenced: [
    { key: inboxKey(somePath, someUlid), etag: '"e"', sizeBytes: 9, refused: 'not readable' },
    {
      key: inboxKey(somePath, someUlid),
      etag: '"f"',
      sizeBytes: 7,
      records: [{ op: 'delete', id: 'z', vector: null, document: null, metadata: null, uri: null }],
    },
  ],
  records: [
    { op: 'add', id: 'a', vector: Float32Array.of(1, 2, 3), document: 'd', metadata: '{"n":1}', uri: null },
    { op: 'delete', id: 'b', vector: null, document: null, metadata: null, uri: null },
  ],
  control: null,
}

describe('log entries', () => {
  it('round trip', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        expect(decodeEntry(encodeEntry(entry), key)).toEqual(entry)
      }),
    )
  })

  it('come back from an unaligned buffer', () => {
    const bytes = encodeEntry(sample)
    for (let shift = 1; shift < 8; shift++) {
      for (const space of [new Uint8Array(bytes.length + 8), Buffer.alloc(bytes.length + 8)]) {
        const moved = space.subarray(shift, shift + bytes.length)
        moved.set(bytes)
        expect(decodeEntry(moved, key)).toEqual(sample)
      }
    }
  })

  it('are written the same every time', () => {
    expect(encodeEntry(sample)).toEqual(encodeEntry(sample))
  })

  const expectCorrupt = (bytes: Uint8Array): void => {
    try {
      decodeEntry(bytes, key)
    } catch (error) {
      expect(isSiltstoneError(error, 'corrupt') && error.key === key && error.code === 'entry-damaged').toBe(true)
      return
    }
    throw new Error('a damaged entry was accepted')
  }

  it('every prefix is corrupt', () => {
    const bytes = encodeEntry(sample)
    for (let length = 0; length < bytes.length; length++) expectCorrupt(bytes.slice(0, length))
  })

  it('every flipped bit is corrupt', () => {
    const bytes = encodeEntry(sample)
    for (let bit = 0; bit < bytes.length * 8; bit++) expectCorrupt(flipBit(bytes, bit))
  })

  it('is corrupt at another place of the log', () => {
    expect(() => decodeEntry(encodeEntry(sample), logEntryKey(somePath, 8))).toThrow('it is entry 7')
  })

  it('refuses to write what is no entry', () => {
    expect(() => encodeEntry({ ...sample, number: 0 })).toThrow('head')
    // It would need the object in the inbox.
    expect(() => encodeEntry({ ...sample, sequenced: [{ key: 'k', etag: 'e', sizeBytes: 1 }] })).toThrow('head')
    expect(() =>
      encodeEntry({ ...sample, records: [{ ...(sample.records[0] as never as object), id: '' } as never] }),
    ).toThrow('id')
    const mixed = [sample.records[0], { ...sample.records[0], vector: Float32Array.of(1) }] as LogEntry['records']
    expect(() => encodeEntry({ ...sample, records: mixed })).toThrow('1 values')
  })
})
