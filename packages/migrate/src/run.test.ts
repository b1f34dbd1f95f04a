import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EmbedderRegistry, pathOf, StoreEngine, systemModels, unsupported } from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import { type CollectionReport, type RunOptions, runMigration } from './run.ts'
import { loadState } from './state.ts'
import { ArraySource, someRecords } from './testing/array-source.ts'
import { Target, recordOp } from './target.ts'
import type { SourceRecord } from './types.ts'

let engine: StoreEngine
let states: string

beforeEach(async () => {
  engine = await StoreEngine.open({ env: memoryEnvironment() })
  states = await mkdtemp(join(tmpdir(), 'siltstone-migrate-'))
})
afterEach(async () => {
  await engine.close()
  await rm(states, { recursive: true, force: true })
})

const place = { tenant: 'default_tenant', database: 'default_database' }
const statePath = () => join(states, 'state.json')

async function run(source: ArraySource, options: Partial<RunOptions> = {}): Promise<CollectionReport> {
  const [report] = await runMigration(source, {
    engine,
    place,
    mode: 'copy',
    sampleSize: 50,
    statePathOf: statePath,
    ...options,
  })
  if (report === undefined) throw new Error('no report')
  return report
}

/** Each collection that is asked for has the records of the source. */
function opensAnyName(source: ArraySource): void {
  const { open } = source
  source.open = async (collection = source.collection) => ({ ...(await open.call(source)), collection })
}

/** Of a migration of all collections. */
function allOptions() {
  const statePathOf = (_: string, name: string) => join(states, name)
  return { engine, place, mode: 'copy' as const, sampleSize: 5, statePathOf }
}

async function target(name = 'notes'): Promise<Target> {
  return Target.open(engine, await engine.catalog.getCollection(place.tenant, place.database, name))
}

async function contents(source: ArraySource) {
  const found = await (await target()).get(source.records.map(({ id }) => id))
  return source.records.map(({ id }) => found.get(id))
}

