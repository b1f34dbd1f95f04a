/** Faults of real directories: each stops only what it concerns, and says what that is. */
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EmbedderRegistry, StoreEngine, systemModels } from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import { type CollectionReport, type RunOptions, runMigration } from '../run.ts'
import { differingFields } from '../same-record.ts'
import { Target } from '../target.ts'
import { GOLDEN_VERSIONS, type GoldenCollection, unpackGolden } from '../testing/golden-chroma.ts'
import { openChromaDirectory } from './directory-source.ts'

const place = { tenant: 'default_tenant', database: 'default_database' }
const NAMES = ['golden-cosine', 'golden-empty', 'golden-ip', 'golden-l2']
const OTHERS = NAMES.filter((name) => name !== 'golden-l2')
const registry = new EmbedderRegistry({ ...memoryEnvironment(), models: systemModels, variables: {} })
let directory: string
let expected: Map<string, GoldenCollection>

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-chroma-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const chroma = () => join(directory, 'chroma')

async function unpack(version = '1.5.9'): Promise<void> {
  expected = await unpackGolden(version, chroma())
}

function change(sql: string, ...parameters: SQLInputValue[]): void {
  const database = new DatabaseSync(join(chroma(), 'chroma.sqlite3'))
  database.prepare(`PRAGMA foreign_keys = OFF`).run()
  database.prepare(sql).run(...parameters)
  database.close()
}

const L2 = `(SELECT id FROM collections WHERE name = 'golden-l2')`
const segment = (scope: string) => `(SELECT id FROM segments WHERE collection = ${L2} AND scope = '${scope}')`
const rowOf = (id: string) =>
  `(SELECT id FROM embeddings WHERE embedding_id = '${id}' AND segment_id = ${segment('METADATA')})`

/** As versions since 0.5 do with entries that all segments have applied. */
function purge(): void {
  change(
    `DELETE FROM embeddings_queue WHERE seq_id < (SELECT min(seq_id) + 10 FROM embeddings_queue WHERE substr(topic, -36) = ${L2})
     AND substr(topic, -36) = ${L2}`,
  )
}

async function vectorFile(name: string): Promise<string> {
  const database = new DatabaseSync(join(chroma(), 'chroma.sqlite3'))
  const { id } = database.prepare(`SELECT ${segment('VECTOR')} AS id`).get() as { id: string }
  database.close()
  return join(chroma(), id, name)
}

interface Ran {
  reports: Map<string, CollectionReport>
  engine: StoreEngine
}

const engines: StoreEngine[] = []
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close()
})

/** A migration into a new store. */
async function migrate(options: Partial<RunOptions> & { space?: 'l2' } = {}): Promise<Ran> {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  engines.push(engine)
  const states = await mkdtemp(join(directory, 'states-'))
  const source = await openChromaDirectory(chroma(), options.space === undefined ? {} : { space: options.space })
  try {
    const made = await runMigration(source, {
      engine,
      place,
      mode: 'copy',
      sampleSize: 1_000,
      statePathOf: (_, name) => join(states, name),
      ...options,
    })
    return { engine, reports: new Map(made.map((report) => [report.collection, report])) }
  } finally {
    await source.close()
  }
}

const countOf = (name = 'golden-l2') => expected.get(name)?.records.length ?? 0

/** The other collections are migrated with it, alone, and when it is skipped. @returns what became of golden-l2 */
async function expectOnlyL2(message: RegExp): Promise<CollectionReport> {
  const { reports } = await migrate()
  for (const name of OTHERS) expect(reports.get(name)).toMatchObject({ result: 'equal', copied: countOf(name) })
  expect(reports.get('golden-l2')).toMatchObject({
    result: 'failed',
    equal: false,
    error: { message: expect.stringMatching(/golden-l2/) },
  })
  expect(reports.get('golden-l2')?.error?.message).toMatch(message)
  const alone = await migrate({ collections: ['golden-ip'] })
  expect(alone.reports.get('golden-ip')).toMatchObject({ result: 'equal' })
  await expect(migrate({ collections: ['golden-l2'] })).rejects.toThrow(message)
  const { reports: skipped } = await migrate({ skip: true })
  for (const name of OTHERS) expect(skipped.get(name)).toMatchObject({ result: 'equal' })
  const report = skipped.get('golden-l2') as CollectionReport
  expect(report.equal).toBe(false)
  expect(['equal-but-skipped', 'failed']).toContain(report.result)
  return report
}

