/**
 * Writes answers as JSON text. Stored metadata is exact JSON text and is copied as it is, so 64-bit integers and `1.0`
 * are returned as they were sent.
 */
import type { CollectionInfo } from '../model/collection.ts'
import type { GetResponse, QueryHits, QueryResponse } from '../model/read.ts'
import { configurationOf } from './configuration/configuration.ts'
import { floatsText, numbersText } from './wire/float-text.ts'
import type { IncludeName } from './wire/include.ts'
import { shownSchema } from './configuration/schema.ts'

type Columns = Pick<GetResponse, 'embeddings' | 'documents' | 'metadatas' | 'uris'>

export function getText(
  response: GetResponse,
  include: readonly IncludeName[],
  more: Record<string, unknown> = {},
): string {
  const columns = columnTexts([response])
  return objectText({
    ids: JSON.stringify(response.ids),
    embeddings: columns.embeddings[0] ?? 'null',
    documents: columns.documents[0] ?? 'null',
    uris: columns.uris[0] ?? 'null',
    metadatas: columns.metadatas[0] ?? 'null',
    include: JSON.stringify(include),
    ...Object.fromEntries(Object.entries(more).map(([key, value]) => [key, JSON.stringify(value)])),
  })
}

export function queryText({ hits }: QueryResponse, include: readonly IncludeName[]): string {
  const columns = columnTexts(hits)
  const nested = (name: IncludeName, texts: string[]) => (include.includes(name) ? `[${texts.join(',')}]` : 'null')
  return objectText({
    ids: JSON.stringify(hits.map(({ ids }) => ids)),
    embeddings: nested('embeddings', columns.embeddings),
    documents: nested('documents', columns.documents),
    uris: nested('uris', columns.uris),
    metadatas: nested('metadatas', columns.metadatas),
    distances: nested('distances', hits.map(distancesText)),
    include: JSON.stringify(include),
  })
}

export function collectionText(info: CollectionInfo): string {
  const configuration = configurationOf(info)
  const { space, ef_construction, ef_search, max_neighbors, resize_factor, sync_threshold } = configuration.hnsw
  return objectText({
    id: JSON.stringify(info.id),
    name: JSON.stringify(info.name),
    configuration_json: JSON.stringify({
      hnsw: { space, ef_construction, ef_search, max_neighbors, resize_factor, sync_threshold },
      spann: null,
      embedding_function: configuration.embeddingFunction,
    }),
    schema: JSON.stringify(shownSchema(info.schema, configuration)),
    metadata: info.metadata ?? 'null',
    dimension: JSON.stringify(info.dimension),
    tenant: JSON.stringify(info.tenant),
    database: JSON.stringify(info.database),
    log_position: '0',
    version: '0',
  })
}

/** The columns' texts, one per group of rows; columns that are not included are empty. */
function columnTexts(groups: readonly Columns[]): Record<keyof Columns, string[]> {
  const texts: Record<keyof Columns, string[]> = { embeddings: [], documents: [], metadatas: [], uris: [] }
  for (const { embeddings, documents, metadatas, uris } of groups) {
    if (embeddings !== undefined) {
      texts.embeddings.push(
        `[${embeddings.map((vector) => (vector === null ? 'null' : floatsText(vector))).join(',')}]`,
      )
    }
    if (documents !== undefined) texts.documents.push(JSON.stringify(documents))
    if (metadatas !== undefined) texts.metadatas.push(`[${metadatas.map((text) => text ?? 'null').join(',')}]`)
    if (uris !== undefined) texts.uris.push(JSON.stringify(uris))
  }
  return texts
}

function distancesText({ distances }: QueryHits): string {
  return numbersText(distances)
}

/** @param fields their values are JSON text */
export function objectText(fields: Record<string, string>): string {
  return `{${Object.entries(fields)
    .map(([key, text]) => `${JSON.stringify(key)}:${text}`)
    .join(',')}}`
}
