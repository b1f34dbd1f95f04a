/**
 * A Pinecone index, read through Pinecone's HTTP API (docs.pinecone.io/reference/api, version 2025-04):
 * `GET /indexes/{name}` returns host, metric and dimension, `POST /describe_index_stats` the namespaces,
 * `GET /vectors/list` the ids page by page (serverless indexes only), `GET /vectors/fetch` the records. Each namespace is
 * a collection.
 *
 * Pinecone stores numbers as 64-bit floats; whole numbers become integers.
 */
import {
  corrupt,
  type ExactJson,
  invalid,
  isSiltstoneError,
  notFound,
  type Space,
  unsupported,
} from 'siltstone/internal'
import { SourceHttp, type SourceHttpOptions } from '../http.ts'
import { readIsolated } from '../isolate.ts'
import { targetName } from '../names.ts'
import type { MigrationSource, Skipped, SourceCollection, SourcePage, SourceReader, SourceRecord } from '../types.ts'
import { isSkipped, type PineconeRecordOptions, recordFrom } from './records.ts'

export interface PineconeOptions extends SourceHttpOptions, PineconeRecordOptions {
  index: string
  apiKey: string
  /** Default `https://api.pinecone.io`. */
  controlUrl?: string
}

const API_VERSION = '2025-04'
const LIST_LIMIT = 100
/** Lists of ids per page. */
const LISTS_PER_PAGE = 10
const FETCH_IDS = 100
/** Bytes of ids in one URL; an id may have 512 characters. */
const FETCH_URL_BYTES = 6_000
const PARALLEL = 4
const SPACES: Readonly<Record<string, Space>> = { cosine: 'cosine', euclidean: 'l2', dotproduct: 'ip' }
const DEFAULT_NAMESPACES = new Set(['', '__default__'])

interface NamespaceCollection extends SourceCollection {
  namespace: string
}

interface IndexDescription {
  host?: string
  metric?: string
  dimension?: number
  vector_type?: string
}

interface FetchedVector {
  values?: number[]
  metadata?: Record<string, unknown>
  sparseValues?: { indices: number[]; values: number[] }
}

/** @throws SiltstoneError `not-found` (source-missing), `unauthorized`, `unsupported` (metric, sparse-index) */
export async function openPinecone(options: PineconeOptions): Promise<MigrationSource> {
  const controlUrl = (options.controlUrl ?? 'https://api.pinecone.io').replace(/\/+$/, '')
  const headers = { 'api-key': options.apiKey, 'x-pinecone-api-version': API_VERSION }
  const http = new SourceHttp(`Pinecone (${options.index})`, { ...options, headers })
  const description = await json<IndexDescription>(
    http.get(`${controlUrl}/indexes/${encodeURIComponent(options.index)}`),
  )
  if (description.vector_type === 'sparse')
    throw unsupported(
      'sparse-index',
      `the index ${options.index} has only sparse vectors; a collection needs dense ones`,
    )
  const space = SPACES[description.metric ?? '']
  if (space === undefined || description.host === undefined)
    throw unsupported(
      'metric',
      `the index ${options.index} has the unknown metric ${description.metric}; known are ${Object.keys(SPACES).join(', ')}`,
    )
  const scheme = controlUrl.startsWith('http://') ? 'http' : 'https'
  const host = /^https?:\/\//.test(description.host) ? description.host : `${scheme}://${description.host}`
  const connection = { http, host, options }
  return {
    description: `the Pinecone index ${options.index}`,
    identity: `pinecone:${host}:${options.index}`,
    collections: async () => {
      const counts = await countsOf(connection)
      return [...counts.keys()].sort().map((namespace): NamespaceCollection => {
        const name = DEFAULT_NAMESPACES.has(namespace) ? options.index : `${options.index}.${namespace}`
        return {
          namespace,
          name,
          targetName: targetName(name),
          space,
          metadata: null,
          hnsw: null,
          embeddingFunction: null,
          dimension: description.dimension ?? null,
        }
      })
    },
    open: async (collection) => new NamespaceReader(connection, collection as NamespaceCollection),
    close: async () => {},
  }
}

interface Connection {
  http: SourceHttp
  host: string
  options: PineconeOptions
}

async function json<T>(answer: Promise<string>): Promise<T> {
  const text = await answer
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw corrupt('source-answer', `Pinecone's answer is not JSON: ${text.slice(0, 200)}`, { cause })
  }
}

async function countsOf({ http, host }: Connection): Promise<Map<string, number>> {
  const stats = await json<{ namespaces?: Record<string, { vectorCount?: number }> }>(
    http.post(`${host}/describe_index_stats`, {}),
  )
  return new Map(Object.entries(stats.namespaces ?? {}).map(([name, { vectorCount = 0 }]) => [name, vectorCount]))
}

class NamespaceReader implements SourceReader {
  readonly collection: NamespaceCollection
  readonly #connection: Connection

  constructor(connection: Connection, collection: NamespaceCollection) {
    this.#connection = connection
    this.collection = collection
  }

