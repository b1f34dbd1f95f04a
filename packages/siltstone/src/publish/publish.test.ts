import { beforeAll, describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { StoreEngine } from '../engine/engine.ts'
import { decodePublished, PUBLISHED_FILE } from '../format/published.ts'
import { systemModels } from '../host/model-host.ts'
import type { RecordOp } from '../model/record.ts'
import type { Collection } from '../model/store.ts'
import { collectionRequest, upsert } from '../testing/operations.ts'
import { publish } from './publish.ts'
import { isEnglish } from './publish-embedder.ts'
import { MemoryTarget } from './testing.ts'

const ROWS = 600
const records = (): RecordOp[] =>
  Array.from({ length: ROWS }, (_, n) =>
    upsert(
      `r-${n}`,
      Array.from({ length: 16 }, (_, d) => Math.sin(n * (d + 1))),
      { document: `text ${n}` },
    ),
  )

async function collectionOf(operations: readonly RecordOp[]): Promise<Collection> {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const { info } = await engine.catalog.createCollection(collectionRequest('things'))
  const collection = await engine.collection(info.tenant, info.database, info.id)
  await collection.write(operations)
  return collection
}

const publishTo = (collection: Collection, target: MemoryTarget) =>
  publish({ collection, staging: memoryEnvironment(), target, models: systemModels })

const published = (target: MemoryTarget) => decodePublished(target.files.get(PUBLISHED_FILE) ?? new Uint8Array(0))

describe('publish', () => {
  let things: Collection
  const target = new MemoryTarget()
  beforeAll(async () => {
    things = await collectionOf(records())
    await publishTo(things, target)
  })

  it('writes the parts first, then search.json, which names them', async () => {
    expect(target.calls.at(-1)).toBe(`write ${PUBLISHED_FILE}`)
    const { segment, embedder, version } = published(target)
    expect([segment?.rows, segment?.order, embedder, version]).toEqual([ROWS, 'cluster', null, 1])
    for (const { key, sizeBytes } of segment?.files ?? []) {
      const parts = [...target.files].filter(([name]) => name.startsWith(`${key}-`))
      expect(parts.reduce((sum, [, bytes]) => sum + bytes.length, 0)).toBe(sizeBytes)
    }
    for (const bytes of target.files.values()) expect(bytes.length).toBeLessThanOrEqual(64 * 1024)
  })

  it('writes nothing but search.json when nothing changed', async () => {
    target.calls = []
    const before = target.files.get(PUBLISHED_FILE)
    expect(await publishTo(things, target)).toMatchObject({ written: 0, removed: 0, records: ROWS })
    expect(target.calls).toEqual([`write ${PUBLISHED_FILE}`])
    expect(target.files.get(PUBLISHED_FILE)).toEqual(before)
  })

  it('shows log and snapshot, and removes the parts of the earlier publication, and no other file', async () => {
    target.files.set('data/other.txt', new Uint8Array(1))
    await things.write([
      upsert(
        'new',
        Array.from({ length: 16 }, () => 1),
        {},
      ),
    ])
    const report = await publishTo(things, target)
    expect(report).toMatchObject({ records: ROWS + 1, version: 2 })
    expect(report.removed).toBeGreaterThan(0)
    expect(target.files.has('data/other.txt')).toBe(true)
    expect(target.files.size).toBe(report.files + 1)
    const removed = target.calls.findIndex((call) => call.startsWith('remove'))
    expect(target.calls.slice(0, removed).at(-1)).toBe(`write ${PUBLISHED_FILE}`)
  })

  it('publishes a collection without records', async () => {
    const empty = new MemoryTarget()
    expect(await publishTo(await collectionOf([]), empty)).toMatchObject({ records: 0, files: 1 })
    expect(published(empty).segment).toBeNull()
  })

  it('does not replace a search.json of something else', async () => {
    const foreign = new MemoryTarget()
    foreign.files.set(PUBLISHED_FILE, new TextEncoder().encode('{"pages":[]}'))
    await expect(publishTo(things, foreign)).rejects.toMatchObject({ kind: 'conflict', code: 'foreign-file' })
    expect(foreign.calls).toEqual([])
  })

  it('publishes the English embedder where it is that of the collection', () => {
    const named = (name: string, config = {}) => ({ embedding_function: { type: 'known', name, config } })
    expect(isEnglish({}, 256)).toBe(true)
    expect(isEnglish({ embedding_function: null }, 256)).toBe(true)
    expect(isEnglish(named('default'), 256)).toBe(true)
    expect(isEnglish(named('siltstone-english', { model: 'siltstone-english-1' }), 256)).toBe(true)
    expect(isEnglish(named('siltstone-english', { model: 'another' }), 256)).toBe(false)
    expect(isEnglish(named('openai'), 256)).toBe(false)
    expect(isEnglish({}, 384)).toBe(false)
  })
})