describe.each(GOLDEN_VERSIONS)('Chroma %s', (version) => {
  const isUnpurged = version.startsWith('0.4')
  beforeEach(() => unpack(version))

  it('is migrated, equal', async () => {
    const { reports } = await migrate()
    expect([...reports.keys()]).toEqual(NAMES)
    for (const [name, report] of reports) expect(report).toMatchObject({ result: 'equal', copied: countOf(name) })
  })

  it.each([
    ['beyond the queue', 1229822654365841720n],
    ['the largest integer', 9223372036854775807n],
    ['negative', -7n],
    ['bytes', Buffer.from([1, 2, 3])],
    ['8 bytes', Buffer.alloc(8, 0x7f)],
    ['text', 'seventeen'],
    ['a fraction', 1.5],
  ] as const)('replays the queue when a bookmark is impossible: %s', async (_, value) => {
    change('DELETE FROM max_seq_id')
    // Text needs a table without a type for its column.
    change('DROP TABLE max_seq_id')
    change('CREATE TABLE max_seq_id (segment_id TEXT, seq_id)')
    change(`INSERT INTO max_seq_id SELECT id, ? FROM segments`, value as SQLInputValue)
    const { reports } = await migrate()
    for (const [name, report] of reports) {
      expect(report).toMatchObject({ result: 'equal', copied: countOf(name) })
      expect(report.notes.join()).toMatch(/the whole queue was replayed/)
    }
  })

  it('reads a bookmark of Chroma 1.5 that is bytes with decimal digits', async () => {
    change(`UPDATE max_seq_id SET seq_id = CAST(x'1111' || printf('%06d', 1) AS BLOB)`)
    const { reports } = await migrate()
    for (const [name, report] of reports)
      expect(report).toMatchObject({ result: 'equal', copied: countOf(name), notes: [] })
  })

  it('leaves out a record with an infinite value', async () => {
    change(`INSERT INTO embedding_metadata (id, key, float_value) VALUES (${rowOf('r7')}, 'score', -9e999)`)
    const report = await expectOnlyL2(/"r7".*"score".*-Infinity/)
    expect(report).toMatchObject({ skippedKinds: { 'metadata-value': 1 }, copied: countOf() - 1 })
  })

  it('leaves out a key of the collection with an infinite value', async () => {
    change(`INSERT INTO collection_metadata (collection_id, key, float_value) VALUES (${L2}, 'threshold', 9e999)`)
    const report = await expectOnlyL2(/"threshold".*Infinity/)
    expect(report).toMatchObject({ skippedKinds: { 'collection-metadata': 1 }, skipped: 0, copied: countOf() })
  })

  it.each(['#text', '$ref', ''])('skips or renames the key %j', async (key) => {
    change(`INSERT INTO embedding_metadata (id, key, string_value) VALUES (${rowOf('r7')}, ?, 'x')`, key)
    const report = await expectOnlyL2(/"r7".*--rename-keys/)
    expect(report).toMatchObject({ skippedKinds: { 'metadata-key': 1 } })
    const { reports } = await migrate({ renameKeys: true })
    expect(reports.get('golden-l2')).toMatchObject({ result: 'equal', copied: countOf() })
  })

  it('leaves out a record with metadata of an unknown type', async () => {
    change(`INSERT INTO embedding_metadata (id, key, int_value) VALUES (${rowOf('r7')}, 'blob', x'0102')`)
    expect(await expectOnlyL2(/"r7".*"blob".*unknown type/)).toMatchObject({ skippedKinds: { 'metadata-value': 1 } })
    change(`DELETE FROM embedding_metadata WHERE key = 'blob'`)
    change(`ALTER TABLE embedding_metadata ADD COLUMN json_value TEXT`)
    change(`INSERT INTO embedding_metadata (id, key, json_value) VALUES (${rowOf('r8')}, 'new', '{}')`)
    expect(await expectOnlyL2(/"r8".*"new".*json_value/)).toMatchObject({ skippedKinds: { 'metadata-value': 1 } })
  })

  it.each([
    ['index_metadata.pickle', 40],
    ['index_metadata.pickle', 0],
    ['header.bin', 50],
    ['data_level0.bin', 700],
  ])('leaves out or embeds what a cut %s holds', async (name, sizeBytes) => {
    const file = await vectorFile(name)
    await truncate(file, sizeBytes)
    if (isUnpurged) {
      // The queue has every vector.
      const { reports } = await migrate({ collections: ['golden-l2'] })
      expect(reports.get('golden-l2')).toMatchObject({ result: 'equal', copied: countOf() })
      purge()
    }
    const report = await expectOnlyL2(/cannot be read.*--embed-missing/)
    const lost = report.skippedKinds['no-vector'] ?? 0
    expect(lost).toBeGreaterThan(0)
    expect(report.copied).toBe(countOf() - lost)
    expect(report.copied).toBeGreaterThan(0)
    // The queue has vectors of 4 dimensions: an embedder of 256 does not fit.
    const refused = migrate({ embedMissing: registry, collections: ['golden-l2'] })
    await expect(refused).rejects.toMatchObject({ code: expect.stringMatching(/embedder-dimension|record-unfit/) })
    change('DELETE FROM embeddings_queue')
    if (name === 'data_level0.bin') await truncate(file, 0)
    const { reports } = await migrate({ embedMissing: registry, skip: true, collections: ['golden-l2'] })
    const withText = expected.get('golden-l2')?.records.filter(({ document }) => document !== null).length ?? 0
    expect(reports.get('golden-l2')).toMatchObject({ copied: withText, embedded: withText, equal: false })
  })

  it.each([
    ['length.bin', /length\.bin says that its vector has the length 0/],
    ['data_level0.bin', /data_level0\.bin holds a vector of the length 0/],
  ])('does not take zeros in %s for vectors', async (name, reason) => {
    const database = new DatabaseSync(join(chroma(), 'chroma.sqlite3'))
    const sql = `SELECT s.id FROM segments s JOIN collections c ON c.id = s.collection WHERE c.name = 'golden-cosine' AND scope = 'VECTOR'`
    const { id } = database.prepare(sql).get() as { id: string }
    database.close()
    const file = join(chroma(), id, name)
    const bytes = await readFile(file)
    const header = await readFile(join(chroma(), id, 'header.bin'))
    const [elementBytes, label, vector] = [28, 36, 44].map((at) => Number(header.readBigUInt64LE(at))) as [
      number,
      number,
      number,
    ]
    if (name === 'length.bin') bytes.fill(0)
    else for (let at = 0; at < bytes.length; at += elementBytes) bytes.fill(0, at + vector, at + label)
    await writeFile(file, bytes)
    const { reports } = await migrate({ skip: true })
    const report = reports.get('golden-cosine') as CollectionReport
    expect(report).toMatchObject({ result: 'equal-but-skipped', skippedKinds: { 'no-vector': report.skipped } })
    expect(report.skippedExamples[0]?.reason).toMatch(reason)
    for (const other of NAMES.filter((one) => one !== 'golden-cosine')) expect(reports.get(other)?.result).toBe('equal')
  })

  it('leaves out the records of a missing segment directory', async () => {
    const path = join(await vectorFile('.'))
    if (isUnpurged) purge()
    await rm(path, { recursive: true })
    const report = await expectOnlyL2(/the directory of the HNSW files, is missing/)
    expect(report.skippedKinds['no-vector']).toBeGreaterThan(0)
  })

  it('reads what is in the queue of a collection with an unknown vector segment', async () => {
    if (isUnpurged) purge()
    change(`UPDATE segments SET type = 'urn:chroma:segment/vector/new' WHERE id = ${segment('VECTOR')}`)
    const report = await expectOnlyL2(/segment\/vector\/new/)
    expect(report.copied).toBeGreaterThan(0)
    change(`DELETE FROM segments WHERE id = ${segment('VECTOR')}`)
    await expectOnlyL2(/names no vector segment/)
  })

  it('cannot read an unknown or missing metadata segment', async () => {
    change(`UPDATE segments SET type = 'urn:chroma:segment/metadata/new' WHERE id = ${segment('METADATA')}`)
    expect(await expectOnlyL2(/segment\/metadata\/new/)).toMatchObject({ result: 'failed' })
    change(`DELETE FROM segments WHERE id = ${segment('METADATA')}`)
    expect(await expectOnlyL2(/no metadata segment/)).toMatchObject({ result: 'failed' })
  })

  it('leaves out a record whose queue entry cannot be read', async () => {
    change(`DROP TABLE max_seq_id`)
    change(`UPDATE embeddings_queue SET metadata = '{"x":Infinity}' WHERE id = 'late1' AND substr(topic, -36) = ${L2}`)
    change(`UPDATE embeddings_queue SET operation = 9 WHERE id = 'late3' AND substr(topic, -36) = ${L2}`)
    change(`UPDATE embeddings_queue SET encoding = 'F16' WHERE id = 'late4' AND substr(topic, -36) = ${L2}`)
    const report = await expectOnlyL2(/"late\d"/)
    // Some versions have purged one of the three entries.
    expect(report.skipped).toBeGreaterThanOrEqual(2)
    expect(report).toMatchObject({ skippedKinds: { 'no-vector': 1 }, copied: countOf() - report.skipped })
  })
})

