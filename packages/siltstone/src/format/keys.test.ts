import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as keys from './keys.ts'
import { type ParsedKey, parseKey } from './parse-key.ts'

const uuid = fc.uuid().map((text) => text.toLowerCase())
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
const name = fc.record({ tenant: text, database: text, collectionId: uuid })
const path = name.map(keys.collectionPath)
const ulid = fc
  .tuple(
    fc.constantFrom(...Array.from('01234567')),
    fc.string({
      unit: fc.constantFrom(...Array.from('0123456789ABCDEFGHJKMNPQRSTVWXYZ')),
      minLength: 25,
      maxLength: 25,
    }),
  )
  .map((parts) => parts.join(''))
const n = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const file = fc.constantFrom('data', 'vectors', 'id-index', 'rows.bin', 'a')
const embeddingId = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?$/)

describe('keys', () => {
  it('a collection path has the documented form', () => {
    expect(
      keys.collectionPath({
        tenant: 'default_tenant',
        database: 'default_database',
        collectionId: '0b1c2d3e-0000-4000-8000-00000000000a',
      }),
    ).toBe('bba19de61269-99ac54713bb3-0b1c2d3e-0000-4000-8000-00000000000a')
  })

  it('a collection path parses back', () => {
    fc.assert(
      fc.property(name, (it) => {
        const parts = keys.parseCollectionPath(keys.collectionPath(it))
        expect(parts?.collectionId).toBe(it.collectionId)
        expect(`${parts?.tenantHash}-${parts?.databaseHash}`).toBe(keys.databasePath(it))
      }),
    )
  })

  const one = (key: string, parsed: ParsedKey): void => expect(parseKey(key)).toEqual(parsed)

  it('every key parses back to its parts', () => {
    fc.assert(
      fc.property(path, n, ulid, file, name, text, (path, n, ulid, file, it, other) => {
        const databasePath = keys.databasePath(it)
        one(keys.logEntryKey(path, Math.max(n, 1)), { kind: 'log-entry', path, number: Math.max(n, 1) })
        one(keys.inboxKey(path, ulid), { kind: 'inbox', path, ulid })
        one(keys.pointerKey(path), { kind: 'pointer', path })
        one(keys.manifestKey(path, n, ulid), { kind: 'manifest', path, watermark: n, ulid })
        one(keys.segmentFileKey(path, ulid, file), { kind: 'segment-file', path, ulid, file })
        one(keys.overlayFileKey(path, ulid, file), { kind: 'overlay-file', path, ulid, file })
        one(keys.bitmapKey(path, ulid), { kind: 'bitmap', path, ulid })
        one(keys.listKey(path, ulid), { kind: 'list', path, ulid })
        one(keys.collectionIdKey(it), { kind: 'collection-id', databasePath, collectionId: it.collectionId })
        expect(parseKey(keys.collectionNameKey({ ...it, name: other }))).toMatchObject({ kind: 'collection-name' })
        expect(parseKey(keys.tenantKey(other))).toMatchObject({ kind: 'tenant' })
        expect(parseKey(keys.resourceKey(other))).toMatchObject({ kind: 'resource' })
        expect(parseKey(keys.databaseKey(it))).toMatchObject({
          kind: 'database',
          tenantHash: databasePath.slice(0, 12),
        })
      }),
    )
  })

  it('embedding and due keys parse back', () => {
    fc.assert(
      fc.property(embeddingId, fc.boolean(), path, fc.integer({ min: 0, max: 4e12 }), (id, compressed, path, time) => {
        one(keys.embeddingKey(id, compressed), { kind: 'embedding', id, compressed })
        one(keys.gcDueKey(time, path), { kind: 'gc-due', hour: keys.hourOf(time), path })
      }),
    )
    expect(keys.hourOf(Date.UTC(2026, 10, 21, 5, 59))).toBe('2026112105')
    one(keys.storeKey, { kind: 'store' })
    one(keys.backupStateKey, { kind: 'backup-state' })
  })

  it('entries sort by number and before the inbox', () => {
    fc.assert(
      fc.property(path, n, n, ulid, (path, a, b, ulid) => {
        const [first, second] = [keys.logEntryKey(path, a), keys.logEntryKey(path, b)]
        expect(first < second).toBe(a < b)
        expect(second < keys.inboxKey(path, ulid)).toBe(true)
      }),
    )
  })

  it('no key is a directory of another', () => {
    const path = keys.collectionPath({
      tenant: 't',
      database: 'd',
      collectionId: '0b1c2d3e-0000-4000-8000-00000000000a',
    })
    const id = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
    const all = [
      keys.storeKey,
      keys.logEntryKey(path, 1),
      keys.inboxKey(path, id),
      keys.pointerKey(path),
      keys.manifestKey(path, 1, id),
      keys.segmentFileKey(path, id, 'data'),
      keys.overlayFileKey(path, id, 'data'),
      keys.bitmapKey(path, id),
      keys.listKey(path, id),
      keys.tenantKey('t'),
      keys.resourceKey('r'),
      keys.databaseKey({ tenant: 't', database: 'd' }),
      keys.collectionIdKey({ tenant: 't', database: 'd', collectionId: '0b1c2d3e-0000-4000-8000-00000000000a' }),
      keys.collectionNameKey({ tenant: 't', database: 'd', name: 'n' }),
      keys.gcDueKey(0, path),
      keys.embeddingKey('e', false),
      keys.embeddingKey('e', true),
    ]
    for (const key of all) for (const other of all) expect(other.startsWith(`${key}/`)).toBe(false)
  })

  it('refuses parts that could escape', () => {
    const path = keys.collectionPath({
      tenant: 't',
      database: 'd',
      collectionId: '0b1c2d3e-0000-4000-8000-00000000000a',
    })
    const id = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
    expect(() => keys.segmentFileKey(path, id, '../x')).toThrow('"../x"')
    expect(() => keys.segmentFileKey(path, '', 'data')).toThrow('ULID')
    expect(() => keys.logPrefix('a/b')).toThrow('collection path')
    expect(() => keys.logEntryKey(path, -1)).toThrow('-1')
    expect(() => keys.logEntryKey(path, 2 ** 53)).toThrow('9007199254740992')
    expect(() => keys.embeddingKey('a/b', false)).toThrow('a/b')
    expect(() => keys.collectionPath({ tenant: 't', database: 'd', collectionId: 'X' })).toThrow('UUID')
  })

  it('never throws on a foreign key and never accepts a variant', () => {
    fc.assert(fc.property(fc.string(), (key) => parseKey(key) === undefined))
    const path = keys.collectionPath({
      tenant: 't',
      database: 'd',
      collectionId: '0b1c2d3e-0000-4000-8000-00000000000a',
    })
    expect(parseKey(`delta/${path}/${'0'.repeat(20)}.arrow`)).toBeUndefined()
    expect(parseKey(`delta/${path}/${'9'.repeat(20)}.arrow`)).toBeUndefined()
    expect(parseKey(`delta/${path}/1.arrow`)).toBeUndefined()
    expect(parseKey(`${keys.pointerKey(path)}\n`)).toBeUndefined()
    expect(parseKey('constructor/x')).toBeUndefined()
  })
})