describe('copying', () => {
  it('copies every field, the collection’s configuration and the order', async () => {
    const source = new ArraySource(someRecords(95))
    const report = await run(source)
    expect(report).toMatchObject({
      copied: 95,
      targetRecords: 95,
      sourceRecords: 95,
      alreadyThere: 0,
      resumed: false,
      equal: true,
      comparison: { compared: 50, missing: 0, extra: 0, different: 0 },
    })
    expect(await contents(source)).toEqual(source.records)
    const { info } = await target()
    expect(info).toMatchObject({
      space: 'cosine',
      metadata: '{"topic":"silt","f":1.0}',
      configuration: { hnsw: { space: 'cosine', ef_search: 50 }, embedding_function: { type: 'legacy' } },
    })
    const collection = await engine.collection(place.tenant, place.database, info.id)
    expect((await collection.get({ include: {} })).ids).toEqual(source.records.map(({ id }) => id))
    // All is folded, and nothing is left of the state.
    expect(await collection.indexingStatus()).toMatchObject({ unindexedOps: 0 })
    expect(await readdir(states)).toEqual([])
  })

  it('counts exactly when it is stopped many times', async () => {
    const source = new ArraySource(someRecords(95))
    for (const stopAt of [0, 10, 50, 90]) {
      source.beforePage = (offset) => {
        if (offset >= stopAt) throw new Error('killed')
      }
      await expect(run(source)).rejects.toThrow('killed')
    }
    source.beforePage = () => {}
    source.pagesRead = 0
    expect(await run(source)).toMatchObject({
      copied: 95,
      targetRecords: 95,
      resumed: true,
      alreadyThere: 0,
      equal: true,
    })
    expect(source.pagesRead).toBe(1)
    expect(await contents(source)).toEqual(source.records)
  })

  it('repeats a page whose progress was not saved, and counts it once', async () => {
    const source = new ArraySource(someRecords(30))
    source.beforePage = (offset) => {
      if (offset === 10) throw new Error('killed')
    }
    await expect(run(source)).rejects.toThrow('killed')
    source.beforePage = () => {}
    await (await target()).write(source.records.slice(10, 20).map((record) => recordOp('add', record)))
    expect(await run(source)).toMatchObject({ copied: 30, targetRecords: 30, equal: true })
  })

  it('recognises its own collection when it was killed after creating it', async () => {
    const source = new ArraySource(someRecords(5))
    const { createCollection } = engine.catalog
    engine.catalog.createCollection = async (request) => {
      await createCollection.call(engine.catalog, request)
      throw new Error('killed')
    }
    await expect(run(source)).rejects.toThrow('killed')
    engine.catalog.createCollection = createCollection
    expect(await run(source)).toMatchObject({ copied: 5, equal: true })
  })

  it('does not write to an existing collection without being told to', async () => {
    await run(new ArraySource(someRecords(5)))
    const source = new ArraySource(someRecords(8))
    await expect(run(source)).rejects.toMatchObject({ kind: 'conflict', code: 'collection-exists' })
    expect(await run(source, { into: 'other' })).toMatchObject({ target: 'other', copied: 8, equal: true })
    const merged = await run(source, { intoExisting: true })
    expect(merged).toMatchObject({ copied: 8, alreadyThere: 5, targetRecords: 8 })
  })

  it('keeps newer records of the target', async () => {
    const source = new ArraySource(someRecords(20))
    source.isLive = true
    source.beforePage = (offset) => {
      if (offset === 10) throw new Error('killed')
    }
    await expect(run(source)).rejects.toThrow('killed')
    source.beforePage = () => {}
    // A program that writes to both sides.
    const newer = { ...someRecords(20)[15], document: 'newer' } as (typeof source.records)[number]
    await (await target()).write([recordOp('upsert', newer)])
    source.records[15] = newer
    expect(await run(source)).toMatchObject({ targetRecords: 20, equal: true })
    expect(await (await target()).get(['r15'])).toEqual(new Map([['r15', newer]]))
  })

  it('finds records that the pages of a live source missed', async () => {
    const source = new ArraySource(someRecords(60))
    source.isLive = true
    source.beforePage = (offset) => {
      if (offset === 30) source.records = source.records.filter((_, i) => i < 5 || i >= 15)
    }
    const report = await run(source, { sampleSize: 1_000 })
    // What was deleted there after it was copied is still here: that is for --sync.
    expect(report).toMatchObject({ sourceRecords: 50, targetRecords: 60, equal: false, comparison: { extra: 10 } })
    expect(await contents(source)).toEqual(source.records)
    // The pages shift again during the comparison: records that they miss are not extra.
    source.beforePage = (offset) => {
      if (offset === 30) source.records = source.records.slice(5)
    }
    expect(await run(source, { mode: 'sync' })).toMatchObject({ targetRecords: 50, equal: true })
    expect(await run(source, { mode: 'sync' })).toMatchObject({ comparison: { extra: 5 }, targetRecords: 45 })
    expect(await contents(source)).toEqual(source.records)
  })

  it('refuses to continue when a directory has changed', async () => {
    const source = new ArraySource(someRecords(30))
    source.beforePage = (offset) => {
      if (offset === 20) throw new Error('killed')
    }
    await expect(run(source)).rejects.toThrow('killed')
    expect(await loadState(statePath())).toMatchObject({ records: 20, phase: 'copying' })
    source.records.pop()
    source.beforePage = () => {}
    await expect(run(source)).rejects.toMatchObject({ code: 'source-changed' })
    expect(await run(source, { restart: true, intoExisting: true })).toMatchObject({ targetRecords: 29 })
  })

  it('skips records that cannot be migrated only when told to', async () => {
    const source = new ArraySource(someRecords(30))
    source.unfit.add('r12')
    await expect(run(source)).rejects.toMatchObject({ code: 'record-unfit', message: expect.stringContaining('"r12"') })
    expect(await run(source, { skip: true })).toMatchObject({
      copied: 29,
      skipped: 1,
      skippedKinds: { record: 1 },
      skippedExamples: [{ id: 'r12', reason: 'it is unfit' }],
      targetRecords: 29,
      result: 'equal-but-skipped',
      equal: false,
    })
    // Asked again, it says the same; and so does a comparison, with and without the option.
    expect(await run(source)).toMatchObject({ skipped: 1, result: 'equal-but-skipped', equal: false })
    for (const mode of ['compare', 'sync'] as const)
      expect(await run(source, { mode })).toMatchObject({
        skippedKinds: { record: 1 },
        result: 'equal-but-skipped',
        equal: false,
        comparison: { compared: 29, extra: 0, missing: 0 },
      })
  })

  it('leaves out a record that is beyond a bound of the store, or raises the bound', async () => {
    const records = someRecords(5)
    const source = new ArraySource(records.map((one, i) => (i === 2 ? { ...one, document: 'x'.repeat(1_001) } : one)))
    const recordLimits = { maxDocumentBytes: 1_000 }
    await expect(run(source, { recordLimits })).rejects.toThrow(/1001 bytes.*--limit maxDocumentBytes=.*--skip/)
    const report = await run(source, { recordLimits, skip: true, restart: true, intoExisting: true })
    expect(report).toMatchObject({ result: 'equal-but-skipped', copied: 4, skippedKinds: { 'too-large': 1 } })
    expect(await run(source, { restart: true, into: 'whole' })).toMatchObject({ result: 'equal', copied: 5 })
  })

  it('renames keys that are not allowed only when told to', async () => {
    const source = new ArraySource(someRecords(4))
    const [first, second] = source.records as [SourceRecord, SourceRecord]
    first.metadata = '{"#text":"a","_text":1,"":2,"$ref":3,"$#x":4.0}'
    source.records[2] = { ...second, id: 'r2', metadata: '{"_":true,"":false}' }
    source.collection.metadata = '{"#topic":"x","n":1}'
    await expect(run(source)).rejects.toMatchObject({ code: 'collection-unfit', message: /"#topic".*--rename-keys/ })
    expect(await run(source, { skip: true })).toMatchObject({
      copied: 2,
      skippedKinds: { 'metadata-key': 2, 'collection-metadata': 1 },
    })
    // The same state goes on: what was skipped is added.
    const report = await run(source, { renameKeys: true })
    expect(report).toMatchObject({ copied: 4, targetRecords: 4, skipped: 0, result: 'equal' })
    const found = await (await target()).get(['r0', 'r2'])
    expect(found.get('r0')?.metadata).toBe('{"_text_":"a","_text":1,"_":2,"_ref":3,"__x":4.0}')
    expect(found.get('r2')?.metadata).toBe('{"_":true,"__":false}')
    expect(await run(source, { mode: 'compare', renameKeys: true })).toMatchObject({ result: 'equal' })
  })

  describe('embedding what has no vector', () => {
    const registry = new EmbedderRegistry({ ...memoryEnvironment(), models: systemModels, variables: {} })
    const withoutVectors = (count: number) => {
      const source = new ArraySource(someRecords(10))
      source.collection.embeddingFunction = null
      source.records = source.records.map((record, i) =>
        i < count ? { ...record, vector: null, vectorProblem: 'the file is cut off' } : record,
      )
      return source
    }

    it('embeds documents and leaves out records without one', async () => {
      const source = withoutVectors(10)
      source.hasVectors = false
      await expect(run(source)).rejects.toMatchObject({ message: /"r0".*the file is cut off.*--embed-missing/ })
      // r0, r3, r6 and r9 have no document.
      await expect(run(source, { embedMissing: registry })).rejects.toMatchObject({ code: 'record-unfit' })
      const report = await run(source, { embedMissing: registry, skip: true })
      expect(report).toMatchObject({
        copied: 6,
        embedded: 6,
        skippedKinds: { 'no-vector': 4 },
        result: 'equal-but-skipped',
      })
      const [vector] = await registry.default.embed(['text 1'])
      expect((await (await target()).get(['r1'])).get('r1')?.vector).toEqual(vector)
      const compared = await run(source, { mode: 'compare', embedMissing: registry })
      expect(compared).toMatchObject({ embedded: 6, comparison: { compared: 6, different: 0, missing: 0 } })
    })

    it('does not mix dimensions', async () => {
      const source = withoutVectors(2)
      await expect(run(source, { embedMissing: registry })).rejects.toMatchObject({ code: 'record-unfit' })
      source.records.shift()
      const again = { embedMissing: registry, restart: true, intoExisting: true }
      await expect(run(source, again)).rejects.toMatchObject({ code: 'embedder-dimension' })
      expect(await run(source, { ...again, skip: true })).toMatchObject({
        copied: 8,
        embedded: 0,
        skippedKinds: { 'no-vector': 1 },
      })
    })
  })

  it('does not let the fault of one collection stop another', async () => {
    const source = new ArraySource(someRecords(3))
    const broken = { ...source.collection, name: 'broken', targetName: 'broken' }
    const problem = unsupported('space', 'the collection broken has an unknown space')
    const odd = { ...source.collection, name: 'odd', targetName: 'odd', space: 'l2' as const }
    const fault = { id: 'threshold', kind: 'collection-metadata' as const, reason: 'it is infinite', records: 0 }
    source.collections = async () => [{ ...broken, problem }, { ...odd, faults: [fault] }, source.collection]
    opensAnyName(source)
    const all = allOptions()
    expect(await runMigration(source, all)).toMatchObject([
      { collection: 'broken', result: 'failed', error: { code: 'space' } },
      { collection: 'odd', result: 'failed', error: { code: 'collection-unfit', message: /"threshold".*odd/ } },
      { collection: 'notes', result: 'equal', copied: 3 },
    ])
    expect(await runMigration(source, { ...all, skip: true, intoExisting: true })).toMatchObject([
      { collection: 'broken', result: 'failed', error: { code: 'space' } },
      {
        collection: 'odd',
        result: 'equal-but-skipped',
        copied: 3,
        skipped: 0,
        skippedKinds: { 'collection-metadata': 1 },
      },
      { collection: 'notes' },
    ])
    await expect(runMigration(source, { ...all, collections: ['broken'] })).rejects.toMatchObject({ code: 'space' })
    expect(await runMigration(source, { ...all, collections: ['notes'], into: 'only' })).toMatchObject([
      { result: 'equal' },
    ])
  })

  it('does not let two collections that would get one name stop others', async () => {
    const source = new ArraySource(someRecords(2))
    const named = (name: string, targetName: string) => ({ ...source.collection, name, targetName })
    source.collections = async () => [
      named('a b', 'a-b'),
      named('a-b', 'a-b'),
      named('ccc', 'ccc'),
      named('d d', 'd-d'),
      named('d.d', 'd-d'),
    ]
    opensAnyName(source)
    const all = allOptions()
    expect(await runMigration(source, all)).toMatchObject([
      { collection: 'a b', result: 'failed', error: { code: 'same-name' } },
      { collection: 'a-b', target: 'a-b', result: 'equal' },
      { collection: 'ccc', result: 'equal' },
      { collection: 'd d', target: 'd-d', result: 'equal' },
      { collection: 'd.d', result: 'failed', error: { code: 'same-name' } },
    ])
    expect(await runMigration(source, { ...all, collections: ['a b'], into: 'other' })).toMatchObject([
      { result: 'equal' },
    ])
  })

  it('names a missing collection', async () => {
    const source = new ArraySource(someRecords(1))
    await expect(run(source, { collections: ['letters'] })).rejects.toThrow(/no collection letters; it has notes/)
    await expect(run(source, { mode: 'compare' })).rejects.toMatchObject({ code: 'collection-missing' })
  })
})

