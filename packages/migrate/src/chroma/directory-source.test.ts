import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isSiltstoneError, parseMetadata } from 'siltstone/internal'
import { differingFields } from '../same-record.ts'
import { GOLDEN_VERSIONS, unpackGolden } from '../testing/golden-chroma.ts'
import type { MigrationSource, SourceReader, SourceRecord } from '../types.ts'
import { openChromaDirectory } from './directory-source.ts'

let directory: string
const opened: { close(): Promise<void> }[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-chroma-'))
})
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
  await rm(directory, { recursive: true, force: true })
})

async function open(): Promise<MigrationSource> {
  const source = await openChromaDirectory(directory)
  opened.push(source)
  return source
}

async function reader(name: string): Promise<SourceReader> {
  const source = await open()
  const collection = (await source.collections()).find((one) => one.name === name)
  if (collection === undefined) throw new Error(`no ${name}`)
  const made = await source.open(collection)
  opened.push(made)
  return made
}

async function all(from: SourceReader, after: string | null = null): Promise<SourceRecord[]> {
  const records: SourceRecord[] = []
  for await (const page of from.pages(after)) records.push(...page.records)
  return records
}

const change = (sql: string): void => {
  const database = new DatabaseSync(join(directory, 'chroma.sqlite3'))
  database.exec(sql)
  database.close()
}

describe.each(GOLDEN_VERSIONS)('a directory of Chroma %s', (version) => {
  it('gives the records that this Chroma reads from it', async () => {
    const expected = await unpackGolden(version, directory)
    const source = await open()
    const collections = await source.collections()
    expect(collections.map(({ name }) => name).sort()).toEqual([...expected.keys()].sort())
    for (const collection of collections) {
      const golden = expected.get(collection.name)
      expect(collection.space).toBe(golden?.space)
      const metadata = (text: string | null | undefined) => (text ? parseMetadata(text) : null)
      expect(metadata(collection.metadata)).toEqual(metadata(golden?.metadata))
      const from = await source.open(collection)
      opened.push(from)
      const records = await all(from)
      expect(await from.count()).toBe(records.length)
      // 0.4 answers in the order of its index, the others in that of insertion.
      expect(records.map(({ id }) => id).sort()).toEqual(golden?.records.map(({ id }) => id).sort())
      const byId = new Map(records.map((record) => [record.id, record]))
      for (const record of golden?.records ?? [])
        expect([record.id, differingFields(record, byId.get(record.id) as SourceRecord)]).toEqual([record.id, []])
      const some = records.slice(0, 7).map(({ id }) => id)
      const fetched = await from.fetch([...some, 'no-such-id'])
      expect([...fetched.values()]).toEqual(records.slice(0, 7))
    }
  })

  it('needs its HNSW files and its queue: neither one has all vectors', async () => {
    await unpackGolden(version, directory)
    change('DELETE FROM embeddings_queue')
    const from = await reader('golden-l2')
    const records = await all(from)
    const without = records.filter(({ vector }) => vector === null)
    expect(without.length).toBeGreaterThan(0)
    expect(without.length).toBeLessThan(records.length)
    expect(records).toHaveLength((await from.count()) ?? 0)
  })
})

