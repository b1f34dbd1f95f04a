/**
 * A fake of Pinecone's API in memory, by its public reference: index description, statistics, lists with pagination
 * tokens, fetches by id; 401 without the key, 400 for invalid requests.
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
  /** The index's host; change it to let one server answer for both hosts. */
  host = DATA_HOST
  metric = 'cosine'
  vectorType = 'dense'
  /** The number of requests to answer with 429 first. */
  busy = 0
  /** Pagination tokens for a lower offset have expired. */
  forgotten = 0
  readonly #key: string

  constructor(key: string) {
    this.#key = key
  }

  readonly http: HttpClient = async (url, { method, headers }) => {
    const target = new URL(url)
    this.requests.push(target)
    if (headers['api-key'] !== this.#key) return Response.json({ error: { code: 'UNAUTHENTICATED' } }, { status: 401 })
    if (!/^\d{4}-\d{2}$/.test(headers['x-pinecone-api-version'] ?? ''))
      return new Response('no version', { status: 400 })
    if (this.busy > 0) {
      this.busy--
      return new Response('Too many requests', { status: 429 })
    }
    const { hostname, pathname } = target
    const isControl = this.host === DATA_HOST ? hostname === 'api.pinecone.io' : pathname.startsWith('/indexes/')
    if (isControl) return this.#control(method, pathname)
    if (target.host !== this.host) return new Response('wrong host', { status: 404 })
    if (method === 'POST' && pathname === '/describe_index_stats') return this.#stats()
    if (method === 'GET' && pathname === '/vectors/list') return this.#list(target.searchParams)
    if (method === 'GET' && pathname === '/vectors/fetch') return this.#fetch(target)
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
    const page = vectors.slice(start, start + limit)
    const end = start + page.length
    return Response.json({
      vectors: page.map(({ id }) => ({ id })),
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