describe('a damaged configuration', () => {
  beforeEach(() => unpack())

  it.each(['{"hnsw":', '[]', 'null and void'])('that is %j is left out when the distance is known', async (text) => {
    change(`UPDATE collections SET config_json_str = ?, schema_str = NULL WHERE name = 'golden-l2'`, text)
    const report = await expectOnlyL2(/the configuration of the collection golden-l2/)
    expect(report).toMatchObject({ skippedKinds: { configuration: 1 }, copied: countOf() })
  })

  it('needs the distance when nothing else says it', async () => {
    change(`UPDATE collections SET config_json_str = '{', schema_str = NULL WHERE name = 'golden-l2'`)
    change(`DELETE FROM collection_metadata WHERE key = 'hnsw:space'`)
    expect(await expectOnlyL2(/--space/)).toMatchObject({ result: 'failed' })
    const { reports } = await migrate({ skip: true, space: 'l2' })
    expect(reports.get('golden-l2')).toMatchObject({ result: 'equal-but-skipped', copied: countOf() })
  })

  it('with an unknown distance needs a known one', async () => {
    change(
      `UPDATE collections SET config_json_str = '{"hnsw":{"space":"manhattan"}}', schema_str = '{' WHERE name = 'golden-l2'`,
    )
    expect(await expectOnlyL2(/"manhattan"/)).toMatchObject({ result: 'failed' })
  })
})

