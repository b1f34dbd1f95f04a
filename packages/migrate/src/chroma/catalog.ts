/**
 * Reads the collections of a Chroma database: the tables `collections`, `collection_metadata` and `segments`. What cannot be
 * read of one collection is a fault of this collection alone; the others are listed all the same.
 */
import {
  invalid,
  isSiltstoneError,
  isSpace,
  notFound,
  type Space,
  SPACES,
  stringifyExact,
  unsupported,
} from 'siltstone/internal'
import { targetName } from '../names.ts'
import type { OtherDatabase, Skipped, SourceCollection } from '../types.ts'
import { scalarOf } from './chroma-metadata.ts'
import type { ChromaDatabase } from './chroma-database.ts'

export interface ChromaCollection extends SourceCollection {
  id: string
  /** Null when the database names none; `vectorProblem` then says why. */
  vectorSegment: string | null
  metadataSegment: string
  /** Why the files of the vector segment cannot be read. */
  vectorProblem: string | null
}

export interface CatalogOptions {
  tenant: string
  database: string
  /** The space of collections whose configuration cannot be read. */
  space?: Space
}

const DEFAULT_PLACE = { tenant: 'default_tenant', database: 'default_database' }

export function readCollections(database: ChromaDatabase, options: CatalogOptions): ChromaCollection[] {
  return collectionRows(database, options).map((row) => {
    const id = String(row['id'])
    const name = String(row['name'])
    const bare: ChromaCollection = {
      id,
      name,
      targetName: targetName(name),
      space: 'l2',
      metadata: null,
      hnsw: null,
      embeddingFunction: null,
      dimension: dimensionOf(row['dimension']),
      vectorSegment: null,
      metadataSegment: '',
      vectorProblem: null,
    }
    try {
      return readCollection(database, row, bare, options.space)
    } catch (error) {
      if (!isSiltstoneError(error)) throw error
      return { ...bare, problem: error }
    }
  })
}

type Place = Pick<CatalogOptions, 'tenant' | 'database'>

/**
 * Chroma 0.4.0 to 0.4.14 has no tenants and no databases: all collections are in the default ones.
 * @throws SiltstoneError `not-found` (chroma-database)
 */
function collectionRows(database: ChromaDatabase, { tenant, database: name }: Place) {
  if (hasDatabases(database)) {
    const rows = database.all(
      `SELECT c.* FROM collections c JOIN databases d ON d.id = c.database_id
       WHERE d.tenant_id = ? AND d.name = ? ORDER BY c.name`,
      tenant,
      name,
    )
    const sql = 'SELECT count(*) AS n FROM databases WHERE tenant_id = ? AND name = ?'
    if (rows.length > 0 || database.all(sql, tenant, name)[0]?.['n'] !== 0n) return rows
  } else if (tenant === DEFAULT_PLACE.tenant && name === DEFAULT_PLACE.database)
    return database.all('SELECT * FROM collections ORDER BY name')
  const others = otherDatabases(database, { tenant, database: name })
  const shown = others.map((one) => `${one.database} of ${one.tenant} (${one.collections})`).join(', ')
  throw notFound(
    'chroma-database',
    `Chroma has no database ${name} of the tenant ${tenant}; collections are in ${shown || 'none'}: give --from-tenant and --from-database`,
    { field: '--from-database' },
  )
}

function hasDatabases(database: ChromaDatabase): boolean {
  return database.has('databases') && database.has('collections', 'database_id')
}

/** The other databases that have collections. */
export function otherDatabases(database: ChromaDatabase, { tenant, database: name }: Place): OtherDatabase[] {
  if (database.damage !== null) return []
  const sql = hasDatabases(database)
    ? `SELECT d.tenant_id AS tenant, d.name AS name, count(*) AS n FROM databases d JOIN collections c ON c.database_id = d.id
       GROUP BY d.id ORDER BY d.tenant_id, d.name`
    : `SELECT '${DEFAULT_PLACE.tenant}' AS tenant, '${DEFAULT_PLACE.database}' AS name, count(*) AS n FROM collections`
  return database
    .all(sql)
    .map((row) => ({ tenant: String(row['tenant']), database: String(row['name']), collections: Number(row['n']) }))
    .filter((one) => one.collections > 0 && (one.tenant !== tenant || one.database !== name))
}

