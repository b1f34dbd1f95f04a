/**
 * Pinecone's API as its public reference describes it, in memory: index description, statistics, listing with tokens,
 * fetching by ids; 401 without the key, 400 for what it does not know.
 */
import type { HttpClient } from 'siltstone/internal'

export interface FakeVector {
  id: string
  values: number[]
  sparseValues?: { indices: number[]; values: number[] }
  metadata?: Record<string, unknown>
}

const DATA_HOST = 'movies-abc123.svc.aped-1.pinecone.io'

export class FakePinecone {
  readonly namespaces = new Map<string, FakeVector[]>()
  readonly requests: URL[] = []
  /** Of the index; set it to let one server answer for both hosts. */
  host = DATA_HOST
  metric = 'cosine'
  vectorType = 'dense'
  /** Answer so many requests with 429 first. */
  busy = 0
  /** Tokens given out before this many requests are no longer known. */
  forgotten = 0
  readonly #key: string

  constructor(key: string) {
    this.#key = key
  }

  readonly http: HttpClient = async (url, { method, headers }) => {
    const asked = new URL(url)
    this.requests.push(asked)
    if (headers['api-key'] !== this.#key) return Response.json({ error: { code: 'UNAUTHENTICATED' } }, { status: 401 })
    if (!/^\d{4}-\d{2}$/.test(headers['x-pinecone-api-version'] ?? ''))
      return new Response('no version', { status: 400 })
    if (this.busy > 0) {
      this.busy--
      return new Response('Too many requests', { status: 429 })
    }
    const { hostname, pathname } = asked
    const isControl = this.host === DATA_HOST ? hostname === 'api.pinecone.io' : pathname.startsWith('/indexes/')
    if (isControl) return this.#control(method, pathname)
    if (asked.host !== this.host) return new Response('wrong host', { status: 404 })
    if (method === 'POST' && pathname === '/describe_index_stats') return this.#stats()
    if (method === 'GET' && pathname === '/vectors/list') return this.#list(asked.searchParams)
    if (method === 'GET' && pathname === '/vectors/fetch') return this.#fetch(asked)
    return new Response('unknown route', { status: 404 })
  }

  #control(method: string, path: string): Response {
    if (method !== 'GET' || path !== '/indexes/movies')
      return Response.json(
        { error: { code: 'NOT_FOUND', message: `Resource ${path} not found` }, status: 404 },
        { status: 404 },
      )
    return Response.json({
      name: 'movies',
      vector_type: this.vectorType,
      metric: this.metric,
      dimension: 3,
      status: { ready: true, state: 'Ready' },
      host: this.host,
      spec: { serverless: { region: 'us-east-1', cloud: 'aws' } },
    })
  }

  #stats(): Response {
    const counts = [...this.namespaces].map(([name, vectors]) => [name, { vectorCount: vectors.length }])
    return Response.json({ namespaces: Object.fromEntries(counts) as object, dimension: 3, indexFullness: 0 })
  }

  #list(query: URLSearchParams): Response {
    const limit = Number(query.get('limit') ?? 100)
    if (limit > 100) return new Response('limit must be at most 100', { status: 400 })
    const token = query.get('paginationToken')
    const start = token === null ? 0 : Number(Buffer.from(token, 'base64').toString())
    if (start < this.forgotten) return new Response('Invalid pagination token', { status: 400 })
    const vectors = this.#of(query)
    const some = vectors.slice(start, start + limit)
    const end = start + some.length
    return Response.json({
      vectors: some.map(({ id }) => ({ id })),
      ...(end < vectors.length && { pagination: { next: Buffer.from(String(end)).toString('base64') } }),
      namespace: query.get('namespace') ?? '',
      usage: { readUnits: 1 },
    })
  }

  #fetch({ href, searchParams }: URL): Response {
    const ids = searchParams.getAll('ids')
    if (ids.length === 0 || ids.length > 1_000) return new Response('1 to 1000 ids', { status: 400 })
    if (href.length > 8_192) return new Response('URI too long', { status: 414 })
    const wanted = new Set(ids)
    const vectors = this.#of(searchParams)
      .filter(({ id }) => wanted.has(id))
      .reverse()
      .map((vector) => [vector.id, vector])
    return Response.json({ vectors: Object.fromEntries(vectors) as object, namespace: '', usage: { readUnits: 1 } })
  }

  #of(query: URLSearchParams): FakeVector[] {
    return this.namespaces.get(query.get('namespace') ?? '') ?? []
  }
}
