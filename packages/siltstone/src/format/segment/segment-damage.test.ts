import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSiltstoneError } from '../../errors.ts'
import { flipBit } from '../testing.ts'
import { parseSegmentDescriptor, type SegmentDescriptor } from './descriptor.ts'
import { verifySegment } from './verify-segment.ts'
import { SegmentReader } from './reader.ts'
import { Bucket, plainRows, writeSegment } from './testing.ts'

const rows = plainRows(700, 5)
const KEY = 'segment/data'
const written = new Bucket()
const descriptor = await writeSegment(written, rows, { dimension: 5 })
const original = written.objects.get(KEY) as Uint8Array

function damaged(bytes: Uint8Array): SegmentReader {
  const bucket = new Bucket()
  bucket.objects.set(KEY, bytes)
  return new SegmentReader(descriptor, bucket.read)
}

async function expectCorrupt(action: Promise<unknown>): Promise<string> {
  const error: unknown = await action.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isSiltstoneError(error, 'corrupt') || error.key !== KEY || !error.message.includes(KEY)) {
    throw new Error(`expected corrupt, got ${String(error)}`, { cause: error })
  }
  return error.message
}

/** Everything a query can read, checked against what was written. */
async function expectAll(reader: SegmentReader): Promise<void> {
  const all = rows.map((_, i) => i)
  expect(await reader.vectors(all)).toEqual(rows.map((row) => row.vector))
  expect([...(await reader.rowRange(0, rows.length)).ordinals]).toEqual(rows.map((row) => row.ordinal))
  expect(await reader.column('metadata', all)).toEqual(rows.map((row) => row.metadata))
  expect(await reader.column('documents', all)).toEqual(rows.map((row) => row.document))
  expect(await reader.column('uris', all)).toEqual(rows.map((row) => row.uri))
  expect([...(await reader.lookup(rows.map((row) => row.id)))]).toEqual(all)
}

const inSection = (at: number): string | undefined =>
  descriptor.sections.find(({ offset, length }) => at >= offset && at < offset + length)?.name

describe('a damaged segment', () => {
  it('any flipped bit is found by verify', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(original.length * 8 - 1), async (bit) => {
        await expectCorrupt(verifySegment(damaged(flipBit(original, bit))))
      }),
      { numRuns: 150 },
    )
  })

  it('any flipped bit in a section is found by reading it, and the section is named', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(original.length * 8 - 1), async (bit) => {
        const name = inSection(bit >>> 3)
        if (name === undefined) return
        expect(await expectCorrupt(expectAll(damaged(flipBit(original, bit))))).toContain(`section ${name}`)
      }),
      { numRuns: 150 },
    )
  })

  it('a truncated object is corrupt', async () => {
    for (const length of [0, 1, 1000, original.length >> 1, original.length - 1]) {
      await expectCorrupt(verifySegment(damaged(original.slice(0, length))))
    }
  })

  it('undamaged, it reads', async () => {
    await expectAll(damaged(original))
    await verifySegment(damaged(original))
  })

  it('another segment in its place is corrupt', async () => {
    const other = new Bucket()
    await writeSegment(
      other,
      plainRows(700, 5).map((row) => ({ ...row, id: `x${row.id}` })),
      { dimension: 5 },
    )
    await expectCorrupt(verifySegment(damaged(other.objects.get(KEY) as Uint8Array)))
  })
})

describe('a damaged descriptor', () => {
  const change = (edit: (it: SegmentDescriptor) => void): unknown => {
    const copy = structuredClone(descriptor)
    edit(copy)
    return copy
  }
  const open = (value: unknown): unknown => new SegmentReader(parseSegmentDescriptor(value), written.read)

  it.each<[string, unknown]>([
    ['null', null],
    ['a missing format', change((it) => Object.assign(it, { format: 'x' }))],
    ['a negative count', change((it) => Object.assign(it, { rows: -1 }))],
    ['rows that do not fit', change((it) => Object.assign(it, { rows: 7000 }))],
    ['a section outside its file', change((it) => Object.assign(it.sections[0] as object, { length: 1e9 }))],
    ['a section of no file', change((it) => Object.assign(it.sections[0] as object, { file: 3 }))],
    ['a missing section', change((it) => it.sections.shift())],
    ['another type', change((it) => Object.assign(it.sections[0] as object, { type: 'f16-pages' }))],
    ['two of a name', change((it) => it.sections.push(it.sections[0] as never))],
    ['a bad checksum', change((it) => Object.assign(it.files[0] as object, { crc32: 'xyz' }))],
  ])('%s', (_, value) => {
    expect(() => open(value)).toThrow(expect.objectContaining({ kind: 'corrupt', code: 'descriptor-damaged' }))
  })

  it('unknown sections are passed over, unknown features and versions are not', () => {
    const extra = { name: 'codes', type: 'rabitq', version: 3, file: 0, offset: 0, length: 1, params: {} }
    expect(open(change((it) => it.sections.push(extra)))).toBeInstanceOf(SegmentReader)
    for (const value of [
      change((it) => it.requiredFeatures.push('codes')),
      change((it) => Object.assign(it, { version: 2 })),
    ]) {
      expect(() => open(value)).toThrow(expect.objectContaining({ kind: 'unsupported' }))
    }
  })

  it('survives any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => parseSegmentDescriptor(value)).toThrow(expect.objectContaining({ kind: 'corrupt' }))
      }),
    )
  })
})
