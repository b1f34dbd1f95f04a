/** Chroma's v2 API by raw HTTP: connections kept alive, embeddings in base64, without a layer that costs time. */
import { Agent, request } from 'node:http'
import type { Row } from '../data/dataset.ts'

export interface Answer {
  status: number
  body: Buffer
  version: number | undefined
}

export class HttpError extends Error {
  readonly status: number

  constructor(path: string, { status, body }: Answer) {
    super(`${path} answered ${status}: ${body.toString('utf8').slice(0, 500)}`)
    this.status = status
  }
}

export interface HttpQuery {
  vector: Float32Array
  k: number
  where?: unknown
  include?: string[]
  /** Value of `x-siltstone-search`. */
  search?: string
}

const BASE = '/api/v2/tenants/default_tenant/databases/default_database/collections'

export class HttpClient {
  readonly #url: URL
  readonly #agent: Agent

  constructor(url: string, connections = 8) {
    this.#url = new URL(url)
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
  }

  /** @throws HttpError for any status from 400 on */
  async call(method: string, path: string, body?: Buffer | string, headers = {}): Promise<Answer> {
    const answer = await this.#send(method, path, body, headers)
    if (answer.status >= 400) throw new HttpError(path, answer)
    return answer
  }

  #send(method: string, path: string, body: Buffer | string | undefined, headers: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          agent: this.#agent,
          host: this.#url.hostname,
          port: this.#url.port,
          method,
          path,
          headers:
            body === undefined
              ? {}
              : {
                  'content-type': 'application/json',
                  'content-length': Buffer.byteLength(body).toString(),
                  ...headers,
                },
        },
        (incoming) => {
          const chunks: Buffer[] = []
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
          incoming.on('error', reject)
          incoming.on('end', () => {
            const version = incoming.headers['x-siltstone-version']
            resolve({
              status: incoming.statusCode ?? 0,
              body: Buffer.concat(chunks),
              version: version === undefined ? undefined : Number(version),
            })
          })
        },
      )
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }

  async #json<T>(method: string, path: string, body?: unknown, headers = {}): Promise<T> {
    const text = body === undefined ? undefined : JSON.stringify(body)
    return JSON.parse((await this.call(method, path, text, headers)).body.toString('utf8')) as T
  }

  async isUp(): Promise<boolean> {
    try {
      await this.call('GET', '/api/v2/heartbeat')
      return true
    } catch (error) {
      if (error instanceof HttpError || (error as NodeJS.ErrnoException).code !== undefined) return false
      throw error
    }
  }

  maxBatchSize(): Promise<number> {
    return this.#json<{ max_batch_size: number }>('GET', '/api/v2/pre-flight-checks').then((x) => x.max_batch_size)
  }

  /** @returns the collection's id */
  async createCollection(name: string, space = 'cosine'): Promise<string> {
    const body = { name, get_or_create: true, configuration: { hnsw: { space } } }
    return (await this.#json<{ id: string }>('POST', BASE, body)).id
  }

  async deleteCollection(name: string): Promise<void> {
    await this.call('DELETE', `${BASE}/${name}`)
  }

  /** Sends a body of `writeBody` unchanged. */
  async write(op: 'add' | 'upsert' | 'update', collection: string, body: Buffer | string): Promise<number | undefined> {
    return (await this.call('POST', `${BASE}/${collection}/${op}`, body)).version
  }

  async query(collection: string, query: HttpQuery): Promise<{ ids: string[][]; distances: number[][] }> {
    const body = {
      query_embeddings: [Array.from(query.vector)],
      n_results: query.k,
      ...(query.where !== undefined && { where: query.where }),
      include: query.include ?? ['documents', 'metadatas', 'distances'],
    }
    const headers = query.search === undefined ? {} : { 'x-siltstone-search': query.search }
    return this.#json('POST', `${BASE}/${collection}/query`, body, headers)
  }

  /** One search of Chroma's search API. */
  search(collection: string, search: unknown): Promise<{ ids: string[][] }> {
    return this.#json('POST', `${BASE}/${collection}/search`, { searches: [search] })
  }

  get(collection: string, body: unknown): Promise<{ ids: string[] }> {
    return this.#json('POST', `${BASE}/${collection}/get`, body)
  }

  count(collection: string): Promise<number> {
    return this.#json('GET', `${BASE}/${collection}/count`)
  }

  /** Operations that are not in a snapshot yet. Undefined if the server does not report them (Chroma's own). */
  async unindexed(collection: string): Promise<number | undefined> {
    try {
      return (await this.#json<{ num_unindexed_ops: number }>('GET', `${BASE}/${collection}/indexing_status`))
        .num_unindexed_ops
    } catch (error) {
      if (error instanceof HttpError) return undefined
      throw error
    }
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** A request to write, as the JavaScript client sends it: vectors as base64 of little-endian f32. */
export function writeBody(rows: readonly Row[], columns: { vectors?: boolean; documents?: boolean } = {}): Buffer {
  const { vectors = true, documents = true } = columns
  const embeddings = vectors ? `"embeddings":[${rows.map(({ vector }) => `"${base64(vector)}"`).join(',')}],` : ''
  const texts = documents ? `"documents":${JSON.stringify(rows.map(({ document }) => document))},` : ''
  const metadatas = `"metadatas":[${rows.map(({ metadata }) => metadata).join(',')}]`
  return Buffer.from(`{"ids":${JSON.stringify(rows.map(({ id }) => id))},${embeddings}${texts}${metadatas}}`)
}

function base64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64')
}
