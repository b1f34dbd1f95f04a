import type { Command } from 'commander'
import { Option } from 'commander'
import type { CollectionInfo } from '../../model/collection.ts'
import type { ReadLevel } from '../../model/read.ts'
import { saysKeys } from '../../model/schema.ts'
import { invalid } from '../../errors.ts'
import type { ExactJson } from '../../records/exact-json.ts'
import { andFilters, type Filter, parseWhere, parseWhereDocument } from '../../filter/index.ts'
import {
  commaSeparated,
  exactJson,
  fieldWeights,
  INCLUDES,
  recall,
  vector,
  version,
  wholeNumber,
} from '../arguments.ts'
import { command } from '../command.ts'
import { hybrid as hybridRank } from '../../library/index.ts'
import { HYBRID_LIST, noLimits, parseSearch, prepare } from '../../search/index.ts'
import { printSearch } from '../print-search.ts'
import { columnsFrom, printHits, printRecords } from '../print-records.ts'
import { type CommonOptions, Session, withEmbedders, withStoreOptions } from '../session.ts'

interface ReadCommandOptions extends CommonOptions {
  where?: ExactJson
  whereDocument?: ExactJson
  include: Column[]
  at?: number
  level: ReadLevel
}

type Column = (typeof INCLUDES)[number]

/** @param shown the columns without `--include`; undefined: the command decides */
function withReadOptions(made: Command, shown?: Column[]): Command {
  return made
    .option('--where <json>', 'only records whose metadata match', exactJson)
    .option('--where-document <json>', 'only records whose text matches', exactJson)
    .option('--include <columns>', `columns to show: ${INCLUDES.join(', ')}`, commaSeparated(INCLUDES), shown)
    .option('--at <version>', 'read an earlier state: a version, or the name of a snapshot', version)
    .addOption(
      new Option('--level <level>', 'consistency: every write, a state up to a second old, or the snapshot alone')
        .choices(['strong', 'bounded', 'index'])
        .default('strong'),
    )
}

function filterOf({ where, whereDocument }: ReadCommandOptions): Filter | undefined {
  return andFilters(
    where === undefined ? undefined : parseWhere(where, 'exact'),
    whereDocument === undefined ? undefined : parseWhereDocument(whereDocument),
  )
}

function readOf(options: ReadCommandOptions) {
  const filter = filterOf(options)
  return {
    ...(filter && { filter }),
    ...(options.at === undefined ? { level: options.level } : { at: options.at }),
    include: columnsFrom(options.include),
  }
}

interface QueryOptions extends ReadCommandOptions {
  collection?: string
  text?: string
  vector?: Float32Array
  k: number
  limit?: number
  exact?: boolean
  recall?: number
  explain?: boolean
  hybrid?: boolean
  fields?: Record<string, number>
}

/** As it is on the command line. */
type GivenQuery = Omit<QueryOptions, 'include'> & { include?: Column[] }

export function queryCommand(): Command {
  const made = command('query [collection] [question]', 'find the records nearest to a text or a vector', [
    'query notes "how do rivers make stone?"',
    'query --collection notes "how do rivers make stone?"',
    `query notes --text "invoices" --where '{"year":{"$gte":2024}}' -k 3`,
    'query notes --text "invoice AB-1234" --hybrid --explain',
    'query notes --vector 0.1,0.2,0.3 --include metadatas,uris --json',
  ])
  return withReadOptions(withEmbedders(withStoreOptions(made)))
    .option('--collection <name>', 'the collection; the argument is then the question')
    .option('--text <text>', 'the question, to embed with the collection’s embedder')
    .option('--vector <numbers>', 'query vector, comma-separated', vector)
    .option('-k, --k <n>', 'number of records', wholeNumber(1), 10)
    .addOption(new Option('-n, --limit <n>', 'the same as -k').argParser(wholeNumber(1)).conflicts('k'))
    .option('--exact', 'measure every record instead of using the index')
    .option('--recall <share>', 'share of the nearest records that queries find on average (default: 0.95)', recall)
    .option('--hybrid', 'rank by meaning and by the words of documents together')
    .option('--fields <weights>', 'with --hybrid: texts whose words count, such as title=3,#document=1', fieldWeights)
    .option('--explain', 'show requests, visited clusters, candidates and times; with --hybrid, where scores come from')
    .action((one: string | undefined, two: string | undefined, given: GivenQuery) =>
      Session.use(given, { create: false }, async (session) => {
        const { name, options } = asked([one, two], given)
        if (options.hybrid === true) return hybrid(session, name, options)
        if ((options.text === undefined) === (options.vector === undefined))
          throw invalid('nothing-to-query', 'give either a question or --vector', { field: 'question' })
        const info = await session.collection(name)
        const query = options.vector ?? (await embed(session, info, options.text ?? ''))
        const collection = await session.engine.collection(info.tenant, info.database, info.id)
        const { hits, version, explanation } = await collection.query({
          ...readOf(options),
          vectors: [query],
          k: options.limit ?? options.k,
          search: {
            ...(options.exact === true && { exact: true }),
            ...(options.recall !== undefined && { recall: options.recall }),
          },
          explain: options.explain === true,
        })
        const [first = { ids: [], distances: [] }] = hits
        await printHits(session.out, first, version, explanation)
      }),
    )
}