it('reads a database in which tables of later versions are missing', async () => {
  await unpack('0.4.14')
  for (const table of ['max_seq_id', 'collection_metadata']) change(`DROP TABLE ${table}`)
  const { reports } = await migrate({ collections: ['golden-l2'] })
  expect(reports.get('golden-l2')).toMatchObject({ result: 'equal', copied: countOf() })
  change('DROP TABLE embeddings')
  await expect(migrate()).rejects.toMatchObject({ code: 'chroma-schema' })
})

describe('a damaged database', () => {
  const file = () => join(chroma(), 'chroma.sqlite3')
  const readable = (engine: StoreEngine, name: string) =>
    engine.catalog.getCollection(place.tenant, place.database, name)

  /** Without --skip each collection says what is damaged. With it, what is copied is right, and never called equal. */
  async function expectIncomplete(): Promise<number> {
    const { reports } = await migrate()
    for (const report of reports.values())
      expect(report).toMatchObject({
        result: 'failed',
        error: { message: expect.stringMatching(/damaged|Cannot read/) },
      })
    const { reports: skipped, engine } = await migrate({ skip: true })
    let copied = 0
    for (const [name, report] of skipped) {
      expect(report.equal).toBe(false)
      copied += report.copied
      if (report.result === 'failed') continue
      expect(report).toMatchObject({ result: 'equal-but-skipped', skippedKinds: { file: 1 } })
      const target = await Target.open(engine, await readable(engine, name))
      const records = expected.get(name)?.records ?? []
      const present = await target.get(records.map(({ id }) => id))
      expect(present.size).toBe(report.targetRecords)
      for (const record of records) {
        const found = present.get(record.id)
        if (found !== undefined) expect(differingFields(record, found)).toEqual([])
      }
    }
    return copied
  }

  it.each(GOLDEN_VERSIONS)('of Chroma %s that was cut anywhere is never taken for a whole one', async (version) => {
    await unpack(version)
    const whole = await readFile(file())
    const copied: number[] = []
    for (const share of [0.999, 0.8]) {
      await writeFile(file(), whole.subarray(0, Math.floor(whole.length * share)))
      copied.push(
        await expectIncomplete().catch((error: unknown) => {
          // Without the tables themselves there is nothing to read.
          expect(error).toMatchObject({ code: expect.stringMatching(/source-damaged|chroma-schema|database-damaged/) })
          return 0
        }),
      )
    }
    // The last page of this one belongs to the queue, without which vectors and documents may be of different times.
    expect((copied[0] as number) > 0).toBe(version !== '1.5.9')
  })

  it('in which a page of records was lost keeps the records of other pages', async () => {
    await unpack()
    const database = new DatabaseSync(file())
    const sql = `SELECT pageno FROM dbstat WHERE name = 'embedding_metadata' AND pagetype = 'leaf' ORDER BY path`
    const pages = database
      .prepare(sql)
      .all()
      .map(({ pageno }) => Number(pageno))
    database.close()
    const bytes = await readFile(file())
    const pageBytes = bytes.readUInt16BE(16)
    const lost = pages[pages.length >> 1]
    await writeFile(file(), bytes.fill(0, ((lost as number) - 1) * pageBytes, (lost as number) * pageBytes))
    const all = [...expected.values()].reduce((sum, { records }) => sum + records.length, 0)
    const copied = await expectIncomplete()
    expect(copied).toBeGreaterThan(all / 4)
    expect(copied).toBeLessThan(all)
  })
})

it('writes nothing into the directory', async () => {
  await unpack()
  await writeFile(await vectorFile('header.bin'), 'damaged')
  const listing = async () => {
    const names = await readdir(chroma(), { recursive: true })
    return Promise.all(names.sort().map(async (name) => [name, (await stat(join(chroma(), name))).mtimeMs]))
  }
  const before = await listing()
  await migrate({ skip: true, embedMissing: registry })
  expect(await listing()).toEqual(before)
})
