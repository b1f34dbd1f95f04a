/** Valid values to start from. */
import {
  bitmapKey,
  type CollectionDocument,
  collectionPath,
  emptyManifest,
  listKey,
  manifestKey,
  type Pin,
  type StoredManifest,
} from 'siltstone/internal'
import { goldenJson } from './golden.ts'

export const someUlid = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
export const someCollection: Omit<CollectionDocument, 'writes'> = {
  format: 'siltstone.collection',
  version: 1,
  id: '0b1c2d3e-0000-4000-8000-00000000000a',
  tenant: 'default_tenant',
  database: 'default_database',
  incarnation: someUlid,
  state: 'live',
  everLive: true,
  name: 'things',
  renaming: null,
  metadata: '{"a":1}',
  configuration: { hnsw: { space: 'l2' } },
  schema: null,
  space: 'l2',
  createdAtMs: 1_795_000_000_000,
  inbox: true,
  forkOf: null,
}
export const somePath = collectionPath({
  tenant: someCollection.tenant,
  database: someCollection.database,
  collectionId: someCollection.id,
})

const object = { key: bitmapKey(somePath, someUlid), sizeBytes: 20, crc32: '01234567' }

/** A value with each field set. */
export const manifestSeed: Omit<StoredManifest, 'format' | 'version'> = {
  ...emptyManifest(somePath),
  id: someUlid,
  kind: 'fold',
  watermark: 42,
  operations: 500,
  parent: { manifestKey: manifestKey(somePath, 41, someUlid), committedAtMs: 1_795_000_000_000 },
  createdAtMs: 1_795_000_000_001,
  writer: 'golden',
  dimension: 3,
  nextOrdinal: 2 ** 41,
  liveRecords: 398,
  segments: [
    {
      segment: goldenJson('v1/segment-one-file/descriptor.json') as never,
      deletions: { count: 2, inline: 'OjAAAAEAAAAAAAEAEAAAAAEAAgA=' },
      overlays: [goldenJson('v1/overlay/descriptor.json') as never],
    },
    {
      segment: goldenJson('v1/segment-files/descriptor.json') as never,
      deletions: { count: 2, object },
      overlays: [],
    },
  ],
  sequenced: [{ foldedAtMs: 1, ulids: [someUlid] }],
  folded: [{ foldedAtMs: 1, first: 40, ids: [someUlid, someUlid] }],
  refused: [{ key: 'k', entry: 1, reason: 'ungültig', atMs: 1 }],
  pins: { object: { ...object, key: listKey(somePath, someUlid) } },
  owners: [{ collection: somePath, manifestKey: manifestKey(somePath, 41, someUlid) }],
}

export const somePin: Pin = {
  kind: 'history',
  manifestKey: manifestKey(somePath, 40, someUlid),
  watermark: 40,
  committedAtMs: 1_795_000_000_000,
  untilMs: 1_795_000_100_000,
  pinnedAtMs: 1_795_000_000_000,
  reason: '',
}
