import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { StoreEngine } from '../engine/engine.ts'
import { parseWhere } from '../filter/index.ts'
import type { Collection } from '../model/store.ts'
import { exportCollection, type ExportOptions } from './export-collection.ts'
import { EXPORT_FORMATS, readExportFile } from './export-file.ts'
import { decodePart, encodePart, type ExportedRecord } from './part-formats.ts'

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
    space: 'cosine',
    metadata: null,
    schema: null,
    configuration: {},
  })
  const made = await engine.collection(place.tenant, place.database, info.id)
  await made.write(someRecords(count).map((record) => ({ op: 'add', ...record })))
  return made
}

const small = (format: 'jsonl' | 'arrow'): ExportOptions => ({ format, partBytes: 10_000 })

function someRecords(count: number): ExportedRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `r${i}`,
    vector: Float32Array.of(i + 1, 1, -i, 0.5),
    document: i % 3 === 0 ? null : `text ${i}`,
    metadata: i % 4 === 0 ? null : `{"i":${i},"f":${i}.0,"big":9007199254740993}`,
    uri: i % 5 === 0 ? `file:///${i}` : null,
  }))
}

describe.each(EXPORT_FORMATS)('an export as %s', (format) => {
  it('resumes where it was stopped, in the state that it began with', async () => {
    const notes = await collection(17_000)
    let stopAfter = 2
    const stop = async (): Promise<void> => {
      if (--stopAfter === 0) throw new Error('killed')
    }
    await expect(exportCollection(notes, directory, { ...small(format), onProgress: stop })).rejects.toThrow('killed')
    const noted = await readExportFile(directory)
    expect(noted).toMatchObject({ complete: false })
    expect(noted?.parts).toHaveLength(2)
    await notes.write(someRecords(1).map((record) => ({ op: 'upsert', ...record, id: 'later' })))
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

  it('can hold the records that a filter selects, or none', async () => {
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

  it('keeps every float, text and integer', () => {
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