describe('Chroma 1.5.9', () => {
  beforeEach(() => unpackGolden('1.5.9', directory))

  it('continues after a cursor', async () => {
    const from = await reader('golden-cosine')
    const records = await all(from)
    const cursors: string[] = []
    for await (const { cursor } of from.pages(null)) cursors.push(cursor)
    const first = records.findIndex(({ id }) => id === 'r10')
    expect(cursors).toHaveLength(1)
    expect(await all(from, cursors[0] as string)).toEqual([])
    const database = new DatabaseSync(join(directory, 'chroma.sqlite3'))
    const sql = `SELECT e.id FROM embeddings e JOIN segments s ON s.id = e.segment_id
      JOIN collections c ON c.id = s.collection WHERE c.name = 'golden-cosine' AND e.embedding_id = 'r10'`
    const place = database.prepare(sql).get() as { id: number }
    database.close()
    expect(await all(from, String(place.id))).toEqual(records.slice(first + 1))
  })

  it('replays queue entries that the metadata segment has not applied', async () => {
    const before = await all(await reader('golden-l2'))
    // The state that a crash leaves: the queue holds operations that no segment took in.
    const topic = `(SELECT 'persistent://default/default/' || id FROM collections WHERE name = 'golden-l2')`
    const vector = `x'0000803f000000400000404000008040'`
    change(`INSERT INTO embeddings_queue (seq_id, operation, topic, id, vector, encoding, metadata) VALUES
      (9001, 0, ${topic}, 'queued', ${vector}, 'FLOAT32', '{"n":1,"f":1.0,"chroma:document":"in the queue","chroma:uri":"x:y"}'),
      (9002, 0, ${topic}, 'r3', ${vector}, 'FLOAT32', '{"ignored":true}'),
      (9003, 1, ${topic}, 'r4', NULL, NULL, '{"s":null,"more":[1,2]}'),
      (9004, 2, ${topic}, 'r7', ${vector}, 'FLOAT32', '{"z":1}'),
      (9005, 3, ${topic}, 'r8', NULL, NULL, NULL),
      (9006, 1, ${topic}, 'no-such-id', ${vector}, 'FLOAT32', '{"z":1}')`)
    const from = await reader('golden-l2')
    const after = new Map((await all(from)).map((record) => [record.id, record]))
    const old = new Map(before.map((record) => [record.id, record]))
    expect(after.get('queued')).toMatchObject({
      vector: Float32Array.of(1, 2, 3, 4),
      document: 'in the queue',
      uri: 'x:y',
      metadata: '{"n":1,"f":1.0}',
    })
    expect(after.get('r3')).toEqual(old.get('r3'))
    const r4 = parseMetadata(after.get('r4')?.metadata ?? '')
    expect([r4.has('s'), r4.get('more'), r4.get('i')]).toEqual([false, [1n, 2n], 4.5])
    expect(after.get('r7')?.vector).toEqual(Float32Array.of(1, 2, 3, 4))
    expect(parseMetadata(after.get('r7')?.metadata ?? '').get('z')).toBe(1n)
    expect(after.has('r8')).toBe(false)
    expect(after.has('no-such-id')).toBe(false)
    expect(after.size).toBe(before.length)
    expect(await from.count()).toBe(before.length)
    expect((await from.fetch(['queued', 'r8'])).size).toBe(1)
  })

  it('refuses a directory that Chroma writes while it is read', async () => {
    const from = await reader('golden-l2')
    const pages = from.pages(null)[Symbol.asyncIterator]()
    await pages.next()
    change(`INSERT INTO embeddings_queue (seq_id, operation, topic, id) VALUES (9999, 3, 'x', 'x')`)
    await expect(pages.next()).rejects.toMatchObject({ kind: 'conflict', code: 'source-changed' })
  })

  it('refuses a damaged database and names it', async () => {
    await writeFile(join(directory, 'chroma.sqlite3'), 'not a database')
    const failure = await reader('golden-l2').catch((error: unknown) => error)
    expect(isSiltstoneError(failure, 'corrupt')).toBe(true)
  })

  it('rolls back what a killed Chroma left unfinished, on a copy', async () => {
    const before = await all(await reader('golden-l2'))
    for (const one of opened.splice(0).reverse()) await one.close()
    const path = join(directory, 'chroma.sqlite3')
    const killed = join(directory, 'killed')
    await mkdir(killed)
    // Copied in the middle of a transaction that has reached the file, as kill -9 leaves it.
    const database = new DatabaseSync(path)
    database.exec(
      'PRAGMA foreign_keys = OFF; PRAGMA cache_size = 1; BEGIN; DELETE FROM embedding_metadata; DELETE FROM embeddings',
    )
    await copyFile(path, join(killed, 'chroma.sqlite3'))
    await copyFile(`${path}-journal`, join(killed, 'chroma.sqlite3-journal'))
    database.exec('ROLLBACK')
    database.close()
    await rename(join(killed, 'chroma.sqlite3'), path)
    await rename(join(killed, 'chroma.sqlite3-journal'), `${path}-journal`)
    const left = await readFile(path)
    expect(await all(await reader('golden-l2'))).toEqual(before)
    expect(await readFile(path)).toEqual(left)
    expect((await stat(`${path}-journal`)).size).toBeGreaterThan(0)
  })

  it('must have a database', async () => {
    await rm(join(directory, 'chroma.sqlite3'))
    await expect(open()).rejects.toMatchObject({ kind: 'not-found', code: 'chroma-missing' })
    await writeFile(join(directory, 'chroma-collections.parquet'), '')
    await expect(open()).rejects.toMatchObject({ kind: 'unsupported', code: 'chroma-too-old' })
  })
})

describe('several databases', () => {
  beforeEach(async () => {
    await unpackGolden('1.5.9', directory)
    change(`INSERT INTO tenants (id) VALUES ('acme')`)
    change(
      `INSERT INTO databases (id, name, tenant_id) VALUES ('11111111-1111-4111-8111-111111111111', 'letters', 'acme')`,
    )
    change(`UPDATE collections SET database_id = '11111111-1111-4111-8111-111111111111' WHERE name = 'golden-ip'`)
  })
  const at = async (tenant: string, database: string): Promise<MigrationSource> => {
    const source = await openChromaDirectory(directory, { tenant, database })
    opened.push(source)
    return source
  }
  const namesOf = async (source: MigrationSource) => (await source.collections()).map(({ name }) => name)

  it('are read one by one, and the others are named', async () => {
    const source = await open()
    expect(await namesOf(source)).toEqual(['golden-cosine', 'golden-empty', 'golden-l2'])
    expect(await source.elsewhere?.()).toEqual([{ tenant: 'acme', database: 'letters', collections: 1 }])
    expect(await namesOf(await at('acme', 'letters'))).toEqual(['golden-ip'])
  })

  it('that do not exist are refused, with those that do', async () => {
    const named = expect.stringContaining('letters of acme (1)') as string
    const error = { kind: 'not-found', code: 'chroma-database', message: named }
    await expect((await at('acme', 'leters')).collections()).rejects.toMatchObject(error)
    await expect((await at('acne', 'letters')).collections()).rejects.toMatchObject(error)
  })
})
