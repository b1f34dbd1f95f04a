import { describe, expect, it } from 'vitest'
import { memoryEnvironment } from 'siltstone/testing'
import { FakePinecone, type FakeVector } from '../testing/fake-pinecone.ts'
import type { SourceReader, SourceRecord } from '../types.ts'
import { openPinecone, type PineconeOptions } from './api-source.ts'

const { clock, random } = memoryEnvironment()
const instant = { ...clock, sleep: async () => {} }

function vectors(count: number, idOf = (i: number) => `id#${i}`): FakeVector[] {
  return Array.from({ length: count }, (_, i) => ({
    id: idOf(i),
    values: [i + 0.5, 1, -i],
    ...(i % 4 !== 0 && {
      metadata: { year: 1990 + i, rating: i + 0.25, seen: i % 2 === 0, genres: ['a', 'b'], text: `plot ${i}` },
    }),
    ...(i === 1 && { sparseValues: { indices: [7, 3], values: [0.5, 2] } }),
  }))
}

function open(fake: FakePinecone, more: Partial<PineconeOptions> = {}) {
  return openPinecone({ index: 'movies', apiKey: 'key', http: fake.http, clock: instant, random, ...more })
}

async function reader(fake: FakePinecone, more: Partial<PineconeOptions> = {}, name = 'movies'): Promise<SourceReader> {
  const source = await open(fake, more)
  const collection = (await source.collections()).find((one) => one.name === name)
  if (collection === undefined) throw new Error(`no ${name}`)
  return source.open(collection)
}

async function all(from: SourceReader, after: string | null = null): Promise<[SourceRecord[], string[]]> {
  const [records, cursors]: [SourceRecord[], string[]] = [[], []]
  for await (const page of from.pages(after)) {
    records.push(...page.records)
    cursors.push(page.cursor)
  }
  return [records, cursors]
}

describe('Pinecone’s API', () => {
  it('has one collection per namespace, with the index’s metric', async () => {
    const fake = new FakePinecone('key')
    fake.namespaces.set('', vectors(3)).set('user 7/ü', vectors(2))
    for (const [metric, space] of [
      ['cosine', 'cosine'],
      ['euclidean', 'l2'],
      ['dotproduct', 'ip'],
    ]) {
      fake.metric = metric as string
      const collections = await (await open(fake)).collections()
      expect(collections.map(({ name, targetName, dimension }) => [name, targetName, dimension])).toEqual([
        ['movies', 'movies', 3],
        ['movies.user 7/ü', 'movies.user-7', 3],
      ])
      expect(collections.every((one) => one.space === space)).toBe(true)
    }
    const [records] = await all(await reader(fake, {}, 'movies.user 7/ü'))
    expect(records).toHaveLength(2)
  })

  it('reads every record in order, with long ids, and continues after a token', async () => {
    const fake = new FakePinecone('key')
    const long = (i: number) => `${'ß'.repeat(i % 3 === 0 ? 150 : 2)}${i}`
    fake.namespaces.set('', vectors(2_345, long))
    const from = await reader(fake)
    const [records, cursors] = await all(from)
    expect(records.map(({ id }) => id)).toEqual(Array.from({ length: 2_345 }, (_, i) => long(i)))
    expect(cursors).toHaveLength(3)
    expect(cursors.at(-1)).toBe('')
    expect((await all(from, cursors[1] as string))[0]).toEqual(records.slice(2_000))
    expect((await all(from, ''))[0]).toEqual([])
    expect(await from.count()).toBe(2_345)
    expect([...(await from.fetch([long(2_000), 'no-such-id'])).values()]).toEqual([records[2_000]])
    const ids: string[] = []
    for await (const page of from.ids?.() ?? []) ids.push(...page)
    expect(ids).toEqual(records.map(({ id }) => id))
  })

  it('keeps types, documents and sparse vectors', async () => {
    const fake = new FakePinecone('key')
    fake.namespaces.set('', vectors(4))
    const [records] = await all(await reader(fake, { documentKey: 'text', sparseKey: 'sparse' }))
    expect(records.slice(0, 2)).toEqual([
      { id: 'id#0', vector: Float32Array.of(0.5, 1, 0), document: null, metadata: null, uri: null },
      {
        id: 'id#1',
        vector: Float32Array.of(1.5, 1, -1),
        document: 'plot 1',
        metadata:
          '{"year":1991,"rating":1.25,"seen":false,"genres":["a","b"],"sparse":{"#type":"sparse_vector","indices":[3,7],"values":[2.0,0.5]}}',
        uri: null,
      },
    ])
  })

  it('retries after too many requests', async () => {
    const fake = new FakePinecone('key')
    fake.namespaces.set('', vectors(10))
    const from = await reader(fake)
    fake.busy = 4
    expect((await all(from))[0]).toHaveLength(10)
  })

  it('names the problem', async () => {
    const fake = new FakePinecone('key')
    fake.namespaces.set('', vectors(250))
    await expect(open(fake, { apiKey: 'other' })).rejects.toMatchObject({ kind: 'unauthorized' })
    await expect(open(fake, { index: 'books' })).rejects.toMatchObject({ kind: 'not-found' })
    fake.vectorType = 'sparse'
    await expect(open(fake)).rejects.toMatchObject({ kind: 'unsupported', code: 'sparse-index' })
    fake.vectorType = 'dense'
    fake.metric = 'hamming'
    await expect(open(fake)).rejects.toMatchObject({ kind: 'unsupported', code: 'metric' })
    fake.metric = 'cosine'
    const from = await reader(fake)
    fake.forgotten = 150
    const token = Buffer.from('100').toString('base64')
    await expect(all(from, token)).rejects.toMatchObject({ code: 'cursor-expired' })
  })
})
