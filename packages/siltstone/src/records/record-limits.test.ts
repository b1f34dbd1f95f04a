import { describe, expect, it } from 'vitest'
import type { RecordOp } from '../model/record.ts'
import {
  checkCollectionMetadata,
  checkCollectionSettings,
  checkRecordLimits,
  defaultRecordLimits,
  type RecordLimits,
} from './record-limits.ts'

const record: RecordOp = { op: 'upsert', id: 'a', vector: null, document: null, metadata: null, uri: null }
const limits: RecordLimits = {
  maxIdBytes: 8,
  maxDocumentBytes: 8,
  maxUriBytes: 8,
  maxMetadataKeys: 3,
  maxMetadataKeyBytes: 8,
  maxMetadataBytes: 100,
  maxDimension: 3,
}

describe('checkRecordLimits', () => {
  it.each<[keyof RecordLimits, string, Partial<RecordOp>, Partial<RecordOp>]>([
    ['maxIdBytes', 'ids', { id: '12345678' }, { id: '123456789' }],
    ['maxIdBytes', 'ids', { id: 'äöüß' }, { id: 'äöüß1' }],
    ['maxDocumentBytes', 'documents', { document: '😀😀' }, { document: '😀😀1' }],
    ['maxDimension', 'embeddings', { vector: new Float32Array(3) }, { vector: new Float32Array(4) }],
    ['maxUriBytes', 'uris', { uri: '12345678' }, { uri: '123456789' }],
    ['maxMetadataKeys', 'metadatas', { metadata: '{"a":1,"b":1,"c":1}' }, { metadata: '{"a":1,"b":1,"c":1,"d":1}' }],
    ['maxMetadataKeyBytes', 'metadatas', { metadata: '{"12345678":1}' }, { metadata: '{"123456789":1}' }],
    [
      'maxMetadataBytes',
      'metadatas',
      { metadata: `{"a":"${'x'.repeat(92)}"}` },
      { metadata: `{"a":"${'x'.repeat(93)}"}` },
    ],
  ])('holds %s', async (limit, field, largest, larger) => {
    await checkRecordLimits([record, { ...record, ...largest }], limits)
    for (const op of ['add', 'upsert', 'update'] as const)
      expect(() => checkRecordLimits([record, { ...record, op, ...larger }], limits)).toThrow(
        expect.objectContaining({
          kind: 'invalid',
          code: 'record-too-large',
          field,
          message: expect.stringMatching(new RegExp(`^${field}: .*at most ${limits[limit]} .*--limit ${limit}=`)),
        }),
      )
    await checkRecordLimits([{ ...record, ...larger }], defaultRecordLimits)
  })

  it('lets every record be deleted', async () => {
    await checkRecordLimits([{ ...record, op: 'delete', id: 'x'.repeat(100) }], limits)
  })
})

it("holds the limits of metadata for a collection's, too", () => {
  checkCollectionMetadata(null, limits)
  checkCollectionMetadata('{"a":1}', limits)
  expect(() => checkCollectionMetadata('{"a":1,"b":1,"c":1,"d":1}', limits)).toThrow(/4 keys/)
})

it('holds the limits of metadata for its configuration and its schema', () => {
  const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [i, {}]))
  checkCollectionSettings({ configuration: {}, schema: null }, limits)
  checkCollectionSettings({ configuration: { hnsw: { space: 'l2' } }, schema: { keys: keys(3) } }, limits)
  const refuses = (settings: object, message: RegExp) =>
    expect(() => checkCollectionSettings(settings, limits)).toThrow(
      expect.objectContaining({ code: 'record-too-large', message: expect.stringMatching(message) }),
    )
  refuses({ configuration: { a: 'x'.repeat(100) } }, /^configuration: .*108 bytes.*maxMetadataBytes/)
  refuses({ schema: { a: 'x'.repeat(100) } }, /^schema: .*maxMetadataBytes/)
  refuses({ schema: { keys: keys(4) } }, /^schema: .*4 keys.*maxMetadataKeys/)
})
