import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeChecked,
  decodeManifest,
  emptyManifest,
  encodeChecked,
  encodeManifest,
  type Manifest,
  objectsOf,
} from './manifest.ts'

const PATH = '000000000000-000000000000-11111111-1111-4111-8111-111111111111'
const KEY = `snapshot/${PATH}/manifest/00000000000000000002-01J00000000000000000000000.json`

const manifest: Manifest = {
  ...emptyManifest(PATH),
  id: '01J00000000000000000000000',
  kind: 'fold',
  watermark: 2,
  operations: 7,
  createdAtMs: 1_700_000_000_000,
  writer: 'test',
  dimension: 3,
  nextOrdinal: 5,
  sequenced: [{ foldedAtMs: 1, ulids: ['01J00000000000000000000001'] }],
  folded: [{ foldedAtMs: 1, first: 1, ids: ['01J00000000000000000000002', '01J00000000000000000000003'] }],
  refused: [{ key: 'k', entry: 1, reason: 'ungültig „so“', atMs: 1 }],
}

describe('manifests', () => {
  it('are read as they were written', () => {
    expect(decodeManifest(encodeManifest(manifest), KEY)).toMatchObject({ ...manifest })
  })

  it('of format version 1 are still read', () => {
    const golden = decodeManifest(readFileSync(new URL('golden/v1/manifest.json', import.meta.url)), KEY)
    expect(golden).toMatchObject({ ...manifest })
    expect(objectsOf(golden)).toEqual([])
  })

  it('name themselves when a bit is wrong or the end is missing', () => {
    const bytes = encodeManifest(manifest)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const damaged = bytes.slice()
        damaged[at] = (damaged[at] as number) ^ mask
        expect(() => decodeManifest(damaged, KEY)).toThrow(expect.objectContaining({ kind: 'corrupt', key: KEY }))
        expect(() => decodeManifest(bytes.slice(0, at), KEY)).toThrow(
          expect.objectContaining({ kind: 'corrupt', key: KEY }),
        )
      }),
    )
  })

  it('of a newer program are refused, not half understood', () => {
    const body = decodeChecked(encodeManifest(manifest), KEY) as object
    const refused = (changes: object) =>
      expect(() => decodeManifest(encodeChecked({ ...body, ...changes }), KEY)).toThrow(
        expect.objectContaining({ kind: 'unsupported' }),
      )
    refused({ version: 2 })
    refused({ requiredFeatures: ['telepathy'] })
    expect(decodeManifest(encodeChecked({ ...body, remark: 'unknown fields are passed over' }), KEY)).toMatchObject({
      watermark: 2,
    })
  })

  it('with fields of the wrong kind are damaged', () => {
    const body = decodeChecked(encodeManifest(manifest), KEY) as object
    for (const changes of [
      { watermark: -1 },
      { segments: {} },
      { pins: null },
      { state: 'maybe' },
      { segments: [{ segment: {}, overlays: [] }] },
      { liveRecords: '7' },
      { format: 'x' },
    ])
      expect(() => decodeManifest(encodeChecked({ ...body, ...changes }), KEY), JSON.stringify(changes)).toThrow(
        expect.objectContaining({ kind: 'corrupt' }),
      )
  })
})
