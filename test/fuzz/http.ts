/** Requests as bytes, `METHOD path\nbody`, to the real application over a real engine in memory. */
import { createChromaApp, StoreEngine } from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import type { Target } from './target.ts'

const DATABASE = '/api/v2/tenants/default_tenant/databases/default_database'
/** The number of requests after which a new store is used, so that it stays small. */
const REQUESTS_PER_STORE = 400

type App = ReturnType<typeof createChromaApp>

async function newApp(): Promise<{ app: App; id: string; pageToken: string }> {
  const env = memoryEnvironment({ seed: 1 })
  const engine = await StoreEngine.open({ env })
  const app = createChromaApp({ engine, clock: env.clock, ids: env.ids, log: env.log, metrics: env.metrics })
  const post = async (path: string, body: unknown) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    const response = await app.request(`${DATABASE}/collections${path}`, init)
    if (!response.ok) throw new Error(await response.text())
    return response
  }
  const words = { sparse_vector: { sparse_vector_index: { enabled: true, config: { bm25: true } } } }
  const made = await post('', { name: 'things', schema: { defaults: {}, keys: { words } } })
  const { id } = (await made.json()) as { id: string }
  const ids = Array.from({ length: 20 }, (_, i) => `r${i}`)
  await post(`/${id}/add`, {
    ids,
    embeddings: ids.map((_, i) => [i, 1, -i]),
    metadatas: ids.map((_, i) => ({
      n: i,
      f: i / 2,
      s: `x${i}`,
      list: [1, 2],
      flag: i % 2 === 0,
      words: sparse([i % 3, 7]),
    })),
    documents: ids.map((i) => `the document ${i}`),
  })
  const page = await post(`/${id}/get`, { limit: 5 })
  return { app, id, pageToken: page.headers.get('x-siltstone-page-token') ?? '' }
}

function sparse(indices: number[]) {
  return { '#type': 'sparse_vector', indices, values: indices.map((index) => index / 2) }
}

function requestsOf(id: string, pageToken: string): string[] {
  const at = `${DATABASE}/collections`
  const records = {
    ids: ['a', 'b'],
    embeddings: [[1, 2, 3], Buffer.from(Float32Array.of(1, 2, 3).buffer).toString('base64')],
    documents: ['one', null],
    metadatas: [{ n: 1, f: 1.5, v: { '#type': 'sparse_vector', indices: [1], values: [0.5] } }, null],
    uris: ['u', null],
  }
  const where = { $and: [{ n: { $gte: 2 } }, { $or: [{ s: 'x3' }, { f: { $in: [1.5, 2] } }] }] }
  const with_ = (method: string, path: string, body?: unknown) =>
    `${method} ${path}\n${body === undefined ? '' : JSON.stringify(body)}`
  return [
    with_('GET', '/api/v2/heartbeat'),
    with_('GET', `${at}?limit=2&offset=1`),
    with_('GET', `${at}/things`),
    with_('GET', `${at}/${id}/count?read_level=index_only&at=1`),
    with_('POST', '/api/v2/tenants', { name: 'acme' }),
    with_('GET', '/api/v2/tenants/default_tenant'),
    with_('POST', '/api/v2/tenants/default_tenant/databases', { name: 'archive' }),
    with_('POST', at, { name: 'other', metadata: { a: 1, 'hnsw:space': 'l2' }, get_or_create: true }),
    with_('PUT', `${at}/${id}`, { new_metadata: { b: 2 } }),
    with_('POST', `${at}/${id}/fork`, { new_name: 'forked' }),
    with_('POST', `${at}/${id}/add`, records),
    with_('POST', `${at}/${id}/upsert`, records),
    with_('POST', `${at}/${id}/update`, { ...records, embed: false }),
    with_('POST', `${at}/${id}/delete`, { where, where_document: { $contains: 'x' }, limit: 3 }),
    with_('POST', `${at}/${id}/get`, { where, where_document: { $regex: 'doc.*[0-9]{1,3}$' }, limit: 2, offset: 1 }),
    with_('POST', `${at}/${id}/get`, { page_token: pageToken, limit: 5, include: ['uris', 'embeddings'] }),
    with_('POST', `${at}/${id}/query`, { query_embeddings: [[1, 2, 3]], n_results: 2, where, include: ['distances'] }),
    with_('POST', `${at}/${id}/search`, {
      searches: [
        {
          filter: where,
          rank: {
            $sum: [
              {
                $div: {
                  left: { $val: 1 },
                  right: { $sum: [{ $val: 60 }, { $knn: { query: [1, 2, 3], return_rank: true } }] },
                },
              },
              {
                $max: [
                  { $knn: { query: sparse([1, 7]), key: 'words', default: 2 } },
                  { $log: { $exp: { $attr: { key: 'n' } } } },
                ],
              },
            ],
          },
          group_by: { keys: ['flag'], aggregate: { $max_k: { keys: ['n', '#score'], k: 3 } } },
          limit: { offset: 1, limit: 9 },
          select: { keys: ['#document', '#embedding', '#metadata', '#score', 's'] },
          facets: { keys: ['list', 'flag'], limit: 2 },
          max_score: 50,
        },
        {},
      ],
      read_level: 'index_and_wal',
    }),
    with_('POST', `${at}/${id}/functions/attach`, {
      name: 'counts',
      function_id: 'statistics',
      output_collection: 'counted',
      params: { a: 1 },
    }),
    with_('GET', `${at}/${id}/functions/counts`),
    with_('POST', `${at}/${id}/attached_functions/counts/detach`, { delete_output: true }),
    with_('POST', `${at}/${id}/conditional/get`, { ids: ['a'], limit: 3, read_token: 1 }),
    with_('POST', `${at}/${id}/conditional/commit`, {
      read_token: 1,
      read_ids: ['a'],
      operations: [{ operation: 'upsert', payload: records }],
    }),
  ]
}

export async function httpTarget(): Promise<Target> {
  let { app, id, pageToken } = await newApp()
  let requests = 0
  return {
    name: 'http',
    seeds: requestsOf(id, pageToken).map((request) => new Uint8Array(Buffer.from(request))),
    kinds: [],
    guarded: false,
    json: true,
    head: (seed) => seed.indexOf(10) + 1,
    async parse(bytes) {
      if (++requests % REQUESTS_PER_STORE === 0) ({ app } = await newApp())
      const whole = Buffer.from(bytes)
      const lineEnd = whole.indexOf('\n')
      const line = whole.toString('utf8', 0, lineEnd < 0 ? whole.length : lineEnd)
      const [, method = 'POST', path = ''] = /^(GET|PUT|POST|DELETE|PATCH) (.*)$/s.exec(line) ?? []
      const request = requestOf(method, path, lineEnd < 0 ? Buffer.alloc(0) : whole.subarray(lineEnd + 1))
      if (request === undefined) return 'no request'
      const response = await app.fetch(request)
      const text = await response.text()
      const isByContract = response.status === 501 || response.headers.get('x-siltstone-error') === 'id-missing'
      if (response.status >= 500 && !isByContract) throw new Error(`${response.status}: ${text}`)
      return response.status
    },
  }
}

/** Undefined if no HTTP parser would accept the request. */
function requestOf(method: string, path: string, body: Buffer): Request | undefined {
  try {
    const url = new URL(`http://localhost${path.startsWith('/') ? '' : '/'}${path}`)
    const init = { method, headers: { 'content-type': 'application/json' } }
    return new Request(url, method === 'GET' ? init : { ...init, body: new Uint8Array(body) })
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}
