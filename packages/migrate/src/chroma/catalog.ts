/** Reads the collections of a Chroma database: the tables `collections`, `collection_metadata` and `segments`. */
import { corrupt, type ReadOnlyDatabase, type Space, stringifyExact, unsupported } from 'siltstone/internal'
import { targetName } from '../names.ts'
import type { SourceCollection } from '../types.ts'
import { scalarOf } from './chroma-metadata.ts'

export interface ChromaCollection extends SourceCollection {
  id: string
  vectorSegment: string
  metadataSegment: string
}

const SPACES: readonly Space[] = ['l2', 'cosine', 'ip']

export function readCollections(database: ReadOnlyDatabase, tenant: string, name: string): ChromaCollection[] {
  const rows = database.all(
    `SELECT c.* FROM collections c JOIN databases d ON d.id = c.database_id
     WHERE d.tenant_id = ? AND d.name = ? ORDER BY c.name`,
    tenant,
    name,
  )
  return rows.map((row) => {
    const id = String(row['id'])
    const metadata = collectionMetadata(database, id)
    const { hnsw, embeddingFunction } = configurationOf(
      json(row['schema_str']),
      json(row['config_json_str']),
      metadata,
      String(row['name']),
    )
    const segment = (scope: string): string => segmentOf(database, id, scope)
    return {
      id,
      name: String(row['name']),
      targetName: targetName(String(row['name'])),
      space: hnsw.space,
      metadata: metadata.size === 0 ? null : stringifyExact(metadata),
      hnsw,
      embeddingFunction,
      dimension: row['dimension'] === null ? null : Number(row['dimension']),
      vectorSegment: segment('VECTOR'),
      metadataSegment: segment('METADATA'),
    }
  })
}

function segmentOf(database: ReadOnlyDatabase, collection: string, scope: string): string {
  const [row] = database.all('SELECT id, type FROM segments WHERE collection = ? AND scope = ?', collection, scope)
  if (row === undefined) throw corrupt('segment-missing', `the collection ${collection} has no ${scope} segment`)
  const type = String(row['type'])
  if (!/hnsw-local-persisted|metadata\/sqlite/.test(type))
    throw unsupported(
      'segment-type',
      `the collection ${collection} has a segment of type ${type}, which cannot be read; migrate from the server`,
    )
  return String(row['id'])
}

function collectionMetadata(database: ReadOnlyDatabase, id: string): Map<string, unknown> {
  const metadata = new Map<string, unknown>()
  for (const row of database.all('SELECT * FROM collection_metadata WHERE collection_id = ? ORDER BY key', id)) {
    const value = scalarOf(row, 'str_value')
    if (value !== undefined) metadata.set(String(row['key']), value)
  }
  return metadata
}

type Json = Record<string, unknown>

/**
 * The space is stored in one of several places, newest first: the schema (since 1.3), `hnsw` of the configuration (since
 * 1.0), the metadata key `hnsw:space`. Chroma 0.6 also writes a configuration, but with l2 for every collection: it comes
 * last.
 */
function configurationOf(
  schema: Json,
  configuration: Json,
  metadata: ReadonlyMap<string, unknown>,
  name: string,
): { hnsw: Json & { space: Space }; embeddingFunction: Json | null } {
  const embedding = object(object(schema['keys'])['#embedding'])
  const index = object(object(object(embedding['float_list'])['vector_index'])['config'])
  const spann = object(configuration['spann'])
  const hnsw = { ...object(configuration['hnsw']), ...object(index['hnsw']) }
  const legacy = object(configuration['hnsw_configuration'])
  const stored =
    index['space'] ??
    object(configuration['hnsw'])['space'] ??
    spann['space'] ??
    metadata.get('hnsw:space') ??
    legacy['space']
  const space = SPACES.find((known) => known === (stored ?? 'l2'))
  if (space === undefined)
    throw unsupported(
      'space',
      `the collection ${name} has the unknown space ${JSON.stringify(stored)}; known are ${SPACES.join(', ')}`,
      { field: 'space' },
    )
  const embeddingFunction = index['embedding_function'] ?? configuration['embedding_function'] ?? null
  return { hnsw: { ...hnsw, space }, embeddingFunction: embeddingFunction === null ? null : object(embeddingFunction) }
}

function json(text: unknown): Json {
  return typeof text === 'string' ? object(JSON.parse(text)) : {}
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {}
}
