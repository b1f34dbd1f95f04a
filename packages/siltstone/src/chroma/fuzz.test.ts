/** Bodies that were valid once, changed at random, to every endpoint: no 5xx of our own, always an error that tells. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ModelEngine } from '../testing/model.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { MemoryObjectStore } from '../drivers/memory/memory-object-store.ts'
import { EmbeddingStore } from '../embed/store.ts'
import { CountingEmbedder } from '../testing/counting-embedder.ts'
import { routes } from './routes/table.ts'
import { base64, testApi, type TestAnswer } from './testing/api.ts'

const valid: Record<string, unknown> = {
  create_tenant: { name: 'acme' },
  update_tenant: { resource_name: 'acme' },
  create_database: { name: 'archive' },
  create_collection: {
    name: 'other',
    metadata: { a: 1, 'hnsw:space': 'l2' },
    configuration: {
      hnsw: { space: 'cosine', ef_search: 10 },
      embedding_function: { type: 'known', name: 'x', config: {} },
    },
    schema: { defaults: { int: { int_inverted_index: { enabled: true, config: {} } } }, keys: {} },
    get_or_create: true,
  },
  update_collection: {
    new_name: 'renamed',
    new_metadata: { b: 2 },
    new_configuration: { hnsw: { ef_search: 5 } },
    new_schema: { keys: { v: { sparse_vector: { sparse_vector_index: { enabled: true, config: { bm25: true } } } } } },
  },
  fork_collection: { new_name: 'forked' },
  collection_add: records(),
  collection_upsert: records(),
  collection_update: { ...records(), embed: false },
  collection_delete: { ids: ['a'], where: { n: { $in: [1, 2] } }, where_document: { $contains: 'x' }, limit: 3 },
  collection_get: { ids: ['a'], where: { $and: [{ n: 1 }, { t: 'x' }] }, limit: 2, offset: 1, include: ['uris'] },
  collection_query: {
    query_embeddings: [[1, 2]],
    n_results: 2,
    where: { n: { $gt: 1 } },
    where_document: { $regex: 'a+' },
  },
  collection_search: {
    searches: [
      {
        filter: { $or: [{ n: { $gt: 1 } }, { '#id': { $in: ['a'] } }, { '#document': { $phrase: 'a b' } }] },
        rank: {
          $sum: [
            {
              $div: { left: { $val: 1 }, right: { $knn: { query: [1, 2], limit: 3, default: 2, return_rank: true } } },
            },
            { $max: [{ $exp: { $attr: { key: 'n', default: 0.5 } } }, { $abs: { $log: { $val: 2 } } }] },
          ],
        },
        group_by: { keys: ['s'], aggregate: { $min_k: { keys: ['#score', 'n'], k: 2 } } },
        limit: { offset: 0, limit: 2 },
        select: { keys: ['#document', '#embedding', '#metadata', '#score', 'n'] },
        max_score: 9,
        facets: { keys: ['n', 's'], limit: 3 },
        highlight: { texts: ['a'], fragments: 2, length: 50 },
        mmr: { lambda: 0.5, candidates: 10 },
      },
      { rank: { $knn: { query: { indices: [1, 5], values: [0.5, 1], tokens: ['a', 'b'] }, key: 'v' } } },
      { rank: { $knn: { query: { positive: ['a'], negative: ['b'] } } } },
      { order_by: [{ key: 'n', order: 'desc' }, { key: 's' }] },
      { filter: null, rank: null, group_by: {}, limit: { offset: 0, limit: null }, select: { keys: [] } },
    ],
    read_level: 'index_and_wal',
  },
  attach_function: { name: 'f', function_id: 'statistics', output_collection: 'counted', params: { a: 1 } },
  detach_function: { delete_output: true },
  generate_embedding: { text: 'one', embedding_id: 'a', store_in_s3: true },
  put_embedding: { embedding: [1, 2.5], model: 'm', compress: false },
  collection_conditional_get: { ids: ['a'], limit: 3, read_token: 1 },
  collection_conditional_commit: {
    read_token: 1,
    read_ids: ['a'],
    operations: [
      { operation: 'upsert', payload: records() },
      { operation: 'delete', payload: { ids: ['a'] } },
    ],
  },
}

function records() {
  return {
    ids: ['a', 'b'],
    embeddings: [[1, 2], base64([3, 4])],
    documents: ['one', null],
    metadatas: [
      { n: 1, f: 1.5, s: 'x', list: [1, 2], v: { '#type': 'sparse_vector', indices: [1], values: [0.5] } },
      null,
    ],
    uris: ['u', null],
  }
}

const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(
    null,
    -1,
    1.5,
    2 ** 53,
    -(2 ** 63),
    1e39,
    1e308,
    '',
    '\u0000',
    'x'.repeat(2000),
    [],
    {},
    [[]],
    true,
  ),
  fc.constant(JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')),
)

/** Replaces, removes or adds one value somewhere in `json`. */
function mutated(json: unknown, choose: () => number, value: unknown): unknown {
  if (typeof json !== 'object' || json === null || choose() < 0.15) return value
  if (Array.isArray(json)) {
    const at = Math.floor(choose() * (json.length + 1))
    const copy = [...(json as unknown[])]
    if (choose() < 0.2) copy.splice(at, 1)
    else copy[at] = mutated(copy[at], choose, value)
    return copy
  }
  const entries = Object.entries(json)
  const at = Math.floor(choose() * (entries.length + 1))
  if (choose() < 0.2) return Object.fromEntries(entries.toSpliced(at, 1))
  const [key, old] = entries[at] ?? ['__proto__', undefined]
  return Object.fromEntries([...entries.toSpliced(at, 1), [key, mutated(old, choose, value)]])
}

