/** Text without vectors, which is beyond Chroma: the server embeds it. */
import { describe, expect, it } from 'vitest'
import type { CollectionInfo } from '../model/collection.ts'
import type { Embedder } from '../embed/port.ts'
import { unauthorized } from '../errors.ts'
import { ModelEngine } from '../testing/model.ts'
import { expectError, testApi } from './testing/api.ts'

/** [length, vowels] */
function toyEmbedder(log: string[][]): Embedder {
  return {
    name: 'toy',
    model: 'toy',
    dimension: 2,
    usage: { calls: 0, retries: 0, failures: 0, texts: 0, tokens: 0, costUsd: 0 },
    embed: (texts) => {
      log.push([...texts])
      return Promise.resolve(texts.map((text) => Float32Array.of(text.length, (text.match(/[aeiou]/g) ?? []).length)))
    },
  }
}

async function setUp() {
  const embedded: string[][] = []
  const asked: CollectionInfo[] = []
  const api = testApi(new ModelEngine(), {
    embedderFor: async (info) => {
      asked.push(info)
      return toyEmbedder(embedded)
    },
  })
  return { api, embedded, asked, path: await api.collection('things') }
}

describe('embedding by the server', () => {
  it('embeds documents of add and upsert that come without vectors, once each', async () => {
    const { api, embedded, asked, path } = await setUp()
    await api.db('POST', `${path}/add`, { ids: ['a', 'b', 'a'], documents: ['apple', 'fig', 'never'] })
    await api.db('POST', `${path}/upsert`, { ids: ['b', 'c'], embeddings: [[7, 7], null], documents: ['kept', 'plum'] })
    expect(embedded).toEqual([['apple', 'fig'], ['plum']])
    expect(asked[0]?.name).toBe('things')
    const { json } = await api.db('POST', `${path}/get`, { include: ['embeddings'] })
    expect(json.embeddings).toEqual([
      [5, 2],
      [7, 7],
      [4, 1],
    ])
  })

  it('leaves the vector of an update alone unless it is told to embed', async () => {
    const { api, embedded, path } = await setUp()
    await api.db('POST', `${path}/add`, { ids: ['a'], documents: ['apple'] })
    await api.db('POST', `${path}/update`, { ids: ['a'], documents: ['pear'] })
    const vectors = async () => (await api.db('POST', `${path}/get`, { include: ['embeddings'] })).json.embeddings
    expect(await vectors()).toEqual([[5, 2]])
    await api.db('POST', `${path}/update`, { ids: ['a'], documents: ['pear'], embed: true })
    expect([await vectors(), embedded.length]).toEqual([[[4, 2]], 2])
  })

  it('embeds query texts', async () => {
    const { api, path } = await setUp()
    await api.db('POST', `${path}/add`, { ids: ['a', 'b'], documents: ['apple', 'fig'] })
    const { json } = await api.db('POST', `${path}/query`, { query_texts: ['kiw', 'mango'], n_results: 1 })
    expect(json.ids).toEqual([['b'], ['a']])
    const both = await api.db('POST', `${path}/query`, { query_texts: ['x'], query_embeddings: [[1, 2]] })
    expect(both.status).toBe(422)
    expect((await api.db('POST', `${path}/query`, { query_texts: [] })).json.ids).toEqual([])
  })

  it('names the record that has neither', async () => {
    const { api, path } = await setUp()
    const answer = await api.db('POST', `${path}/add`, { ids: ['a', 'b'], documents: ['x', null] })
    expectError(answer, 400, 'InvalidArgumentError', /record "b" has neither an embedding nor a document/)
    expect((await api.db('POST', `${path}/add`, { ids: ['a'] })).status).toBe(422)
  })

  it('does not report the provider’s refusal as a refusal of the client’s token', async () => {
    const api = testApi(new ModelEngine(), { embedderFor: () => Promise.reject(unauthorized('key', 'bad API key')) })
    const path = await api.collection('things')
    const answer = await api.db('POST', `${path}/add`, { ids: ['a'], documents: ['x'] })
    expectError(answer, 503, 'ChromaError', /^The embedding provider refused the server's credentials: bad API key/)
  })

  it('says that it embedded the texts when their vectors do not fit the collection', async () => {
    const api = testApi(new ModelEngine(), { embedderFor: async () => toyEmbedder([]) })
    const path = await api.collection('things')
    const add = { ids: ['a'], embeddings: [Array.from({ length: 77 }, () => 1)] }
    expect((await api.db('POST', `${path}/add`, add)).status).toBe(201)
    const said =
      /^Collection expecting embedding with dimension of 77, got \d+; .*embedded its texts: send (query_)?embeddings/
    const answers = [
      await api.db('POST', `${path}/upsert`, { ids: ['b'], documents: ['x'] }),
      await api.db('POST', `${path}/query`, { query_texts: ['x'] }),
    ]
    for (const answer of answers) expectError(answer, 400, 'InvalidArgumentError', said)
    const own = await api.db('POST', `${path}/upsert`, { ids: ['b'], documents: ['x'], embeddings: [[1]] })
    expectError(own, 400, 'InvalidArgumentError', /got 1$/)
  })

  it('names the remedy where there are no embedders', async () => {
    const api = testApi(new ModelEngine())
    const path = await api.collection('things')
    expectError(
      await api.db('POST', `${path}/query`, { query_texts: ['x'] }),
      501,
      'ChromaError',
      /send query_embeddings/,
    )
    expect((await api.db('POST', `${path}/add`, { ids: ['a'], documents: ['x'] })).status).toBe(422)
  })
})
