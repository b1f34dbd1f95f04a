/**
 * Writes answers as JSON text. Stored metadata is exact JSON text and is copied as it is, so 64-bit integers and `1.0`
 * are returned as they were sent.
 */
import type { CollectionInfo } from '../model/collection.ts'
import type { GetResponse, QueryResponse } from '../model/read.ts'
import type { HitExplanation, SearchHits, SearchResponse } from '../model/search.ts'
import type { CollectionContent } from '../model/store.ts'
import { configurationOf } from './configuration/configuration.ts'
import { shownSchema } from './configuration/schema.ts'
import { attachedOf } from './functions/attached-function.ts'
import { floatsText, floatText, numberText } from './wire/float-text.ts'
import type { IncludeName } from './wire/include.ts'

type Columns = Pick<GetResponse, 'embeddings' | 'documents' | 'metadatas' | 'uris'>

/** Answers are made in pieces of about this many characters, so that a large one is sent while it is made. */
const PIECE = 32 * 1024

export function getText(
  response: GetResponse,
  include: readonly IncludeName[],
  more: Record<string, unknown> = {},
): Iterable<string> {
  return objectPieces({
    ids: listPieces(response.ids, stringText),
    ...columnPieces(response),
    include: [JSON.stringify(include)],
    ...Object.fromEntries(Object.entries(more).map(([key, value]) => [key, [JSON.stringify(value)]])),
  })
}

export function queryText({ hits }: QueryResponse, include: readonly IncludeName[]): Iterable<string> {
  const nested = (name: keyof Columns) =>
    include.includes(name) ? nestedPieces(hits, (one) => columnPieces(one)[name]) : ['null']
  return objectPieces({
    ids: nestedPieces(hits, ({ ids }) => listPieces(ids, stringText)),
    embeddings: nested('embeddings'),
    documents: nested('documents'),
    uris: nested('uris'),
    metadatas: nested('metadatas'),
    distances: include.includes('distances')
      ? nestedPieces(hits, ({ distances }) => listPieces(distances, numberText))
      : ['null'],
    include: [JSON.stringify(include)],
  })
}

/** @param selects the selected keys of each search */
export function searchText({ results }: SearchResponse, selects: readonly (readonly string[])[]): Iterable<string> {
  const nested = <T>(column: (hits: SearchHits) => readonly T[] | undefined, textOf: (value: T) => string) =>
    nestedPieces(results, (hits) => {
      const values = column(hits)
      return values ? listPieces(values, textOf) : ['null']
    })
  return objectPieces({
    ids: nested(({ ids }) => ids, stringText),
    documents: nested(({ documents }) => documents, stringText),
    embeddings: nested(({ embeddings }) => embeddings, vectorText),
    metadatas: nested(
      ({ metadatas }) => metadatas,
      (text) => text ?? 'null',
    ),
    scores: nested(({ scores }) => scores, floatText),
    select: [JSON.stringify(selects)],
    ...(results.some(({ explanations }) => explanations) && {
      explanations: nested(({ explanations }) => explanations, explanationText),
    }),
    ...(results.some(({ highlights }) => highlights) && {
      highlights: nested(({ highlights }) => highlights, JSON.stringify),
    }),
    ...(results.some(({ facets }) => facets) && {
      facets: listPieces(results, ({ facets }) => (facets ? facetsText(facets) : 'null')),
    }),
    ...(results.some(({ didYouMean }) => didYouMean !== undefined) && {
      did_you_mean: listPieces(results, ({ didYouMean = null }) => JSON.stringify(didYouMean)),
    }),
    ...(results.some(({ suggestions }) => suggestions) && {
      suggestions: listPieces(results, ({ suggestions = null }) => JSON.stringify(suggestions)),
    }),
  })
}

