import { tableFromIPC } from 'apache-arrow'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSiltstoneError } from '../errors.ts'
import type { RecordOp } from '../model/record.ts'
import { textColumn, vectorColumn, writeArrowFile } from '../arrow/write.ts'
import { decodeDelta, encodeDelta } from './delta.ts'
import { inboxKey } from './keys.ts'
import { flipBit, recordsOf, somePath, someUlid } from './testing.ts'

const key = inboxKey(somePath, someUlid)
const record: RecordOp = {
  op: 'upsert',
  id: 'a',
  vector: Float32Array.of(1, 2),
  document: 'd',
  metadata: '{"n":1}',
  uri: null,
}

/** A file as another producer may write it: columns and metadata as given. */
function foreign(
  columns: Parameters<typeof writeArrowFile>[0],
  rows: number,
  metadata: Record<string, string> = {},
): Uint8Array {
  return writeArrowFile(columns, rows, new Map(Object.entries(metadata)))
}
const basic = (
  change: { op?: string; id?: string | null; vector?: number[] | null; metadata?: string } = {},
): Uint8Array =>
  foreign(
    [
      vectorColumn(
        'vector',
        [change.vector === null ? null : Float32Array.from(change.vector ?? [1, 2])],
        change.vector?.length ?? 2,
      ),
      textColumn('metadata', [change.metadata ?? null], true),
      textColumn('op', [change.op ?? 'add'], false),
      textColumn('id', [change.id === undefined ? 'a' : change.id], true),
    ],
    1,
  )

function refusal(bytes: Uint8Array): string {
  try {
    decodeDelta(bytes, key)
  } catch (error) {
    if (!isSiltstoneError(error, 'invalid') || error.code !== 'delta-refused' || error.key !== key) throw error
    return error.message
  }
  return 'accepted'
}

describe('deltas', () => {
  it('round trip', () => {
    fc.assert(
      fc.property(recordsOf(2), (records) => {
        const delta = decodeDelta(encodeDelta({ collection: somePath, records }), key)
        expect(delta.records).toEqual(records)
        expect(delta.collection).toBe(somePath)
      }),
    )
  })

  it('are Arrow files to the Arrow library', () => {
    const table = tableFromIPC(encodeDelta({ collection: somePath, records: [record], createdAtMs: 5 }))
    expect(table.schema.metadata.get('siltstone.format')).toBe('delta')
    expect(table.schema.metadata.get('siltstone.dimension')).toBe('2')
    const row = table.get(0)?.toJSON() as Record<string, unknown>
    expect(row['id']).toBe('a')
    expect(row['uri']).toBeNull()
    expect(Array.from(row['vector'] as Iterable<number>)).toEqual([1, 2])
  })

  it('takes what another producer writes: any order, missing columns, no metadata', () => {
    const delta = decodeDelta(basic(), key)
    expect(delta).toEqual({
      collection: null,
      dimension: 2,
      records: [{ op: 'add', id: 'a', vector: Float32Array.of(1, 2), document: null, metadata: null, uri: null }],
    })
    const deletes = foreign([textColumn('id', ['x', 'y'], false), textColumn('op', ['delete', 'delete'], false)], 2)
    expect(decodeDelta(deletes, key).records.map((it) => it.id)).toEqual(['x', 'y'])
  })

  it.each<[string, Uint8Array, string]>([
    ['a bad op', basic({ op: 'insert' }), 'op "insert"'],
    ['an empty id', basic({ id: '' }), 'the id is empty'],
    ['a null id', basic({ id: null }), 'id or op is null'],
    ['a missing vector', basic({ vector: null }), 'add needs a vector'],
    ['NaN', basic({ vector: [1, Number.NaN] }), 'NaN'],
    ['Infinity', basic({ vector: [-Infinity, 1] }), 'NaN'],
    ['metadata that is no JSON', basic({ metadata: '{' }), 'not JSON'],
    ['metadata that is no object', basic({ metadata: '[1]' }), 'not a JSON object'],
    ['a reserved key', basic({ metadata: '{"$a":1}' }), 'must not begin'],
    ['a nested object', basic({ metadata: '{"a":{"b":1}}' }), 'sparse vector'],
    ['a null in add', basic({ metadata: '{"a":null}' }), 'null is only allowed'],
    ['a mixed array', basic({ metadata: '{"a":[1,"x"]}' }), 'all of one kind'],
    ['a missing column', foreign([textColumn('id', ['a'], false)], 1), 'column op is missing'],
    ['no Arrow file', Buffer.from('hello'), 'not an Arrow IPC file'],
  ])('refuses %s', (_, bytes, reason) => {
    expect(refusal(bytes)).toContain(reason)
  })

  it('refuses what its own metadata denies', () => {
    const columns = [textColumn('id', ['a'], false), textColumn('op', ['delete'], false)]
    expect(refusal(foreign(columns, 1, { 'siltstone.records': '2' }))).toContain('holds 1 records')
    expect(refusal(foreign(columns, 1, { 'siltstone.format': 'entry' }))).toContain('not delta')
    const elsewhere = somePath.replace('a', 'b')
    expect(refusal(foreign(columns, 1, { 'siltstone.collection': elsewhere }))).toContain(elsewhere)
  })

  it('takes null and empty arrays in a patch', () => {
    expect(refusal(basic({ op: 'upsert', metadata: '{"a":null,"b":[]}' }))).toBe('accepted')
  })

  it('stops at an unknown version', () => {
    const bytes = foreign([textColumn('other', ['a'], false)], 1, { 'siltstone.version': '2' })
    expect(() => decodeDelta(bytes, key)).toThrow(
      expect.objectContaining({ kind: 'unsupported', code: 'unknown-format-version' }),
    )
  })

  it('every prefix and every flipped bit of a sealed delta is refused', () => {
    const bytes = encodeDelta({ collection: somePath, records: [record] })
    for (let length = 0; length < bytes.length; length++) expect(refusal(bytes.slice(0, length))).not.toBe('accepted')
    for (let bit = 0; bit < bytes.length * 8; bit++) expect(refusal(flipBit(bytes, bit))).not.toBe('accepted')
  })

  it('damage without a checksum gives an answer or a refusal, soon', () => {
    const bytes = foreign(
      [
        vectorColumn('vector', [Float32Array.of(1, 2), null, Float32Array.of(3, 4)], 2),
        textColumn('op', ['add', 'delete', 'add'], false),
        textColumn('id', ['aé', 'b', 'c'], true),
        textColumn('document', [null, 'x', 'y'], true),
      ],
      3,
    )
    const verdict = (damaged: Uint8Array): string => {
      try {
        return refusal(damaged)
      } catch (error) {
        return (error as Error).message
      }
    }
    for (let bit = 0; bit < bytes.length * 8; bit++) verdict(flipBit(bytes, bit))
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const damaged = bytes.slice()
        for (const [at, value] of changes) damaged[at] = value
        expect(verdict(damaged)).toBe(verdict(damaged.slice()))
      }),
      { numRuns: 2000 },
    )
  })

  it('refuses to write a bad record', () => {
    const write = (change: Partial<RecordOp>): Uint8Array =>
      encodeDelta({ collection: somePath, records: [{ ...record, ...change }] })
    expect(() => write({ id: '' })).toThrow('record 0: the id is empty')
    expect(() => write({ id: '\ud800' })).toThrow('Unicode')
    expect(() => write({ vector: null })).toThrow('needs a vector')
    expect(() => write({ metadata: '{"#a":1}' })).toThrow('must not begin')
  })
})
