/**
 * A running Chroma server, read page by page with `get` of its v2 API. Two requests read each record: one whose answer is
 * parsed exactly, because metadata tell 64-bit integers from floats, and one for the vectors, which need no exact parser.
 *
 * Clients may write to the server during the migration. Deletions then shift the pages; `ids` lets the copy find records
 * that it missed.
 */
import {
  corrupt,
  type ExactJson,
  invalid,
  isSiltstoneError,
  parseExact,
  type Space,
  unsupported,
} from 'siltstone/internal'
import { SourceHttp, type SourceHttpOptions } from '../http.ts'
import { targetName } from '../names.ts'
import { member, metadataText, toPlain } from '../plain.ts'
import type { MigrationSource, SourceCollection, SourcePage, SourceReader, SourceRecord } from '../types.ts'

export interface ChromaServerOptions extends SourceHttpOptions {
  /** `http://127.0.0.1:8000` */
  url: string
  tenant?: string
  database?: string
}

interface ServerCollection extends SourceCollection {
  id: string
}

const PAGE_BYTES = 4 * 1024 * 1024
/** Length of a number in JSON, with its comma. */
const FLOAT_BYTES = 11
/** Chroma Cloud refuses larger pages. */
const CLOUD_PAGE = 300
const LIST_PAGE = 100
const SPACES: readonly Space[] = ['l2', 'cosine', 'ip']

