import { expect, it } from 'vitest'
import { pathOf } from '../engine/engine.ts'
import { ManifestStore } from '../snapshot/manifest-store.ts'
import { indexedEngine } from './folding-engine.ts'
import { collectionRequest, remove, update, upsert } from './operations.ts'

it('an indexed engine makes segments with indexes, deletions and overlays, below a log', async () => {
  const engine = await indexedEngine()
  const { info } = await engine.catalog.createCollection(collectionRequest('things'))
  const collection = await engine.collection(info.tenant, info.database, info.id)
  const fields = { document: 'a text', metadata: { n: 1 } }
  await collection.write([upsert('a', [1], fields), upsert('b', [2], fields)])
  await collection.write([upsert('c', [3], fields)])
  await collection.write([update('a', { metadata: { n: 2 } }), remove('b')])
  await collection.write([upsert('d', [4], fields), upsert('c', [5])])
  await collection.write([upsert('e', [6])])
  const current = await new ManifestStore(engine.env, pathOf(info)).current()
  if (current === 'none') throw new Error('nothing was folded')
  const { manifest } = current
  expect(
    manifest.segments.map(({ segment, deletions, overlays }) => [segment.rows, deletions?.count, overlays.length]),
  ).toEqual([
    [3, 2, 1],
    [2, undefined, 0],
  ])
  for (const { segment } of manifest.segments) {
    const sections = segment.sections.map(({ name }) => name)
    expect(sections).toEqual(expect.arrayContaining(['ivf-centroids', 'ivf-lists', 'metadata-values', 'trigrams']))
  }
  expect(manifest.watermark).toBe(4)
  await collection.write([upsert('f', [7])])
  await collection.delete({ ids: ['e'] })
  expect((await collection.snapshots()).find(({ current }) => current)?.segments).toBe(1)
  await engine.close()
})