function facetsText(facets: NonNullable<SearchHits['facets']>): string {
  const lists = [...facets].map(([key, values]): [string, string] => [
    key,
    `[${values.map(({ value, count }) => objectText({ value, count: String(count) })).join(',')}]`,
  ])
  // fromEntries defines properties, so a key named __proto__ is a key like any other.
  return objectText(Object.fromEntries(lists))
}

function explanationText({ score, knn }: HitExplanation): string {
  const numberOrNull = (number: number | null) => (number === null ? 'null' : floatText(number))
  const parts = knn.map(({ rank, score, contribution, words }) =>
    objectText({
      rank: JSON.stringify(rank),
      score: numberOrNull(score),
      contribution: numberOrNull(contribution),
      ...(words && { words: JSON.stringify(words) }),
    }),
  )
  return objectText({ score: floatText(score), knn: `[${parts.join(',')}]` })
}

/** The text of a list of collections. */
export function collectionsText(infos: readonly CollectionInfo[]): Iterable<string> {
  return listPieces(infos, (info) => collectionText(info))
}

/** @param content for the versions, and for the schema the metadata keys that records have */
export function collectionText(info: CollectionInfo, content?: CollectionContent): string {
  const configuration = configurationOf(info)
  const { space, ef_construction, ef_search, max_neighbors, resize_factor, sync_threshold } = configuration.hnsw
  const attached = attachedOf(info)
  return objectText({
    id: JSON.stringify(info.id),
    name: JSON.stringify(info.name),
    configuration_json: JSON.stringify({
      hnsw: { space, ef_construction, ef_search, max_neighbors, resize_factor, sync_threshold },
      spann: null,
      embedding_function: configuration.embeddingFunction,
    }),
    schema: JSON.stringify({
      ...shownSchema(info.schema, configuration, content?.metadataKeys),
      ...(attached && { source_attached_function_id: attached.id }),
    }),
    metadata: info.metadata ?? 'null',
    dimension: JSON.stringify(info.dimension),
    tenant: JSON.stringify(info.tenant),
    database: JSON.stringify(info.database),
    log_position: String(content?.version ?? 0),
    version: String(content?.watermark ?? 0),
  })
}

/** Columns that were not read are null. */
function columnPieces({ embeddings, documents, metadatas, uris }: Columns): Record<keyof Columns, Iterable<string>> {
  return {
    embeddings: embeddings ? listPieces(embeddings, vectorText) : ['null'],
    documents: documents ? listPieces(documents, stringText) : ['null'],
    uris: uris ? listPieces(uris, stringText) : ['null'],
    metadatas: metadatas ? listPieces(metadatas, (text) => text ?? 'null') : ['null'],
  }
}

function stringText(text: string | null): string {
  return JSON.stringify(text)
}

function vectorText(vector: Float32Array | null): string {
  return vector === null ? 'null' : floatsText(vector)
}

function* listPieces<T>(values: readonly T[], textOf: (value: T) => string): Generator<string> {
  let piece = '['
  for (const [i, value] of values.entries()) {
    if (i > 0) piece += ','
    piece += textOf(value)
    if (piece.length < PIECE) continue
    yield piece
    piece = ''
  }
  yield `${piece}]`
}

function* nestedPieces<T>(values: readonly T[], piecesOf: (value: T) => Iterable<string>): Generator<string> {
  yield '['
  for (const [i, value] of values.entries()) {
    if (i > 0) yield ','
    yield* piecesOf(value)
  }
  yield ']'
}

function* objectPieces(fields: Record<string, Iterable<string>>): Generator<string> {
  let separator = '{'
  for (const [key, pieces] of Object.entries(fields)) {
    yield `${separator}${JSON.stringify(key)}:`
    yield* pieces
    separator = ','
  }
  yield '}'
}

/** @param fields their values are JSON text */
export function objectText(fields: Record<string, string>): string {
  return `{${Object.entries(fields)
    .map(([key, text]) => `${JSON.stringify(key)}:${text}`)
    .join(',')}}`
}
