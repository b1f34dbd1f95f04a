/**
 * Search by words over a million short documents (`npm run bench:corpus` makes them), beside other libraries: time of queries of two
 * and of six words, whether results are equal, filters, the first query from a distant bucket, size of the index.
 */
import { execFile } from 'node:child_process'
import { createReadStream, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { Analyzer, type Filter, pathOf, seededRandom } from 'siltstone/internal'
import { openEngine, openPlainEngine } from '../inprocess/open.ts'
import { sectionsOf } from '../inprocess/sections.ts'
import { type Collection, text } from '../inprocess/word-search.ts'
import { megabytes, type Report, type Row } from '../measure/report.ts'
import { mean, median, percentile } from '../measure/statistics.ts'
import type { Options } from '../options.ts'
import { BENCH, PARAGRAPHS, PYTHON, STORES } from '../places.ts'
import { type PeerAnswer, TOP } from '../paragraphs/answer.ts'
import type { Scenario } from './scenario.ts'

const NAME = 'paragraphs'
const LEAST_LETTERS = 4
const QUERIES = 200
const FRESH_ENGINES = 20
/** BM25 as Lucene computes it lacks this constant factor. */
const LUCENE = 2.2
const english = Analyzer.of('english')

export const paragraphs: Scenario = {
  about: 'search by words over a million short documents beside tantivy, bm25s, LanceDB, minisearch and Orama',
  records: [1_000_000],
  run: async (options, report) => {
    const count = report.records
    const documents = await readParagraphs(count)
    const textBytes = documents.reduce((sum, document) => sum + Buffer.byteLength(document), 0)
    report.note(`${documents.length} paragraphs of ${megabytes(textBytes)} MB`)
    const directory = join(STORES, `${NAME}-${documents.length}`)
    if (options.rebuild || !existsSync(directory)) await build(directory, documents, report)
    const queries = queriesOf(documents, options.seed)
    const own = await measureOwn(directory, queries, textBytes, report)
    await measureFilters(directory, queries, report)
    await measureCold(directory, queries, options, report)
    await measurePeers(documents, queries, own, options, report)
  },
}

async function readParagraphs(count: number): Promise<string[]> {
  if (!existsSync(PARAGRAPHS)) throw new Error(`${PARAGRAPHS} is missing; make it with: npm run bench:corpus`)
  const documents: string[] = []
  for await (const line of createInterface({ input: createReadStream(PARAGRAPHS) })) {
    documents.push(JSON.parse(line) as string)
    if (documents.length === count) break
  }
  return documents
}

/** Vectors have two dimensions: what is measured is words. */
async function build(directory: string, documents: readonly string[], report: Report): Promise<void> {
  rmSync(directory, { recursive: true, force: true })
  const { engine, use, close } = await openEngine(directory)
  const { collection } = await use(NAME)
  const before = process.cpuUsage()
  for (let first = 0; first < documents.length; first += 10_000) {
    await collection.write(
      documents.slice(first, first + 10_000).map((document, i) => ({
        op: 'upsert' as const,
        id: `p${first + i}`,
        vector: Float32Array.of(1, ((first + i) % 97) / 97),
        document,
        metadata: `{"bucket":${(first + i) % 100}}`,
        uri: null,
      })),
    )
    if (first % 50_000 === 40_000) await engine.compact(pathOf(collection.info), { merge: false })
  }
  await engine.compact(pathOf(collection.info), { full: true })
  const { user, system } = process.cpuUsage(before)
  report.note(`built, ${((user + system) / 1e6).toFixed(0)} CPU seconds`)
  await close()
}

type Queries = Record<'2 words' | '6 words', string[]>

/** Words of one paragraph each, which are content words for the most part. */
function queriesOf(documents: readonly string[], seed: number): Queries {
  const random = seededRandom(seed)
  const ofWords = (count: number): string[] => {
    const queries: string[] = []
    while (queries.length < QUERIES) {
      const document = documents[Math.floor(random.next() * documents.length)] ?? ''
      const words = [...new Set(document.toLowerCase().match(/[a-z]+/g))].filter((word) => word.length >= LEAST_LETTERS)
      if (words.length < count) continue
      const chosen: string[] = []
      while (chosen.length < count) chosen.push(...words.splice(Math.floor(random.next() * words.length), 1))
      // Two words of one stem would count twice here, and once or twice elsewhere.
      if (english.query(chosen.join(' ')).terms.size === count) queries.push(chosen.join(' '))
    }
    return queries
  }
  return { '2 words': ofWords(2), '6 words': ofWords(6) }
}

interface Found {
  times: number[]
  hits: [row: number, score: number][][]
}

async function ask(collection: Collection, query: string, limit: number, filter?: Filter): Promise<[number, number][]> {
  const knn = { query: text(query), key: '#document', limit, default: null, returnRank: false }
  const select = { documents: false, embeddings: false, metadatas: false, scores: true }
  const search = { rank: { kind: 'knn' as const, knn }, offset: 0, limit, select, ...(filter && { filter }) }
  const { results } = await collection.search({ searches: [search] })
  const { ids = [], scores = [] } = results[0] ?? {}
  return ids.map((id, i) => [Number(id.slice(1)), scores[i] as number])
}

async function timed(collection: Collection, queries: readonly string[], k: number, filter?: Filter): Promise<Found> {
  for (const query of queries.slice(0, 20)) await ask(collection, query, k, filter)
  const found: Found = { times: [], hits: [] }
  for (const query of queries) {
    const startedMs = performance.now()
    const hits = await ask(collection, query, k, filter)
    found.times.push(performance.now() - startedMs)
    found.hits.push(hits)
  }
  return found
}

const timesOf = ({ times }: { times: readonly number[] }) => {
  const sorted = times.toSorted((a, b) => a - b)
  return { 'p50 ms': percentile(sorted, 0.5), 'p90 ms': percentile(sorted, 0.9) }
}

async function measureOwn(directory: string, queries: Queries, textBytes: number, report: Report) {
  const { engine, use, close } = await openPlainEngine(directory)
  const { collection } = await use(NAME)
  const rows: Row[] = []
  const own = new Map<string, Found>()
  // Once before, so that all lists are in memory, as those of the libraries are, and the program is compiled.
  for (const texts of Object.values(queries)) await timed(collection, texts, TOP[0])
  for (const [list, texts] of Object.entries(queries))
    for (const k of TOP) {
      const found = await timed(collection, texts, k)
      own.set(`${list}, top ${k}`, found)
      rows.push({ queries: `${list}, top ${k}`, ...timesOf(found) })
    }
  report.table('Siltstone, in process, one thread, warm, ids and scores alone', rows)
  const sizes = new Map<string, number>()
  for (const { name, length } of await sectionsOf(engine, collection))
    if (['words', 'dictionary'].includes(name)) sizes.set(name, (sizes.get(name) ?? 0) + length)
  const share = (bytes: number) => ({ MB: megabytes(bytes), '% of the text': (100 * bytes) / textBytes })
  const total = [...sizes.values()].reduce((a, b) => a + b, 0)
  report.table(`Sizes beside ${megabytes(textBytes)} MB of text`, [
    ...Array.from(sizes, ([section, bytes]) => ({ section, ...share(bytes) })),
    { section: 'both', ...share(total) },
  ])
  await close()
  return own
}

/** Results are compared with those of the whole ranking without a filter. */
async function measureFilters(directory: string, queries: Queries, report: Report): Promise<void> {
  const { use, close } = await openEngine(directory)
  const { collection } = await use(NAME)
  const rows: Row[] = []
  for (const [share, below] of [
    ['none', 100],
    ['10 %', 10],
    ['1 %', 1],
  ] as const) {
    const filter: Filter | undefined =
      below === 100 ? undefined : { kind: 'compare', key: 'bucket', op: 'lt', value: BigInt(below) }
    for (const [list, texts] of Object.entries(queries)) {
      const found = await timed(collection, texts, 10, filter)
      let equal = 0
      const checked = filter ? texts.slice(0, 30) : []
      for (const [i, query] of checked.entries()) {
        const all = await ask(collection, query, 1_000_000)
        const expected = all.filter(([row]) => row % 100 < below).slice(0, 10)
        if (JSON.stringify(expected) === JSON.stringify(found.hits[i])) equal++
      }
      rows.push({
        filter: share,
        queries: `${list}, top 10`,
        ...timesOf(found),
        'equal to plain evaluation': checked.length === 0 ? '–' : `${equal} of ${checked.length}`,
      })
    }
  }
  report.table('Filters', rows)
  await close()
}

async function measureCold(directory: string, queries: Queries, { delayMs }: Options, report: Report): Promise<void> {
  const first = await openEngine(directory)
  const { tenant, database, id } = (await first.use(NAME)).collection.info
  await first.close()
  const rows: Row[] = []
  for (const [list, texts] of Object.entries(queries)) {
    const times: number[] = []
    const rounds: number[] = []
    const requests: number[] = []
    const bytes: number[] = []
    for (const query of texts.slice(0, FRESH_ENGINES)) {
      const open = await openEngine(directory, { delayMs })
      const collection = await open.engine.collection(tenant, database, id)
      open.counting.takeCounts()
      open.rounds.takeRounds()
      const startedMs = performance.now()
      await ask(collection, query, 10)
      times.push(performance.now() - startedMs)
      rounds.push(open.rounds.takeRounds())
      const { get, list: lists, bytesOut } = open.counting.takeCounts()
      requests.push(get + lists)
      bytes.push(bytesOut)
      await open.close()
    }
    rows.push({
      queries: `${list}, top 10`,
      ...timesOf({ times }),
      'rounds, most': Math.max(...rounds),
      'requests, median': median(requests),
      'MB read, mean': mean(bytes) / 1e6,
    })
  }
  report.table(`First query of a process, ${delayMs} ms before each request`, rows)
}

const PEERS = ['tantivy', 'bm25s', 'lancedb', 'minisearch', 'orama'] as const
type PeerName = (typeof PEERS)[number]
/** Their indexes are JavaScript objects, and may need more memory or time than there is: smaller collections are tried first. */
const IN_OBJECTS: readonly PeerName[] = ['minisearch', 'orama']
const SMALLER = [100_000, 300_000]
const PEER_MINUTES = 10
const PEER_GB = 8
const run = promisify(execFile)

async function measurePeers(
  documents: readonly string[],
  queries: Queries,
  own: ReadonlyMap<string, Found>,
  options: Options,
  report: Report,
): Promise<void> {
  const folder = join(STORES, `${NAME}-peers`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const [termsFile, queriesFile] = [join(folder, 'terms.txt'), join(folder, 'queries.json')]
  const asTerms = (texts: readonly string[]) => texts.map((query) => [...english.query(query).terms.keys()].join(' '))
  writeFileSync(
    queriesFile,
    JSON.stringify(Object.fromEntries(Object.entries(queries).map(([list, texts]) => [list, asTerms(texts)]))),
  )
  const rows: Row[] = []
  // The default list names peers of vector searches.
  const asked = options.peers.includes('hnswlib') ? PEERS : PEERS.filter((name) => options.peers.includes(name))
  for (const peer of asked) {
    const sizes = IN_OBJECTS.includes(peer) ? SMALLER.filter((size) => size < documents.length) : []
    for (const size of [...sizes, documents.length]) {
      report.note(`${peer}, ${size} records`)
      const some = documents.slice(0, size)
      writeFileSync(termsFile, some.map((document) => `${termsOf(document)}\n`).join(''))
      const about = { library: peer, records: size }
      let answer: PeerAnswer
      try {
        answer = await askPeer(peer, termsFile, queriesFile, join(folder, peer))
      } catch (error) {
        // A library that is missing, or that does not get through with this size, is a result as well.
        report.note(`${peer}: ${String(error).slice(0, 400)}`)
        rows.push({ ...about, queries: failureOf(error) })
        break
      }
      const isWhole = size === documents.length
      for (const [list, found] of Object.entries(answer.found)) {
        const ours = own.get(list)?.hits ?? []
        rows.push({
          ...about,
          queries: list,
          ...timesOf(found),
          'same records': isWhole ? sharedRecords(ours, found.hits) : '–',
          'same scores': isWhole && peer === 'bm25s' ? sameScores(ours, found.hits) : '–',
          'index MB': answer.bytes === 0 ? '–' : megabytes(answer.bytes),
          'seconds to build': answer.seconds,
        })
      }
    }
  }
  report.table('Other libraries, over the same terms, one query after another', rows)
}

/** Of a peer's process. */
function failureOf(error: unknown): string {
  const { killed, signal } = error as { killed?: boolean; signal?: string | null }
  if (killed === true) return `did not end within ${PEER_MINUTES} minutes`
  if (signal === 'SIGABRT') return `did not end within ${PEER_GB} GB`
  return 'failed'
}

function termsOf(document: string): string {
  const terms: string[] = []
  english.each(document, (term) => terms.push(term))
  return terms.join(' ')
}

async function askPeer(peer: PeerName, terms: string, queries: string, folder: string): Promise<PeerAnswer> {
  const isPython = peer === 'tantivy' || peer === 'bm25s'
  const script = isPython
    ? join(BENCH, 'paragraph_peers.py')
    : fileURLToPath(new URL('../paragraphs/peer.ts', import.meta.url))
  const [program, flags] = isPython ? [PYTHON, []] : [process.execPath, [`--max-old-space-size=${PEER_GB * 1024}`]]
  const { stdout } = await run(program, [...flags, script, peer, terms, queries, folder], {
    maxBuffer: 1 << 30,
    timeout: PEER_MINUTES * 60_000,
  })
  return JSON.parse(stdout) as PeerAnswer
}

/** The mean share of our records that the other has, too. Records at one score may be cut differently. */
function sharedRecords(ours: Found['hits'], theirs: Found['hits']): number {
  return mean(
    ours.map((hits, i) => {
      const rows = new Set((theirs[i] ?? []).map(([row]) => row))
      return hits.length === 0 ? 1 : hits.filter(([row]) => rows.has(row)).length / hits.length
    }),
  )
}

/** Of how many queries all scores are those of the other library, to a hundred-thousandth. */
function sameScores(ours: Found['hits'], theirs: Found['hits']): string {
  const equal = ours.filter((hits, i) =>
    hits.every(
      ([, score], k) => Math.abs((1 - score) / LUCENE - (theirs[i]?.[k]?.[1] ?? Number.NaN)) < 1e-5 * (2 - score),
    ),
  )
  return `${equal.length} of ${ours.length}`
}