function readCollection(
  database: ChromaDatabase,
  row: Readonly<Record<string, unknown>>,
  bare: ChromaCollection,
  givenSpace: Space | undefined,
): ChromaCollection {
  const { id, name } = bare
  const faults: Skipped[] = damageIn(database)
  const metadata = collectionMetadata(database, id, faults)
  const schema = json(row['schema_str'], 'the schema', faults)
  const configuration = json(row['config_json_str'], 'the configuration', faults)
  const { stored, hnsw, embeddingFunction } = configurationOf(schema, configuration, metadata)
  const space = isSpace(stored) ? stored : undefined
  if (stored !== undefined && space === undefined && givenSpace === undefined)
    throw unsupported(
      'space',
      `the collection ${name} has the unknown space ${JSON.stringify(stored)}; known are ${SPACES.join(', ')}; give its distance with --space`,
      { field: 'space' },
    )
  const isBroken = faults.some(({ kind }) => kind === 'configuration')
  if (stored === undefined && isBroken && givenSpace === undefined)
    throw invalid(
      'space-unknown',
      `the configuration of the collection ${name} cannot be read (${faults.find(({ kind }) => kind === 'configuration')?.reason}), so its distance is not known; give it with --space`,
      { field: '--space' },
    )
  const chosen = space ?? givenSpace ?? 'l2'
  const vector = segmentOf(database, id, 'VECTOR')
  const rows = segmentOf(database, id, 'METADATA')
  if (rows === undefined)
    throw unsupported(
      'segment-missing',
      `the database names no metadata segment of the collection ${name}, so its records cannot be found; restore chroma.sqlite3 from a backup`,
    )
  if (!rows.type.includes('metadata/sqlite'))
    throw unsupported(
      'segment-type',
      `the records of the collection ${name} are in a segment of the type ${rows.type}, which cannot be read; migrate from the server`,
    )
  return {
    ...bare,
    space: chosen,
    metadata: metadata.size === 0 ? null : stringifyExact(metadata),
    hnsw: { ...hnsw, space: chosen },
    embeddingFunction,
    vectorSegment: vector?.id ?? null,
    metadataSegment: rows.id,
    vectorProblem: vectorProblemOf(vector),
    faults,
  }
}

/** It concerns any of the collections, as far as can be told. */
function damageIn({ damage }: ChromaDatabase): Skipped[] {
  if (damage === null) return []
  return [
    { id: 'chroma.sqlite3', kind: 'file', reason: `it is damaged, and records may be missing: ${damage}`, records: 0 },
  ]
}

function vectorProblemOf(segment: { type: string } | undefined): string | null {
  if (segment === undefined) return 'the database names no vector segment of the collection'
  return /hnsw-local/.test(segment.type)
    ? null
    : `the vectors are in a segment of the type ${segment.type}, which cannot be read`
}

function dimensionOf(value: unknown): number | null {
  const dimension = typeof value === 'bigint' || typeof value === 'number' ? Number(value) : 0
  return Number.isInteger(dimension) && dimension > 0 ? dimension : null
}

function segmentOf(
  database: ChromaDatabase,
  collection: string,
  scope: string,
): { id: string; type: string } | undefined {
  const [row] = database.all('SELECT id, type FROM segments WHERE collection = ? AND scope = ?', collection, scope)
  return row === undefined ? undefined : { id: String(row['id']), type: String(row['type']) }
}

function collectionMetadata(database: ChromaDatabase, id: string, faults: Skipped[]): Map<string, unknown> {
  const metadata = new Map<string, unknown>()
  if (!database.has('collection_metadata')) return metadata
  for (const row of database.all('SELECT * FROM collection_metadata WHERE collection_id = ? ORDER BY key', id)) {
    const key = String(row['key'])
    const { value, problem } = scalarOf(row, 'str_value')
    if (problem !== undefined) faults.push({ id: key, kind: 'collection-metadata', reason: problem, records: 0 })
    else if (value !== undefined) metadata.set(key, value)
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
): { stored: unknown; hnsw: Json; embeddingFunction: Json | null } {
  const embedding = object(object(schema['keys'])['#embedding'])
  const index = object(object(object(embedding['float_list'])['vector_index'])['config'])
  const spann = object(configuration['spann'])
  const legacy = object(configuration['hnsw_configuration'])
  const stored =
    index['space'] ??
    object(configuration['hnsw'])['space'] ??
    spann['space'] ??
    metadata.get('hnsw:space') ??
    legacy['space'] ??
    undefined
  const embeddingFunction = index['embedding_function'] ?? configuration['embedding_function'] ?? null
  return {
    stored,
    hnsw: { ...object(configuration['hnsw']), ...object(index['hnsw']) },
    embeddingFunction: embeddingFunction === null ? null : object(embeddingFunction),
  }
}

function json(text: unknown, name: string, faults: Skipped[]): Json {
  if (text === null || text === undefined) return {}
  try {
    const value: unknown = JSON.parse(typeof text === 'string' ? text : '')
    if (value === null || (typeof value === 'object' && !Array.isArray(value))) return object(value)
    faults.push({ id: name, kind: 'configuration', reason: 'it is not a JSON object', records: 0 })
  } catch (error) {
    faults.push({
      id: name,
      kind: 'configuration',
      reason: `it is not JSON: ${(error as SyntaxError).message}`,
      records: 0,
    })
  }
  return {}
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {}
}
