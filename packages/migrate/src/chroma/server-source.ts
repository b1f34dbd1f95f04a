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
  isSpace,
  parseExact,
  type SiltstoneError,
  SPACES,
  unsupported,
} from 'siltstone/internal'
import { SourceHttp, type SourceHttpOptions } from '../http.ts'
import { concernsRecords, readIsolated } from '../isolate.ts'
import { targetName } from '../names.ts'
import { member, metadataText, toPlain } from '../plain.ts'
import type { MigrationSource, Skipped, SourceCollection, SourcePage, SourceReader, SourceRecord } from '../types.ts'

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
const NO_VECTOR = 'the server answers without its vector'

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
    const page = await listPage(http, base, { limit: LIST_PAGE, offset: found.length })
    found.push(...page)
    if (page.length < LIST_PAGE) return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  }
}

/** One collection that the server cannot list, or lists in a form that cannot be read, does not hide the others. */
async function listPage(
  http: SourceHttp,
  base: string,
  { limit, offset }: { limit: number; offset: number },
): Promise<ServerCollection[]> {
  try {
    const page = exactJson(await http.get(`${base}?limit=${limit}&offset=${offset}`))
    if (!Array.isArray(page)) throw corrupt('source-answer', 'the server did not answer with a list of collections')
    return page.map((json, i) => collectionFrom(json, offset + i))
  } catch (error) {
    if (!isSiltstoneError(error) || !concernsRecords(error)) throw error
    if (limit === 1) return [unreadable(`collection number ${offset + 1} of the list`, error)]
    const count = Math.min(limit, (await collectionCount(http, base)) - offset)
    const found: ServerCollection[] = []
    for (let i = 0; i < count; i++) found.push(...(await listPage(http, base, { limit: 1, offset: offset + i })))
    return found
  }
}

async function collectionCount(http: SourceHttp, base: string): Promise<number> {
  return Number(await http.get(`${base.replace(/collections$/, '')}collections_count`))
}

function unreadable(name: string, problem: SiltstoneError): ServerCollection {
  return {
    id: '',
    name,
    targetName: targetName(name),
    space: 'l2',
    metadata: null,
    hnsw: null,
    embeddingFunction: null,
    dimension: null,
    problem,
  }
}

function collectionFrom(json: ExactJson, index: number): ServerCollection {
  const [name, id] = [member(json, 'name'), member(json, 'id')]
  const shown = typeof name === 'string' ? name : `collection number ${index + 1} of the list`
  if (typeof name !== 'string' || typeof id !== 'string')
    return unreadable(shown, corrupt('source-answer', `the server lists ${shown} without a name or an id`))
  const hnsw = member(json, 'configuration_json', 'hnsw')
  // Chroma before 1.0 writes l2 into every collection's configuration; its metadata have the space.
  const stored =
    member(hnsw, 'space') ??
    member(json, 'configuration_json', 'spann', 'space') ??
    member(json, 'metadata', 'hnsw:space') ??
    'l2'
  if (!isSpace(stored))
    return unreadable(
      name,
      unsupported(
        'space',
        `the collection ${name} has the unknown space ${String(toPlain(stored))}; known are ${SPACES.join(', ')}`,
      ),
    )
  const embeddingFunction = member(json, 'configuration_json', 'embedding_function')
  const dimension = member(json, 'dimension')
  return {
    id,
    name,
    targetName: targetName(name),
    space: stored,
    metadata: metadataText(member(json, 'metadata')),
    hnsw: hnsw instanceof Map ? (toPlain(hnsw) as Record<string, unknown>) : null,
    embeddingFunction:
      embeddingFunction instanceof Map ? (toPlain(embeddingFunction) as Record<string, unknown>) : null,
    dimension: typeof dimension === 'bigint' ? Number(dimension) : null,
  }
}

/** @throws SiltstoneError `corrupt` (source-answer) */
function exactJson(text: string): ExactJson {
  try {
    return parseExact(text)
  } catch (cause) {
    throw corrupt('source-answer', `the server's answer is not JSON: ${(cause as Error).message}`, { cause })
  }
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
      const { ids, records, skipped } = await this.#page(offset)
      if (ids.length === 0) return
      offset += ids.length
      yield { records, skipped, cursor: String(offset) }
    }
  }

  async *ids(): AsyncGenerator<string[]> {
    for (let offset = 0; ; ) {
      const ids = idsOf(exactJson(await this.#get({ limit: this.#pageRecords, offset, include: [] })))
      if (ids.length === 0) return
      offset += ids.length
      yield ids
    }
  }

  async fetch(ids: readonly string[]): Promise<Map<string, SourceRecord>> {
    const found = new Map<string, SourceRecord>()
    for (let i = 0; i < ids.length; i += this.#pageRecords) {
      const { records } = await this.#byId(ids.slice(i, i + this.#pageRecords))
      for (const record of records) found.set(record.id, record)
    }
    return found
  }

  async close(): Promise<void> {}

  /** When the server cannot answer with the page, its records are read by id, to find those that it cannot return. */
  async #page(offset: number): Promise<{ ids: string[]; records: SourceRecord[]; skipped: Skipped[] }> {
    try {
      return { ...(await this.#records({ limit: this.#pageRecords, offset })), skipped: [] }
    } catch (error) {
      if (!concernsRecords(error)) throw error
      const ids = idsOf(exactJson(await this.#get({ limit: this.#pageRecords, offset, include: [] })))
      return { ids, ...(await this.#byId(ids)) }
    }
  }

  #byId(ids: readonly string[]): Promise<{ records: SourceRecord[]; skipped: Skipped[] }> {
    return readIsolated(ids, async (some) => ({ ...(await this.#records({ ids: some })), skipped: [] }))
  }

  /** @returns `records` lacks ids whose record was deleted between the two requests */
  async #records(which: Record<string, unknown>): Promise<{ ids: string[]; records: SourceRecord[] }> {
    const answer = exactJson(await this.#get({ ...which, include: ['documents', 'metadatas', 'uris'] }))
    const ids = idsOf(answer)
    const vectors = await this.#vectors(ids)
    const column = (name: string): ExactJson[] => (member(answer, name) ?? []) as ExactJson[]
    const [documents, metadatas, uris] = [column('documents'), column('metadatas'), column('uris')]
    const records = ids.flatMap((id, i): SourceRecord[] => {
      const vector = vectors.get(id)
      if (vector === undefined) return []
      const text = (value: ExactJson | undefined): string | null => (typeof value === 'string' ? value : null)
      const record = { id, document: text(documents[i]), metadata: metadataText(metadatas[i]), uri: text(uris[i]) }
      return [vector === null ? { ...record, vector, vectorProblem: NO_VECTOR } : { ...record, vector }]
    })
    return { ids, records }
  }

  async #vectors(ids: readonly string[]): Promise<Map<string, Float32Array | null>> {
    if (ids.length === 0) return new Map()
    const text = await this.#get({ ids, include: ['embeddings'] })
    let answer: { ids?: string[]; embeddings?: (number[] | null)[] | null }
    try {
      answer = JSON.parse(text) as typeof answer
    } catch (cause) {
      throw corrupt('source-answer', `the server's answer is not JSON: ${(cause as Error).message}`, { cause })
    }
    const { ids: answered, embeddings } = answer
    if (!Array.isArray(answered) || !Array.isArray(embeddings))
      throw corrupt('source-answer', `${this.collection.name}: the server left out the embeddings`)
    return new Map(
      answered.map((id, i) => [id, Array.isArray(embeddings[i]) ? Float32Array.from(embeddings[i]) : null]),
    )
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