const body = (seed: unknown) =>
  fc
    .tuple(
      fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 30, maxLength: 30 }),
      fc.array(odd, { minLength: 1, maxLength: 3 }),
    )
    .map(([choices, values]) => {
      let at = 0
      const choose = () => choices[at++ % choices.length] as number
      return values.reduce((json: unknown, value) => mutated(json, choose, value), seed)
    })

describe('fuzzed bodies', () => {
  const withBody = routes.filter((route) => route.body !== undefined)

  it.each(withBody.map((route) => [route.operation, route] as const))('%s', async (operation, route) => {
    const embeddings = {
      store: new EmbeddingStore({ store: new MemoryObjectStore({ clock: ManualClock.skippingSleeps() }) }),
      embedder: () => new CountingEmbedder(),
    }
    const api = testApi(new ModelEngine(), { allowReset: true, embeddings })
    const collection = await api.collection('things')
    await api.db('POST', `${collection}/add`, { ids: ['a'], embeddings: [[1, 2]], metadatas: [{ n: 1 }] })
    const path = route.path
      .replace('{tenant}', 'default_tenant')
      .replace('{database}', 'default_database')
      .replace('{collection_id}', collection.slice('/collections/'.length))
      .replace('{function_name}', 'f')
      .replace('{id}', 'a')
    await fc.assert(
      fc.asyncProperty(body(valid[operation] ?? {}), async (json) => {
        checkAnswer(await api.call(route.method, path, JSON.stringify(json) ?? ''))
      }),
      { numRuns: 150 },
    )
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect((await api.call('GET', '/api/v2/heartbeat')).status).toBe(200)
  })

  it('survives texts that are no JSON, and JSON that is very deep', async () => {
    const api = testApi(new ModelEngine())
    const collection = await api.collection('things')
    const deep = (open: string, close: string) => open.repeat(100_000) + close.repeat(100_000)
    const texts = [
      deep('[', ']'),
      `{"where":${deep('{"$and":[', ']}')}}`,
      `{"ids":["a"],"embeddings":[[1]],"metadatas":[${deep('{"a":', '}').replace('{"a":}', '1')}]}`,
      `{"name":"deep","configuration":{"embedding_function":{"type":"known","name":"x","config":${deep('[', ']')}}}}`,
      `{"name":"deep","configuration":{"embedding_function":{"type":"known","name":"x","config":${deep('[', '1.0]')}}}}`,
      `{"name":"deep","schema":${deep('{"defaults":', '}')}}`,
    ]
    for (const text of texts) {
      for (const path of [
        '/collections',
        `${collection}/add`,
        `${collection}/get`,
        `${collection}/query`,
        `${collection}/delete`,
      ]) {
        checkAnswer(await api.db('POST', path, text))
      }
    }
    const garbage = fc.oneof(
      fc.string(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
    )
    await fc.assert(
      fc.asyncProperty(garbage, async (text) => checkAnswer(await api.db('POST', `${collection}/add`, text))),
      { numRuns: 200 },
    )
  })
})

/** 501 is an answer; the plan's error for unknown ids in a query is a 500 by contract. */
function checkAnswer({ status, text, json, headers }: TestAnswer): void {
  if (status < 300) return
  expect(json, text).toEqual(expect.objectContaining({ error: expect.any(String), message: expect.any(String) }))
  expect(headers.get('chroma-trace-id')).toMatch(/^[0-9a-f]{32}$/)
  const isByContract = status === 501 || headers.get('x-siltstone-error') === 'id-missing'
  expect(status < 500 || isByContract, text).toBe(true)
}