/** @throws SiltstoneError `unavailable` (source-unavailable), `unauthorized`, `unsupported` (chroma-api) */
export async function openChromaServer(options: ChromaServerOptions): Promise<MigrationSource> {
  const { tenant = 'default_tenant', database = 'default_database' } = options
  const root = options.url.replace(/\/+$/, '')
  if (!/^https?:\/\//.test(root))
    throw invalid('bad-url', `${options.url} is not the URL of a server; give http://host:port`, { field: 'url' })
  const http = new SourceHttp(`the Chroma server ${root}`, options)
  const base = `${root}/api/v2/tenants/${encodeURIComponent(tenant)}/databases/${encodeURIComponent(database)}/collections`
  try {
    await http.get(`${root}/api/v2/heartbeat`)
  } catch (error) {
    if (!isSiltstoneError(error, 'not-found')) throw error
    throw unsupported(
      'chroma-api',
      `${root} does not have Chroma's v2 API (Chroma 0.6 and later); migrate from its directory instead`,
      { cause: error },
    )
  }
  return {
    description: `the Chroma server ${root}`,
    identity: `chroma-server:${root}:${tenant}:${database}`,
    collections: () => listCollections(http, base),
    open: async (collection) => new ServerReader(http, base, collection as ServerCollection),
    close: async () => {},
  }
}

async function listCollections(http: SourceHttp, base: string): Promise<ServerCollection[]> {
  const found: ServerCollection[] = []
  for (;;) {
    const page = parseExact(await http.get(`${base}?limit=${LIST_PAGE}&offset=${found.length}`)) as ExactJson[]
    found.push(...page.map(collectionFrom))
    if (page.length < LIST_PAGE) return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  }
}

function collectionFrom(json: ExactJson): ServerCollection {
  const name = textOf(json, 'name')
  const hnsw = member(json, 'configuration_json', 'hnsw')
  // Chroma before 1.0 writes l2 into every collection's configuration; its metadata have the space.
  const stored =
    member(hnsw, 'space') ??
    member(json, 'configuration_json', 'spann', 'space') ??
    member(json, 'metadata', 'hnsw:space') ??
    'l2'
  const space = SPACES.find((known) => known === stored)
  if (space === undefined)
    throw unsupported(
      'space',
      `the collection ${name} has the unknown space ${String(toPlain(stored))}; known are ${SPACES.join(', ')}`,
    )
  const embeddingFunction = member(json, 'configuration_json', 'embedding_function')
  const dimension = member(json, 'dimension')
  return {
    id: textOf(json, 'id'),
    name,
    targetName: targetName(name),
    space,
    metadata: metadataText(member(json, 'metadata')),
    hnsw: hnsw instanceof Map ? (toPlain(hnsw) as Record<string, unknown>) : null,
    embeddingFunction:
      embeddingFunction instanceof Map ? (toPlain(embeddingFunction) as Record<string, unknown>) : null,
    dimension: typeof dimension === 'bigint' ? Number(dimension) : null,
  }
}

function textOf(json: ExactJson, name: string): string {
  const text = member(json, name)
  if (typeof text !== 'string') throw corrupt('source-answer', `the server lists a collection without ${name}`)
  return text
}

class ServerReader implements SourceReader {
  readonly collection: ServerCollection
  readonly #http: SourceHttp
  readonly #url: string
  #pageRecords: number

  constructor(http: SourceHttp, base: string, collection: ServerCollection) {
    this.#http = http
    this.#url = `${base}/${encodeURIComponent(collection.id)}`
    this.collection = collection
    this.#pageRecords = Math.max(
      50,
      Math.min(2_000, Math.floor(PAGE_BYTES / ((collection.dimension ?? 1) * FLOAT_BYTES + 500))),
    )
  }

  async count(): Promise<number> {
    return Number(await this.#http.get(`${this.#url}/count`))
  }

  async fingerprint(): Promise<null> {
    return null
  }

  async *pages(after: string | null): AsyncGenerator<SourcePage> {
    let offset = after === null ? 0 : Number(after)
    for (;;) {
      const { ids, records } = await this.#records({ limit: this.#pageRecords, offset })
      if (ids.length === 0) return
      offset += ids.length
      yield { records, skipped: [], cursor: String(offset) }
    }
  }

  async *ids(): AsyncGenerator<string[]> {
    for (let offset = 0; ; ) {
      const ids = idsOf(parseExact(await this.#get({ limit: this.#pageRecords, offset, include: [] })))
      if (ids.length === 0) return
      offset += ids.length
      yield ids
    }
  }

  async fetch(ids: readonly string[]): Promise<Map<string, SourceRecord>> {
    const found = new Map<string, SourceRecord>()
    for (let i = 0; i < ids.length; i += this.#pageRecords) {
      const { records } = await this.#records({ ids: ids.slice(i, i + this.#pageRecords) })
      for (const record of records) found.set(record.id, record)
    }
    return found
  }

  async close(): Promise<void> {}

  /** @returns `records` lacks ids whose record was deleted between the two requests */
  async #records(which: Record<string, unknown>): Promise<{ ids: string[]; records: SourceRecord[] }> {
    const answer = parseExact(await this.#get({ ...which, include: ['documents', 'metadatas', 'uris'] }))
    const ids = idsOf(answer)
    const vectors = await this.#vectors(ids)
    const column = (name: string): ExactJson[] => (member(answer, name) ?? []) as ExactJson[]
    const [documents, metadatas, uris] = [column('documents'), column('metadatas'), column('uris')]
    const records = ids.flatMap((id, i): SourceRecord[] => {
      const vector = vectors.get(id)
      if (vector === undefined) return []
      const text = (value: ExactJson | undefined): string | null => (typeof value === 'string' ? value : null)
      return [{ id, vector, document: text(documents[i]), metadata: metadataText(metadatas[i]), uri: text(uris[i]) }]
    })
    return { ids, records }
  }

  async #vectors(ids: readonly string[]): Promise<Map<string, Float32Array>> {
    if (ids.length === 0) return new Map()
    const answer = JSON.parse(await this.#get({ ids, include: ['embeddings'] })) as {
      ids: string[]
      embeddings: number[][] | null
    }
    const { embeddings } = answer
    if (embeddings === null)
      throw corrupt('source-answer', `${this.collection.name}: the server left out the embeddings`)
    return new Map(answer.ids.map((id, i) => [id, Float32Array.from(embeddings[i] ?? [])]))
  }

  async #get(body: Record<string, unknown>): Promise<string> {
    try {
      return await this.#http.post(`${this.#url}/get`, body)
    } catch (error) {
      const overQuota = isSiltstoneError(error, 'invalid') && /quota/i.test(error.message)
      if (!overQuota || this.#pageRecords <= CLOUD_PAGE) throw error
      this.#pageRecords = CLOUD_PAGE
      if (body['limit'] !== undefined) return this.#get({ ...body, limit: CLOUD_PAGE })
      throw error
    }
  }
}

function idsOf(answer: ExactJson): string[] {
  const ids = member(answer, 'ids')
  if (!Array.isArray(ids)) throw corrupt('source-answer', 'the server answered a get without ids')
  return ids as string[]
}
