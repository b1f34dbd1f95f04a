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
import { RETIRED_FILE } from './retired-files.ts'
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

const ONES = Array.from({ length: 16 }, () => 1)

function publishTo(
  collection: Collection,
  target: MemoryTarget,
  { nowMs = 0, ...options }: { nowMs?: number; keepMs?: number; isWhole?: boolean } = {},
) {
  const environment = memoryEnvironment()
  const staging = { ...environment, clock: { ...environment.clock, nowMs: () => nowMs } }
  return publish({ collection, staging, target, models: systemModels, ...options })
}

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
    const { segments, embedder, version } = published(target)
    const segment = segments[0]?.segment
    expect([segments.length, segment?.rows, segment?.order, embedder, version]).toEqual([1, ROWS, 'cluster', null, 1])
    for (const { key, sizeBytes } of segment?.files ?? []) {
      const parts = [...target.files].filter(([name]) => name.startsWith(`${key}-`))
      expect(parts.reduce((sum, [, bytes]) => sum + bytes.length, 0)).toBe(sizeBytes)
    }
    for (const bytes of target.files.values()) expect(bytes.length).toBeLessThanOrEqual(64 * 1024)
  })

  it('writes nothing when nothing changed', async () => {
    for (const isWhole of [false, true]) {
      target.calls = []
      expect(await publishTo(things, target, { isWhole })).toMatchObject({ written: 0, removed: 0, records: ROWS })
      expect(target.calls).toEqual([])
    }
  })

  it('writes what changed beside what did not, and keeps for a time what no publication names, and any other file', async () => {
    target.files.set('data/other.txt', new Uint8Array(1))
    const before = new Set(target.files.keys())
    target.calls = []
    await things.write([upsert('new', ONES, { document: 'text new' })])
    expect(await publishTo(things, target)).toMatchObject({
      records: ROWS + 1,
      recordsWritten: 1,
      version: 2,
      written: 2,
      removed: 0,
    })
    const changed = [...target.files.keys()].find((name) => !before.has(name)) ?? ''
    expect(target.calls).toEqual([`write ${changed}`, `write ${PUBLISHED_FILE}`])

    target.calls = []
    await things.delete({ ids: ['new'] })
    expect(await publishTo(things, target, { nowMs: 5_000 })).toMatchObject({
      recordsWritten: 0,
      written: 1,
      removed: 0,
    })
    expect(target.calls).toEqual([`write ${PUBLISHED_FILE}`, `write ${RETIRED_FILE}`])
    expect(await publishTo(things, target, { nowMs: 3_604_999 })).toMatchObject({ written: 0, removed: 0 })
    expect(await publishTo(things, target, { nowMs: 3_605_000 })).toMatchObject({ written: 0, removed: 1 })
    expect(new Set(target.files.keys())).toEqual(before)
  })

  it('is a whole one when much changed, when it is asked for, and when the earlier one is damaged or of another kind', async () => {
    const own = new MemoryTarget()
    const notes = await collectionOf(records().slice(0, 300))
    await publishTo(notes, own)
    const isWhole = async () => (await publishTo(notes, own, { keepMs: 0 })).recordsWritten === 300
    const digests = `${published(own).digests?.key ?? ''}-0.bin`
    own.files.set(digests, new Uint8Array(3))
    expect(await isWhole()).toBe(true)
    own.files.delete(`${published(own).segments[0]?.segment.files[0]?.key ?? ''}-0.bin`)
    expect([await isWhole(), await isWhole()]).toEqual([true, false])
    const cut = own.files.get(PUBLISHED_FILE) ?? new Uint8Array(0)
    own.files.set(PUBLISHED_FILE, cut.subarray(0, cut.length - 1))
    expect([await isWhole(), await isWhole()]).toEqual([true, false])
    await notes.write(
      records()
        .slice(0, 15)
        .map(({ id }) => upsert(id, ONES, { document: 'other' })),
    )
    expect(await isWhole()).toBe(true)
    expect(await publishTo(notes, own, { isWhole: true })).toMatchObject({ recordsWritten: 300 })
    expect(published(own).segments).toHaveLength(1)
  })

  it('publishes a collection without records', async () => {
    const empty = new MemoryTarget()
    expect(await publishTo(await collectionOf([]), empty)).toMatchObject({ records: 0, files: 1 })
    expect(published(empty).segments).toEqual([])
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
