/** Reads parts of a request that several endpoints share. */
import { checkCollectionName } from '../catalog/name-rules.ts'
import type { PageOptions } from '../model/collection.ts'
import type { ReadLevel, ReadOptions } from '../model/read.ts'
import type { Collection } from '../model/store.ts'
import { invalid, isSiltstoneError, notFound, type SiltstoneError, unavailable } from '../errors.ts'
import { refreshOutput } from './functions/refresh.ts'
import { type Fields, readWord } from './wire/fields.ts'
import { ApiProblem, badValue } from './wire/problem.ts'
import type { EmbedTexts } from './wire/record-bodies.ts'
import type { Call } from './route.ts'

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

export interface DatabasePath {
  tenant: string
  database: string
}

export function databaseOf(call: Call): DatabasePath {
  return { tenant: call.param('tenant'), database: call.param('database') }
}

/** @throws SiltstoneError `invalid` (bad-collection-id) */
export function collectionIdOf(call: Call): string {
  const text = call.param('collection_id')
  if (!UUID.test(text)) {
    throw invalid('bad-collection-id', 'Collection ID is not a valid UUIDv4', { field: 'collection_id' })
  }
  const hex = text.replaceAll('-', '').toLowerCase()
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** @throws SiltstoneError `not-found` with the message of Chroma's data plane, which ends with a full stop */
export async function openCollection(call: Call): Promise<Collection> {
  const { tenant, database } = databaseOf(call)
  const id = collectionIdOf(call)
  try {
    return await call.options.engine.collection(tenant, database, id)
  } catch (error) {
    if (!isSiltstoneError(error, 'not-found')) throw error
    throw notFound('collection-missing', `Collection [${id}] does not exist.`, { cause: error })
  }
}

/**
 * For a read of records. If the collection is the output of a function, it is brought up to date, unless a past version is
 * read or the server does not write.
 */
export async function openForReading(call: Call): Promise<Collection> {
  const collection = await openCollection(call)
  const { engine, log, readOnly } = call.options
  const isPast = (call.header('x-siltstone-at') ?? call.query('at')) !== undefined
  if (readOnly !== true && !isPast) await refreshOutput(engine, collection, log)
  return collection
}

/** Reads an unsigned integer from the query string. @throws SiltstoneError `invalid` (bad-query) */
export function uintQuery(call: Call, name: string): number | undefined {
  const text = call.query(name)
  if (text === undefined) return undefined
  if (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 32) return Number(text)
  throw badQuery(name, 'invalid digit found in string')
}

function badQuery(name: string, detail: string): SiltstoneError {
  return invalid('bad-query', `Failed to deserialize query string: ${name}: ${detail}`, { field: name })
}

export function pageOf(call: Call): PageOptions {
  const limit = uintQuery(call, 'limit')
  const offset = uintQuery(call, 'offset')
  return { ...(limit !== undefined && { limit }), ...(offset !== undefined && { offset }) }
}

const LEVELS = {
  index_and_wal: 'strong',
  index_only: 'index',
  index_and_bounded_wal: 'bounded',
} as const satisfies Record<string, ReadLevel>
type LevelName = keyof typeof LEVELS
const LEVEL_NAMES = Object.keys(LEVELS) as LevelName[]
const readLevel = readWord(LEVEL_NAMES)

/**
 * The consistency of a read: `read_level` in the query string or the body, `x-siltstone-at-least` (or `atLeast`) and
 * `x-siltstone-at` (or `at`).
 */
export function readOptionsOf(call: Call, body?: Fields): ReadOptions {
  const options: ReadOptions = {}
  const named = call.query('read_level')
  const level = named === undefined ? body?.optional('read_level', readLevel) : levelQuery(named)
  if (level !== undefined) options.level = LEVELS[level]
  const atLeast = versionOf(call, 'x-siltstone-at-least', 'atLeast')
  if (atLeast !== undefined) options.atLeast = atLeast
  const at = versionOf(call, 'x-siltstone-at', 'at')
  if (at !== undefined) options.at = at
  return options
}

function levelQuery(name: string): LevelName {
  if ((LEVEL_NAMES as string[]).includes(name)) return name as LevelName
  const expected = LEVEL_NAMES.map((word) => `\`${word}\``).join(', ')
  throw badQuery('read_level', `unknown variant \`${name.slice(0, 60)}\`, expected one of ${expected}`)
}

function versionOf(call: Call, header: string, query: string): number | undefined {
  const text = call.header(header) ?? call.query(query)
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw invalid('bad-version', `${header} is '${text.slice(0, 60)}'; give the number of a version`, {
    field: header,
  })
}

/** @param field name of the field in the error. @throws SiltstoneError `invalid` */
export function checkedCollectionName(name: string, field: string): string {
  try {
    checkCollectionName(name)
  } catch (error) {
    throw isSiltstoneError(error, 'invalid') ? badValue(field, error.message) : error
  }
  return name
}

/** The collection's embedder; undefined when the server has no embedders. */
export function embedderOf(call: Call, collection: Collection): EmbedTexts | undefined {
  const { embedderFor } = call.options
  if (embedderFor === undefined) return undefined
  return (texts) => withProvider(async () => (await embedderFor(collection.info)).embed(texts))
}

/**
 * When a provider refuses the server's credentials, the client must not take that for a refusal of its own.
 * @throws SiltstoneError `unavailable` (embedder-refused), and what `work` throws
 */
export async function withProvider<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isSiltstoneError(error, 'unauthorized') && !isSiltstoneError(error, 'forbidden')) throw error
    throw unavailable('embedder-refused', `The embedding provider refused the server's credentials: ${error.message}`, {
      cause: error,
    })
  }
}

/**
 * Runs a request whose texts this server embedded. Who forgot to send vectors must not be told of a dimension alone.
 * @throws SiltstoneError what `work` throws; of `dimension-mismatch`, with the remedy
 */
export async function withEmbeddedTexts<T>(
  field: 'embeddings' | 'query_embeddings',
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isSiltstoneError(error, 'invalid') || error.code !== 'dimension-mismatch') throw error
    const remedy = `the request has no ${field}, so this server embedded its texts: send ${field} of the model that the collection's vectors come from`
    throw invalid('dimension-mismatch', `${error.message}; ${remedy}`, { field, cause: error })
  }
}

export function forbidden(code: string, message: string): ApiProblem {
  return new ApiProblem(403, 'ChromaError', code, message)
}
