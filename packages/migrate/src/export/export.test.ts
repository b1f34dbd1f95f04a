import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Collection, newConfiguration, parseWhere, StoreEngine } from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import { runMigration } from '../run.ts'
import { recordOp } from '../target.ts'
import { someRecords } from '../testing/array-source.ts'
import { exportCollection, type ExportOptions } from './export.ts'
import { EXPORT_FORMATS, readExportFile } from './export-file.ts'
import { openExport } from './export-source.ts'
import { decodePart, encodePart } from './part-formats.ts'

const place = { tenant: 'default_tenant', database: 'default_database' }
let engine: StoreEngine
let directory: string

beforeEach(async () => {
  engine = await StoreEngine.open({ env: memoryEnvironment() })
  directory = await mkdtemp(join(tmpdir(), 'siltstone-export-'))
})
afterEach(async () => {
  await engine.close()
  await rm(directory, { recursive: true, force: true })
})

async function collection(count: number): Promise<Collection> {
  const { info } = await engine.catalog.createCollection({
    ...place,
    name: 'notes',
    getOrCreate: false,
    metadata: '{"f":2.0,"n":9007199254740993}',
    schema: null,
    ...newConfiguration({ configuration: { hnsw: { space: 'cosine', ef_search: 33 } } }),
  })
  const made = await engine.collection(place.tenant, place.database, info.id)
  await made.write(someRecords(count).map((record) => recordOp('add', record)))
  return made
}

const small = (format: 'jsonl' | 'arrow'): ExportOptions => ({ format, partBytes: 10_000 })

describe.each(EXPORT_FORMATS)('an export as %s', (format) => {
  it('comes back whole, with the collection’s configuration', async () => {
    const notes = await collection(17_000)
    const { file } = await exportCollection(notes, directory, small(format))
    expect(file).toMatchObject({ complete: true, records: 17_000, version: 1, pageToken: null })
    expect(file.parts.length).toBeGreaterThan(2)
    const other = await StoreEngine.open({ env: memoryEnvironment() })
    const [report] = await runMigration(await openExport(directory), {
      engine: other,
      place,
      mode: 'copy',
      sampleSize: 100,
      statePathOf: () => join(directory, 'state.json'),
    })
    expect(report).toMatchObject({ copied: 17_000, equal: true, comparison: { compared: 100 } })
    const info = await other.catalog.getCollection(place.tenant, place.database, 'notes')
    expect(info).toMatchObject({
      space: 'cosine',
      metadata: '{"f":2.0,"n":9007199254740993}',
      configuration: { hnsw: { ef_search: 33 } },
    })
    const again = await other.collection(place.tenant, place.database, info.id)
    const ids = ['r0', 'r1', 'r16999']
    const include = { embeddings: true, documents: true, metadatas: true, uris: true }
    const { version: _, ...original } = await notes.get({ ids, include })
    expect(await again.get({ ids, include })).toMatchObject(original)
    await other.close()
  })

  it('goes on where it was stopped, in the state it began with', async () => {
    const notes = await collection(17_000)
    let stopAfter = 2
    const stop = async (): Promise<void> => {
      if (--stopAfter === 0) throw new Error('killed')
    }
    await expect(exportCollection(notes, directory, { ...small(format), onProgress: stop })).rejects.toThrow('killed')
    const noted = await readExportFile(directory)
    expect(noted).toMatchObject({ complete: false })
    expect(noted?.parts).toHaveLength(2)
    await expect(openExport(directory)).rejects.toMatchObject({ code: 'export-unfinished' })
    await notes.write([recordOp('upsert', { ...someRecords(1)[0], id: 'later' } as never)])
    await notes.delete({ ids: ['r16500'] })
    const { file, resumed } = await exportCollection(notes, directory, small(format))
    expect([resumed, file.records, file.complete]).toEqual([true, 17_000, true])
    const records = await Promise.all(
      file.parts.map(async ({ file: name }) => decodePart(format, await readFile(join(directory, name)), name)),
    )
    expect(records.flat().map(({ id }) => id)).toEqual(someRecords(17_000).map(({ id }) => id))
    await expect(exportCollection(notes, directory, small(format))).rejects.toMatchObject({ code: 'export-exists' })
    expect((await exportCollection(notes, directory, { ...small(format), restart: true })).file.records).toBe(17_000)
  })

  it('can be of some records, or of none', async () => {
    const notes = await collection(100)
    const where = '{"i":{"$gt":90}}'
    const filter = parseWhere(JSON.parse(where), 'plain')
    const { file } = await exportCollection(notes, directory, { format, ...(filter && { filter }), where })
    expect([file.records, file.where]).toEqual([7, where])
    await expect(exportCollection(notes, directory, { format, restart: false })).rejects.toMatchObject({
      kind: 'conflict',
    })
    await notes.delete({ ids: someRecords(100).map(({ id }) => id) })
    const empty = await exportCollection(notes, directory, { format, restart: true })
    expect(empty.file).toMatchObject({ records: 0, parts: [], complete: true })
  })

  it('is not taken when a byte of it changed', async () => {
    const { file } = await exportCollection(await collection(10), directory, small(format))
    const path = join(directory, file.parts[0]?.file ?? '')
    const bytes = await readFile(path)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1
    await writeFile(path, bytes)
    const source = await openExport(directory)
    const [one] = await source.collections()
    let given = 0
    const read = async () => {
      for await (const page of (await source.open(one as never)).pages(null)) given += page.records.length
    }
    await expect(read()).rejects.toMatchObject({ kind: 'corrupt', code: 'export-part' })
    expect(given).toBe(0)
  })

  it('gives back every float, text and integer', () => {
    const text = fc.option(fc.string({ unit: 'grapheme' }), { nil: null })
    const record = fc.record({
      id: fc.string({ unit: 'grapheme', minLength: 1 }),
      vector: fc.float32Array({ minLength: 3, maxLength: 3, noNaN: true, noDefaultInfinity: true }),
      document: text,
      metadata: fc.option(
        fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((n) => `{"n":${n},"f":1.0}`),
        { nil: null },
      ),
      uri: text,
    })
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), (records) => {
        expect(decodePart(format, encodePart(format, records), 'part')).toEqual(records)
      }),
    )
  })
})

it('an Arrow part is a table to any Arrow library', async () => {
  const { file } = await exportCollection(await collection(10), directory, { format: 'arrow' })
  const table = tableFromIPC(await readFile(join(directory, file.parts[0]?.file ?? '')))
  expect(table.numRows).toBe(10)
  expect(table.schema.fields.map(({ name }) => name).sort()).toEqual([
    'document',
    'id',
    'metadata',
    'op',
    'uri',
    'vector',
  ])
  expect(table.get(3)?.toJSON()).toMatchObject({ id: 'r3', op: 'upsert' })
})
