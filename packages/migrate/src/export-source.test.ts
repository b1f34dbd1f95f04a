import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Collection,
  EXPORT_FORMATS,
  exportCollection,
  type ExportOptions,
  newConfiguration,
  StoreEngine,
} from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import { openExport } from './export-source.ts'
import { type RunOptions, runMigration } from './run.ts'
import { recordOp } from './target.ts'
import { someRecords } from './testing/array-source.ts'

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

  it('is refused while it is not finished', async () => {
    const stop = async (): Promise<void> => {
      throw new Error('killed')
    }
    const notes = await collection(9_000)
    await expect(exportCollection(notes, directory, { ...small(format), onProgress: stop })).rejects.toThrow('killed')
    await expect(openExport(directory)).rejects.toMatchObject({ code: 'export-unfinished' })
  })

  it('names a part of which a byte has changed, and --skip leaves out this part alone', async () => {
    const { file } = await exportCollection(await collection(9_000), directory, small(format))
    expect(file.parts.length).toBeGreaterThan(1)
    const path = join(directory, file.parts[0]?.file ?? '')
    const bytes = await readFile(path)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1
    await writeFile(path, bytes)
    const other = await StoreEngine.open({ env: memoryEnvironment() })
    const options: RunOptions = {
      engine: other,
      place,
      mode: 'copy',
      sampleSize: 10,
      statePathOf: () => join(directory, 'state.json'),
    }
    const refused = runMigration(await openExport(directory), options)
    await expect(refused).rejects.toMatchObject({ code: 'file-unfit', message: expect.stringContaining(path) })
    const [report] = await runMigration(await openExport(directory), { ...options, skip: true })
    const lost = file.parts[0]?.records ?? 0
    expect(report).toMatchObject({
      result: 'equal-but-skipped',
      equal: false,
      copied: 9_000 - lost,
      skipped: lost,
      skippedKinds: { file: lost },
    })
    // What the part holds is not known: nothing is deleted that may be in it.
    const target = await other.catalog.getCollection(place.tenant, place.database, 'notes')
    const notes = await other.collection(place.tenant, place.database, target.id)
    await notes.write([
      recordOp('add', {
        id: 'unknown',
        vector: Float32Array.of(1, 2, 3, 4),
        document: null,
        metadata: null,
        uri: null,
      }),
    ])
    const [synced] = await runMigration(await openExport(directory), { ...options, mode: 'sync', skip: true })
    expect(synced).toMatchObject({ result: 'different', comparison: { extra: 1 } })
    expect(await notes.count()).toBe(9_001 - lost)
    await other.close()
  })
})