describe('comparing', () => {
  it('finds missing, extra and different records, and sync repairs them', async () => {
    const source = new ArraySource(someRecords(40))
    await run(source)
    const here = await target()
    const change = (id: string, fields: object) =>
      recordOp('upsert', {
        ...(source.records.find((record) => record.id === id) as never as object),
        ...fields,
      } as never)
    await here.write([
      change('r1', { document: 'changed' }),
      change('r2', { metadata: '{"i":2.0}' }),
      change('r3', { vector: Float32Array.of(9, 9, 9, 9), uri: 'x:y' }),
      { op: 'delete', id: 'r4', vector: null, document: null, metadata: null, uri: null },
      recordOp('add', { ...(source.records[0] as (typeof source.records)[number]), id: 'extra' }),
    ])
    const compared = await run(source, { mode: 'compare' })
    expect(compared).toMatchObject({
      equal: false,
      comparison: { compared: 40, missing: 1, extra: 1, different: 3 },
    })
    expect(compared.comparison.examples).toEqual([
      { id: 'r1', what: ['document'] },
      { id: 'r2', what: ['metadata'] },
      { id: 'r3', what: ['vector', 'uri'] },
      { id: 'r4', what: 'missing' },
      { id: 'extra', what: 'extra' },
    ])
    await run(source, { mode: 'sync' })
    expect(await run(source, { mode: 'compare' })).toMatchObject({ equal: true, targetRecords: 40 })
    expect(await contents(source)).toEqual(source.records)
    expect(await engine.compact(pathOf(here.info))).toMatchObject({ entriesFolded: 0 })
  })
})
