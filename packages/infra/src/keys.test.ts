import { describe, expect, it } from 'vitest'
import { stateKey } from '@siltstone/objects/ingest'
import * as registry from '@siltstone/registry/keys'
import * as product from 'siltstone/internal'
import { DELTA_PREFIX, DELTA_SUFFIX, DUE_PREFIX, KEY_PATTERNS, LATEST_POINTER_KEY } from './keys.ts'
import { wildcard } from './policy/document.ts'
import { KEYS } from './testing/index.ts'

const name = { tenant: 't', database: 'd', collectionId: '11111111-2222-4333-8444-555555555555' }
const path = product.collectionPath(name)
const ulid = '01J9Z3K4M5N6P7Q8R9S0T1V2W3'

/** One key of each kind, as the product builds them. */
const BUILT: Record<keyof typeof KEYS, string> = {
  store: product.storeKey,
  entry: product.logEntryKey(path, 1),
  inbox: product.inboxKey(path, ulid),
  pointer: product.pointerKey(path),
  manifest: product.manifestKey(path, 1, ulid),
  segment: product.segmentFileKey(path, ulid, 'data'),
  overlay: product.overlayFileKey(path, ulid, 'data'),
  bitmap: product.bitmapKey(path, ulid),
  list: product.listKey(path, ulid),
  taken: product.takenKey(path, 1, ulid),
  tenant: product.tenantKey('t'),
  collection: product.collectionIdKey(name),
  due: product.gcDueKey(0, path),
  embedding: product.embeddingKey('an-id', true),
  objectState: stateKey('a-bucket', 'uploads/a.pdf'),
  artifact: registry.metadataKey(ulid),
  blob: registry.blobKey('0'.repeat(64)),
  user: registry.userKey('ada'),
  token: registry.tokenKey('0'.repeat(64)),
}
const COLLECTION = /[0-9a-f]{12}-[0-9a-f]{12}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
/** A key without the parts that differ between keys of one kind. */
const shape = (key: string) =>
  key
    .replaceAll(COLLECTION, '<collection>')
    .replaceAll(/[0-9a-f]{64}/g, '<sha256>')
    .replaceAll(/users\/[0-9a-f]{32}/g, 'users/<hash>')
    .replaceAll(/\/[0-9a-f]{2}\//g, '/<hh>/')
    .replaceAll(/catalog\/[0-9a-f]{12}-[0-9a-f]{12}/g, 'catalog/<database>')
    .replaceAll(/gc-due\/\d{10}/g, 'gc-due/<hour>')

const matches = (pattern: string, key: string) => wildcard(pattern).test(key)

describe('keys of policies', () => {
  it.each(Object.entries(BUILT))('the permission table has the shape of the product: %s', (kind, built) => {
    expect(shape(KEYS[kind as keyof typeof KEYS])).toBe(shape(built))
  })

  it('cover each kind, and only their own', () => {
    const { immutable, registry: ownPrefixes, ...single } = KEY_PATTERNS
    const patterns: Record<string, string[]> = {
      immutable,
      registry: ownPrefixes,
      ...Object.fromEntries(Object.entries(single).map(([k, v]) => [k, [v]])),
    }
    const covered = Object.fromEntries(
      Object.entries(patterns).map(([pattern, all]) => [
        pattern,
        Object.entries(BUILT)
          .filter(([, key]) => all.some((each) => matches(each, key)))
          .map(([kind]) => kind),
      ]),
    )
    expect(covered).toEqual({
      deltas: ['entry', 'inbox'],
      inbox: ['inbox'],
      log: ['entry', 'inbox'],
      taken: ['taken'],
      objectStates: ['objectState'],
      registry: ['artifact', 'blob', 'user', 'token'],
      snapshots: ['store', 'pointer', 'manifest', 'segment', 'overlay', 'bitmap', 'list', 'taken'],
      pointers: ['pointer'],
      immutable: ['manifest', 'segment', 'overlay', 'bitmap', 'list', 'taken'],
      catalog: ['tenant', 'collection'],
      due: ['due'],
      embeddings: ['embedding'],
    })
  })

  it('notify of entries and inboxes, not of placeholders', () => {
    const notified = (key: string) => key.startsWith(DELTA_PREFIX) && key.endsWith(DELTA_SUFFIX)
    expect([BUILT.entry, BUILT.inbox, 'delta/.placeholder', BUILT.segment].map(notified)).toEqual([
      true,
      true,
      false,
      false,
    ])
  })

  it('agree with the product on fixed keys', () => {
    expect(LATEST_POINTER_KEY).toBe(product.storeKey)
    expect(BUILT.due.startsWith(DUE_PREFIX)).toBe(true)
  })

  it('let a deployer create the initial objects, which need no condition', () => {
    const held = [KEY_PATTERNS.log, ...KEY_PATTERNS.immutable, KEY_PATTERNS.pointers, KEY_PATTERNS.catalog]
    for (const key of ['delta/.placeholder', 'snapshot/.placeholder', LATEST_POINTER_KEY]) {
      expect(held.filter((pattern) => matches(pattern, key))).toEqual([])
    }
  })
})
