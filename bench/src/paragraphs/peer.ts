/**
 * minisearch, Orama or LanceDB's full-text search in a process of its own: `node peer.ts PEER TERMS QUERIES FOLDER`, as
 * `paragraph_peers.py`. Words are terms already, so none of them stems or drops any.
 */
import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type PeerAnswer, TOP } from './answer.ts'

type Hits = [row: number, score: number][]
interface Peer {
  ask(query: string, k: number): Hits | Promise<Hits>
}

const BM25 = { k: 1.2, b: 0.75, d: 0 }
const BATCH = 10_000
const load = createRequire(import.meta.url)

async function minisearch(documents: readonly string[]): Promise<Peer> {
  interface Mini {
    addAll(documents: readonly { id: number; text: string }[]): void
    search(query: string): { id: number; score: number }[]
  }
  const MiniSearch = load('minisearch') as new (options: object) => Mini
  const index = new MiniSearch({
    fields: ['text'],
    tokenize: (text: string) => text.split(' '),
    processTerm: (term: string) => term,
    searchOptions: { bm25: BM25 },
  })
  index.addAll(documents.map((text, id) => ({ id, text })))
  return {
    ask: (query, k) =>
      index
        .search(query)
        .slice(0, k)
        .map(({ id, score }) => [id, score]),
  }
}

async function orama(documents: readonly string[]): Promise<Peer> {
  interface Orama {
    create(options: object): object
    insertMultiple(db: object, documents: readonly object[], batch: number): Promise<string[]>
    search(db: object, request: object): Promise<{ hits: { id: string; score: number }[] }>
  }
  const { create, insertMultiple, search } = (await import('@orama/orama' as string)) as Orama
  const tokenizer = { language: 'english', normalizationCache: new Map(), tokenize: (text: string) => text.split(' ') }
  const db = create({ schema: { text: 'string' }, components: { tokenizer } })
  for (let first = 0; first < documents.length; first += BATCH)
    await insertMultiple(
      db,
      documents.slice(first, first + BATCH).map((text, i) => ({ id: String(first + i), text })),
      BATCH,
    )
  return {
    // Its default: a document needs any of the words.
    ask: async (term, limit) => {
      const { hits } = await search(db, { term, limit, threshold: 1, relevance: BM25 })
      return hits.map(({ id, score }): [number, number] => [Number(id), score])
    },
  }
}

async function lancedb(documents: readonly string[], folder: string): Promise<Peer> {
  interface Found {
    row: number
    _score: number
  }
  interface Query {
    fullTextSearch(query: string, options: object): Query
    select(columns: string[]): Query
    limit(k: number): Query
    toArray(): Promise<Found[]>
  }
  interface Table {
    add(rows: object[]): Promise<void>
    createIndex(column: string, options: object): Promise<void>
    query(): Query
  }
  interface Lance {
    connect(path: string): Promise<{ createTable(name: string, rows: object[]): Promise<Table> }>
    Index: { fts(options: object): unknown }
  }
  const { connect, Index } = load('@lancedb/lancedb') as Lance
  mkdirSync(folder, { recursive: true })
  const connection = await connect(folder)
  let table: Table | undefined
  for (let first = 0; first < documents.length; first += BATCH) {
    const rows = documents.slice(first, first + BATCH).map((text, i) => ({ row: first + i, text }))
    if (table) await table.add(rows)
    else table = await connection.createTable('documents', rows)
  }
  if (!table) throw new Error('no documents')
  const config = Index.fts({
    withPosition: false,
    baseTokenizer: 'whitespace',
    lowercase: false,
    stem: false,
    removeStopWords: false,
    asciiFolding: false,
  })
  await table.createIndex('text', { config })
  const made = table
  return {
    ask: async (query, k) => {
      const found = await made
        .query()
        .fullTextSearch(query, { columns: ['text'] })
        .select(['row', '_score'])
        .limit(k)
        .toArray()
      return found.map(({ row, _score }): [number, number] => [row, _score])
    },
  }
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

const [name = '', termsFile = '', queriesFile = '', folder = ''] = process.argv.slice(2)
const documents = readFileSync(termsFile, 'utf8').split('\n').slice(0, -1)
const queries = JSON.parse(readFileSync(queriesFile, 'utf8')) as Record<string, string[]>
const startedMs = performance.now()
const make = { minisearch, orama, lancedb }[name]
if (!make) throw new Error(`no peer ${name}`)
const peer = await make(documents, folder)
const answer: PeerAnswer = {
  seconds: (performance.now() - startedMs) / 1000,
  bytes: name === 'lancedb' ? bytesOf(folder) : 0,
  found: {},
}
for (const [list, texts] of Object.entries(queries)) {
  for (const text of texts.slice(0, 20)) await peer.ask(text, TOP[0])
  for (const k of TOP) {
    const times: number[] = []
    const hits: Hits[] = []
    for (const text of texts) {
      const beforeMs = performance.now()
      const found = await peer.ask(text, k)
      times.push(performance.now() - beforeMs)
      hits.push(found)
    }
    answer.found[`${list}, top ${k}`] = { times, hits }
  }
}
process.stdout.write(JSON.stringify(answer))