/** A hit says where it is from, by its URI, unless columns are chosen; searches by words too know no URIs. */
const columnsOf = ({ include, hybrid }: GivenQuery): Column[] =>
  include ?? ['documents', 'metadatas', ...(hybrid === true ? [] : (['uris'] as const))]

/**
 * The collection and the question, which are named by options or by their places.
 * @throws SiltstoneError `invalid` (no-collection, question-twice)
 */
function asked(given: readonly (string | undefined)[], options: GivenQuery): { name: string; options: QueryOptions } {
  const places = given.filter((value) => value !== undefined)
  const name = options.collection ?? places.shift()
  if (name === undefined)
    throw invalid('no-collection', 'name the collection: siltstone query notes "how do rivers make stone?"', {
      field: 'collection',
    })
  const questions = [...places, ...(options.text === undefined ? [] : [options.text])]
  if (questions.length > 1)
    throw invalid('question-twice', `give one question, in quotes, instead of ${JSON.stringify(questions)}`, {
      field: 'question',
    })
  const [text] = questions
  return { name, options: { ...options, ...(text !== undefined && { text }), include: columnsOf(options) } }
}

/** @throws SiltstoneError `invalid` (nothing-to-query, include-unknown); and what a search throws */
async function hybrid(session: Session, name: string, options: QueryOptions): Promise<void> {
  const { text, vector: given, at, level, exact, include, fields } = options
  if (text === undefined)
    throw invalid('nothing-to-query', 'give a question, whose words --hybrid looks for', { field: 'question' })
  if (include.includes('uris'))
    throw invalid('include-unknown', '--hybrid shows documents, metadatas and embeddings', { field: '--include' })
  const info = await session.collection(name)
  const limit = options.limit ?? options.k
  const rank = hybridRank({ query: text, vector: given, fields, ...(limit > HYBRID_LIST && { limit }) })
  const select = { keys: ['#score', ...include.flatMap((column) => COLUMN_KEYS[column] ?? [])] }
  const wanted = { rank, limit: { limit }, select, did_you_mean: { text } }
  const { search } = parseSearch(wanted, 'search', noLimits, 'plain')
  const filter = filterOf(options)
  const { schema } = info
  const searches = await prepare([{ ...search, ...(filter && { filter }) }], {
    schema,
    needsIndex: saysKeys(schema),
    embed: async (texts) => Promise.all(texts.map((one) => embed(session, info, one))),
  })
  const collection = await session.engine.collection(info.tenant, info.database, info.id)
  const effort = {
    ...(exact === true && { exact: true }),
    ...(options.recall !== undefined && { recall: options.recall }),
  }
  const read = at === undefined ? { level } : { at }
  await printSearch(
    session.out,
    await collection.search({ searches, effort, explain: options.explain === true, ...read }),
    ['by meaning', 'by words'],
  )
}

/** What a search calls the columns. */
const COLUMN_KEYS: Partial<Record<(typeof INCLUDES)[number], string>> = {
  documents: '#document',
  metadatas: '#metadata',
  embeddings: '#embedding',
}

async function embed(session: Session, info: CollectionInfo, text: string): Promise<Float32Array> {
  const embedder = session.registry.forCollection({
    embeddingFunction: info.configuration['embedding_function'],
    dimension: info.dimension,
  })
  const [vector] = await embedder.embed([text])
  return vector as Float32Array
}

interface GetOptions extends ReadCommandOptions {
  limit: number
  offset: number
}

export function getCommand(): Command {
  const made = command('get <collection> [ids...]', 'read records by id or filter, in insertion order', [
    'get notes --limit 5',
    'get notes doc-1 doc-2 --include documents,embeddings',
    `get notes --where-document '{"$contains":"granite"}' --at 12`,
  ])
  return withReadOptions(withStoreOptions(made), ['documents', 'metadatas'])
    .option('-n, --limit <n>', 'at most this many', wholeNumber(0), 20)
    .option('--offset <n>', 'skip this many', wholeNumber(0), 0)
    .action((name: string, ids: string[], options: GetOptions) =>
      Session.use(options, { create: false }, async (session) => {
        const info = await session.collection(name)
        const collection = await session.engine.collection(info.tenant, info.database, info.id)
        const answer = await collection.get({
          ...readOf(options),
          ...(ids.length > 0 && { ids }),
          limit: options.limit,
          offset: options.offset,
        })
        await printRecords(session.out, answer)
      }),
    )
}