  /** Pinecone's counts lag seconds behind its writes. */
  async count(): Promise<number> {
    return (await countsOf(this.#connection)).get(this.collection.namespace) ?? 0
  }

  async fingerprint(): Promise<null> {
    return null
  }

  /** The cursor is Pinecone's pagination token; an empty one is the end. */
  async *pages(after: string | null): AsyncGenerator<SourcePage> {
    for (let token = after; token !== ''; ) {
      const ids: string[] = []
      for (let i = 0; i < LISTS_PER_PAGE && token !== ''; i++) {
        const listed = await this.#list(token)
        ids.push(...listed.ids)
        token = listed.next
      }
      const { records, skipped } = await this.#fetch(ids)
      yield { records, skipped, cursor: token ?? '' }
    }
  }

  async *ids(): AsyncGenerator<string[]> {
    for (let token: string | null = null; token !== ''; ) {
      const listed: { ids: string[]; next: string } = await this.#list(token)
      if (listed.ids.length > 0) yield listed.ids
      token = listed.next
    }
  }

  async fetch(ids: readonly string[]): Promise<Map<string, SourceRecord>> {
    const { records } = await this.#fetch(ids)
    return new Map(records.map((record) => [record.id, record]))
  }

  async close(): Promise<void> {}

  async #list(token: string | null): Promise<{ ids: string[]; next: string }> {
    const query = this.#query({ limit: String(LIST_LIMIT), ...(token !== null && { paginationToken: token }) })
    try {
      const page = await json<{ vectors?: { id: string }[]; pagination?: { next?: string } }>(
        this.#connection.http.get(`${this.#connection.host}/vectors/list?${query.toString()}`),
      )
      return { ids: (page.vectors ?? []).map(({ id }) => id), next: page.pagination?.next ?? '' }
    } catch (error) {
      if (
        isSiltstoneError(error, 'not-found') ||
        (isSiltstoneError(error, 'invalid') && /serverless/i.test(error.message))
      )
        throw notFound('source-missing', `${error.message}; only serverless indexes list their ids`, { cause: error })
      if (!isSiltstoneError(error, 'invalid') || token === null) throw error
      throw invalid(
        'cursor-expired',
        `Pinecone's pagination token has expired (${error.message}); start again with --restart --into-existing`,
        { cause: error },
      )
    }
  }

  async #fetch(ids: readonly string[]): Promise<Pick<SourcePage, 'records' | 'skipped'>> {
    const batches = batchesOf(ids)
    const records: SourceRecord[] = []
    const skipped: Skipped[] = []
    for (let i = 0; i < batches.length; i += PARALLEL) {
      const answers = await Promise.all(
        batches.slice(i, i + PARALLEL).map((batch) => readIsolated(batch, (some) => this.#fetchBatch(some))),
      )
      for (const answer of answers) {
        records.push(...answer.records)
        skipped.push(...answer.skipped)
      }
    }
    return { records, skipped }
  }

  /** In the order of the ids, without records that were deleted since they were listed. */
  async #fetchBatch(ids: readonly string[]): Promise<Pick<SourcePage, 'records' | 'skipped'>> {
    const { http, host, options } = this.#connection
    const query = this.#query({})
    for (const id of ids) query.append('ids', id)
    const { vectors = {} } = await json<{ vectors?: Record<string, FetchedVector> }>(
      http.get(`${host}/vectors/fetch?${query.toString()}`),
    )
    const read = ids.flatMap((id): (SourceRecord | Skipped)[] => {
      const vector = Object.hasOwn(vectors, id) ? vectors[id] : undefined
      if (vector === undefined) return []
      const { values = [], metadata, sparseValues: sparse = null } = vector
      try {
        return [recordFrom({ id, values: Float32Array.from(values), metadata: toExact(metadata), sparse }, options)]
      } catch (error) {
        return [{ id, kind: 'record', reason: `it is not as Pinecone describes records: ${(error as Error).message}` }]
      }
    })
    return {
      records: read.filter((one): one is SourceRecord => !isSkipped(one)),
      skipped: read.filter(isSkipped),
    }
  }

  #query(parameters: Record<string, string>): URLSearchParams {
    const { namespace } = this.collection
    return new URLSearchParams({ ...parameters, ...(namespace !== '' && { namespace }) })
  }
}

function batchesOf(ids: readonly string[]): string[][] {
  const batches: string[][] = []
  let bytes = 0
  for (const id of ids) {
    const size = encodeURIComponent(id).length + 5
    const last = batches.at(-1)
    if (last === undefined || last.length >= FETCH_IDS || bytes + size > FETCH_URL_BYTES) {
      batches.push([id])
      bytes = size
    } else {
      last.push(id)
      bytes += size
    }
  }
  return batches
}

function toExact(value: unknown): ExactJson {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.map(toExact)
  if (typeof value !== 'object' || value === null) return null
  return new Map(Object.entries(value).map(([key, item]) => [key, toExact(item)]))
}
