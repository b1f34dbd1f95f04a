import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crcHex } from '../format/checksum.ts'
import { type CollectionDocument, collectionType, idKey } from './collection-document.ts'
import { decodeDocument, encodeDocument, isEvenSize } from './document-codec.ts'
import { type NameClaim, nameClaimType } from './document-types.ts'

const id = '0d4f8a6c-91c0-4c7e-8f5e-111111111111'
const key = idKey({ tenant: 'ten', database: 'dat' }, id)

const collection: CollectionDocument = {
  format: 'siltstone.collection',
  version: 1,
  id,
  tenant: 'ten',
  database: 'dat',
  incarnation: 'initial',
  state: 'live',
  everLive: true,
  name: 'naïve',
  renaming: null,
  metadata: '{"big":9007199254740993,"float":1.0}',
  configuration: { hnsw: { space: 'l2' } },
  schema: null,
  space: 'l2',
  createdAtMs: 1,
  inbox: true,
  forkOf: null,
  writes: [],
}
const claim: NameClaim = {
  format: 'siltstone.name',
  version: 1,
  tenant: 't',
  database: 'd',
  name: 'n',
  collectionId: null,
  writes: [],
}

describe('catalog documents', () => {
  it('survive a round trip, with unknown fields', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.jsonValue(), (name, future) => {
        const document = { ...claim, name, future: JSON.parse(JSON.stringify(future)) as unknown }
        expect(decodeDocument(nameClaimType, encodeDocument(nameClaimType, document), 'k')).toEqual(document)
      }),
    )
  })

  it('can be checked by any tool: the CRC-32 of the body’s text', () => {
    const text = Buffer.from(encodeDocument(nameClaimType, claim)).toString('utf8')
    const { crc32, body } = JSON.parse(text) as { crc32: string; body: unknown }
    expect(crc32).toBe(crcHex(Buffer.from(JSON.stringify(body), 'utf8')))
  })

  it('show by their length whether a collection is live', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom('creating' as const, 'live' as const, 'deleting' as const, 'deleted' as const),
        (name, state) => {
          const bytes = encodeDocument(collectionType, { ...collection, name, state })
          expect(isEvenSize(bytes.length)).toBe(state === 'live')
          expect(decodeDocument(collectionType, bytes, key)).toMatchObject({ name, state })
        },
      ),
    )
  })

  it('are refused when a byte is changed or missing', () => {
    const bytes = encodeDocument(collectionType, collection)
    const corrupt = expect.objectContaining({ kind: 'corrupt', code: 'catalog-damaged', key })
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(bytes)
        damaged[at] = (damaged[at] as number) ^ flip
        // The space at the end carries nothing but its presence.
        if (damaged.toString('utf8').trimEnd() === Buffer.from(bytes).toString('utf8').trimEnd()) return
        expect(() => decodeDocument(collectionType, damaged, key)).toThrow(corrupt)
      }),
    )
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeDocument(collectionType, bytes.subarray(0, length), key)).toThrow(corrupt)
    }
  })

  it('are refused under another key', () => {
    const bytes = encodeDocument(collectionType, collection)
    const elsewhere = idKey(collection, '0d4f8a6c-91c0-4c7e-8f5e-222222222222')
    expect(() => decodeDocument(collectionType, bytes, elsewhere)).toThrow(expect.objectContaining({ kind: 'corrupt' }))
    expect(() => decodeDocument(nameClaimType, bytes, key)).toThrow(/siltstone.collection", not siltstone.name/)
    const nameless = encodeDocument(nameClaimType, { ...claim, name: 3 as unknown as string })
    expect(() => decodeDocument(nameClaimType, nameless, 'k')).toThrow(/its field name is 3/)
  })

  it('are refused by a program that is too old', () => {
    const newer = encodeDocument({ ...nameClaimType, version: 2 }, claim)
    expect(() => decodeDocument(nameClaimType, newer, 'k')).toThrow(
      expect.objectContaining({ kind: 'unsupported', code: 'unknown-format-version', key: 'k' }),
    )
  })
})
