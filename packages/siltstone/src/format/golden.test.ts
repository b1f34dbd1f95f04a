/**
 * Files of format version 1, as the first program wrote them. They are never written again: a later program must read
 * them the same. (`SILTSTONE_WRITE_GOLDEN=1` writes those that do not exist yet, for a new version.)
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { decodeDelta, encodeDelta } from './delta.ts'
import { decodeEntry, encodeEntry, type LogEntry } from './entry.ts'
import { inboxKey, logEntryKey, manifestKey, pointerKey } from './keys.ts'
import { decodePointer, encodePointer } from './pointer.ts'
import { parseSegmentDescriptor } from './segment/descriptor.ts'
import { OverlayReader, type OverlayRow, OverlayWriter, parseOverlayDescriptor } from './segment/overlay.ts'
import { verifySegment } from './segment/verify-segment.ts'
import { SegmentReader } from './segment/reader.ts'
import { Bucket, writeSegment } from './segment/testing.ts'
import type { SegmentRow } from './segment/writer.ts'
import { somePath, someUlid } from './testing.ts'

const root = new URL('golden/v1/', import.meta.url)

async function golden(name: string, make: () => Uint8Array | Promise<Uint8Array>): Promise<Uint8Array> {
  const path = fileURLToPath(new URL(name, root))
  if (process.env['SILTSTONE_WRITE_GOLDEN'] === '1' && !existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, await make())
  }
  return readFileSync(path)
}

const entry: LogEntry = {
  id: someUlid,
  number: 42,
  collection: somePath,
  createdAtMs: 1_795_000_000_000,
  writer: 'golden',
  sequenced: [{ key: inboxKey(somePath, someUlid), etag: '"0123"', sizeBytes: 321 }],
  records: [
    {
      op: 'add',
      id: 'a',
      vector: Float32Array.of(1, -2.5, 3e-7),
      document: 'one',
      metadata: '{"n":1,"f":1.0}',
      uri: null,
    },
    {
      op: 'upsert',
      id: 'é€😀',
      vector: Float32Array.of(0, 0, 0),
      document: null,
      metadata: '{"gone":null}',
      uri: 's3://b/k',
    },
    { op: 'update', id: 'c', vector: null, document: '', metadata: null, uri: null },
    { op: 'delete', id: 'd', vector: null, document: null, metadata: null, uri: null },
  ],
  control: null,
}
const rows: SegmentRow[] = Array.from({ length: 400 }, (_, i) => ({
  id: `record-${i}`,
  ordinal: i * 2 + (i > 390 ? 2 ** 40 : 0),
  version: 1 + (i % 9),
  vector: Float32Array.of(i, i / 7, -i),
  document: i % 4 === 0 ? null : `document ${i} é€😀`,
  metadata: i % 3 === 0 ? null : `{"n":${i}}`,
  uri: i === 399 ? 's3://b/k' : null,
}))
const changes: OverlayRow[] = Array.from({ length: 50 }, (_, i) => ({
  row: i * 8,
  version: 100 + i,
  ...(i % 2 === 0 ? { metadata: i % 4 === 0 ? null : `{"new":${i}}` } : { documents: `new ${i}` }),
}))

describe('golden files of version 1', () => {
  it('delta', async () => {
    const bytes = await golden('delta.arrow', () =>
      encodeDelta({ collection: somePath, records: entry.records, createdAtMs: 1 }),
    )
    expect(decodeDelta(bytes, inboxKey(somePath, someUlid))).toEqual({
      collection: somePath,
      dimension: 3,
      records: entry.records,
    })
  })

  it.each<[string, LogEntry]>([
    ['entry.arrow', entry],
    ['entry-closed.arrow', { ...entry, sequenced: [], records: [], control: { kind: 'closed' } }],
    [
      'entry-reset.arrow',
      { ...entry, records: [], control: { kind: 'reset', manifestKey: manifestKey(somePath, 7, someUlid) } },
    ],
    ['entry-void.arrow', { ...entry, records: [], control: { kind: 'void', keys: [inboxKey(somePath, someUlid)] } }],
  ])('%s', async (name, value) => {
    const bytes = await golden(name, () => encodeEntry(value))
    expect(decodeEntry(bytes, logEntryKey(somePath, 42))).toEqual(value)
  })

  it('pointer', async () => {
    const bytes = await golden('pointer.txt', () => encodePointer(manifestKey(somePath, 42, someUlid)))
    expect(decodePointer(bytes, pointerKey(somePath))).toBe(manifestKey(somePath, 42, someUlid))
  })

  it.each([
    ['segment-one-file', true],
    ['segment-files', false],
  ])('%s', async (folder, singleFile) => {
    const written = new Bucket()
    const descriptorOf = async (): Promise<Uint8Array> =>
      Buffer.from(JSON.stringify(await writeSegment(written, rows, { dimension: 3, singleFile }), null, 1))
    const text = Buffer.from(await golden(`${folder}/descriptor.json`, descriptorOf)).toString('utf8')
    const descriptor = parseSegmentDescriptor(JSON.parse(text))
    const bucket = new Bucket()
    for (const { key } of descriptor.files) {
      const file = await golden(
        `${folder}/${key.replace('segment/', '')}`,
        () => written.objects.get(key) as Uint8Array,
      )
      bucket.objects.set(key, file)
    }
    const reader = new SegmentReader(descriptor, bucket.read)
    await verifySegment(reader)
    const all = rows.map((_, i) => i)
    expect(await reader.vectors(all)).toEqual(rows.map((row) => row.vector))
    expect(await reader.ids(all)).toEqual(rows.map((row) => row.id))
    expect(await reader.column('documents', all)).toEqual(rows.map((row) => row.document))
    expect(await reader.column('metadata', all)).toEqual(rows.map((row) => row.metadata))
    expect(await reader.column('uris', all)).toEqual(rows.map((row) => row.uri))
    expect([...(await reader.rowRange(0, 400)).ordinals]).toEqual(rows.map((row) => row.ordinal))
    expect([...(await reader.rowRange(0, 400)).versions]).toEqual(rows.map((row) => row.version))
    expect([...(await reader.lookup(rows.map((row) => row.id)))]).toEqual(all)
  })

  it('overlay', async () => {
    const written = new Bucket()
    const descriptorOf = async (): Promise<Uint8Array> => {
      const writer = new OverlayWriter({ id: someUlid, key: 'overlay/data', open: written.open })
      for (const change of changes) await writer.append(change)
      return Buffer.from(JSON.stringify(await writer.finish(), null, 1))
    }
    const text = Buffer.from(await golden('overlay/descriptor.json', descriptorOf)).toString('utf8')
    const bucket = new Bucket()
    const file = await golden('overlay/data', () => written.objects.get('overlay/data') as Uint8Array)
    bucket.objects.set('overlay/data', file)
    const reader = new OverlayReader(parseOverlayDescriptor(JSON.parse(text)), bucket.read)
    await reader.verify()
    const asked = changes.map((change) => change.row)
    expect(await reader.column('metadata', asked)).toEqual(changes.map((change) => change.metadata))
    expect(await reader.column('documents', asked)).toEqual(changes.map((change) => change.documents))
    expect([...(await reader.versionsOf(asked))]).toEqual(changes.map((change) => change.version))
  })
})
