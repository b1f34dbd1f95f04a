import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Skipped, SourceReader, SourceRecord } from '../types.ts'
import { openPineconeFiles, type PineconeFilesOptions } from './files-source.ts'

// Written by pyarrow: golden/make-pinecone-parquet.py.
const GOLDEN = fileURLToPath(new URL('../golden/pinecone', import.meta.url))

async function reader(name: string, options: Partial<PineconeFilesOptions> = {}): Promise<SourceReader> {
  const source = await openPineconeFiles(GOLDEN, { space: 'cosine', ...options })
  const collection = (await source.collections()).find((one) => one.name === name)
  if (collection === undefined) throw new Error(`no ${name}`)
  return source.open(collection)
}

async function all(from: SourceReader, after: string | null = null) {
  const [records, skipped, cursors]: [SourceRecord[], Skipped[], string[]] = [[], [], []]
  for await (const page of from.pages(after)) {
    records.push(...page.records)
    skipped.push(...page.skipped)
    cursors.push(page.cursor)
  }
  return { records, skipped, cursors }
}

function expected(i: number): SourceRecord {
  return {
    id: `v${i}`,
    vector: Float32Array.from({ length: 4 }, (_, k) => (((i * 7 + k * 13) % 29) - 14) / 8),
    document: null,
    metadata: i % 7 === 0 ? null : `{"n":${i},"f":${i}.0,"b":${i % 2 === 0},"tags":["a","t${i}"],"text":"Größe ${i}"}`,
    uri: null,
  }
}
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

describe('Pinecone’s Parquet files', () => {
  it('have one collection per namespace', async () => {
    const source = await openPineconeFiles(GOLDEN, { space: 'ip' })
    const collections = await source.collections()
    expect(collections.map(({ name, space }) => [name, space])).toEqual([
      ['pinecone', 'ip'],
      ['pinecone.codecs', 'ip'],
      ['pinecone.hybrid', 'ip'],
      ['pinecone.lz4', 'ip'],
    ])
  })

  it('have every record, and continue after any cursor', async () => {
    const from = await reader('pinecone')
    expect(await from.count()).toBe(130)
    const { records, cursors } = await all(from)
    expect(records).toEqual(range(0, 130).map(expected))
    expect(cursors).toEqual(['0:0:40', '0:1:40', '0:2:20', '1:0:30'])
    expect((await all(from, '0:1:7')).records).toEqual(range(47, 130).map(expected))
    expect((await all(from, '1:0:30')).records).toEqual([])
    expect([...(await from.fetch(['v101', 'v3', 'no-such-id'])).values()]).toEqual([expected(3), expected(101)])
  })

  it('may have any codec, page layout and column type of other tools', async () => {
    const { records } = await all(await reader('pinecone.codecs'))
    // By the name of the file: brotli, double, fixed, gzip, none.
    const order = [...range(20, 40), ...range(80, 100), ...range(60, 80), ...range(0, 20), ...range(40, 60)]
    expect(records).toEqual(order.map(expected))
    await expect(all(await reader('pinecone.lz4'))).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'parquet-codec',
    })
  })

  it('keep sparse vectors as metadata, and need dense ones', async () => {
    const { records } = await all(await reader('pinecone.hybrid', { documentKey: 'text' }))
    expect(records).toHaveLength(8)
    expect(records[5]).toMatchObject({ id: 'v5', vector: null, vectorProblem: 'it has no dense vector' })
    expect(records[1]).toEqual({
      ...expected(1),
      document: 'Größe 1',
      metadata:
        '{"n":1,"f":1.0,"b":false,"tags":["a","t1"],"sparse_values":{"#type":"sparse_vector","indices":[1,9],"values":[1.0,0.5]}}',
    })
    expect(records[3]?.metadata).toBe('{"n":3,"f":3.0,"b":false,"tags":["a","t3"]}')
    expect(records[0]).toEqual(expected(0))
  })

  it('must be Parquet with Pinecone’s columns', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'siltstone-parquet-'))
    try {
      const open = () => openPineconeFiles(directory, { space: 'l2' })
      await expect(open()).rejects.toMatchObject({ kind: 'not-found', code: 'parquet-missing' })
      await writeFile(join(directory, 'x.parquet'), 'not Parquet at all')
      const source = await open()
      const [collection] = await source.collections()
      if (collection === undefined) throw new Error('no collection')
      const damaged = await all(await source.open(collection))
      expect(damaged).toMatchObject({ records: [], skipped: [{ kind: 'file', id: join(directory, 'x.parquet') }] })
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })

  it('lose only what is behind a damaged page', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'siltstone-parquet-'))
    try {
      const from = new URL('../golden/pinecone/codecs/gzip.parquet', import.meta.url)
      const bytes = await readFile(from)
      await writeFile(join(directory, 'b.parquet'), bytes)
      // In the first data page.
      bytes.fill(0xff, 60, 90)
      await writeFile(join(directory, 'a.parquet'), bytes)
      await mkdir(join(directory, 'other'))
      await writeFile(join(directory, 'other', 'c.parquet'), await readFile(from))
      const source = await openPineconeFiles(directory, { space: 'l2' })
      const found = new Map<string, { records: number; skipped: Skipped[] }>()
      for (const collection of await source.collections()) {
        const from = await source.open(collection)
        const { records, skipped } = await all(from)
        found.set(collection.name.replace(/.*\./, ''), { records: records.length, skipped })
        expect(records.length + skipped.reduce((sum, { records: rows = 1 }) => sum + rows, 0)).toBe(await from.count())
      }
      expect(found.get('other')).toEqual({ records: 20, skipped: [] })
      const [whole] = [...found.values()].filter(({ skipped }) => skipped.length > 0)
      expect(whole?.records).toBeGreaterThanOrEqual(20)
      expect(whole?.skipped).toMatchObject([{ kind: 'file', id: expect.stringContaining('a.parquet') }])
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})
