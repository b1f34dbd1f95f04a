/**
 * Chroma's database with its schema. Chroma changed tables in many versions: 0.4.15 added tenants and databases, later ones
 * added columns and tables. Questions depend on what is there, not on a version number.
 */
import { join } from 'node:path'
import {
  fileInfo,
  isSiltstoneError,
  notFound,
  openReadOnlyOrCopy,
  type ReadOnlyDatabase,
  unsupported,
} from 'siltstone/internal'

export interface ChromaDatabase extends Pick<ReadOnlyDatabase, 'all' | 'iterate' | 'close'> {
  /** Whether the database has the table, and the table the column. */
  has(table: string, column?: string): boolean
  /** What is damaged in the tables that are read and in their indexes: records may be missing. Null if nothing is. */
  readonly damage: string | null
}

const CHECKED = [
  'collections',
  'collection_metadata',
  'segments',
  'embeddings',
  'embedding_metadata',
  'embedding_metadata_array',
  'embeddings_queue',
  'max_seq_id',
]
/** Values that the table's definition does not allow, and that can be read. */
const ONLY_VALUES = /^(?:NULL|NUMERIC|TEXT|BLOB|INTEGER|REAL|non-[A-Z]+) value|^CHECK constraint/

const NEEDED: readonly (readonly [string, string])[] = [
  ['collections', 'id'],
  ['collections', 'name'],
  ['segments', 'collection'],
  ['segments', 'scope'],
  ['segments', 'type'],
  ['embeddings', 'segment_id'],
  ['embeddings', 'embedding_id'],
]

/** @throws SiltstoneError `not-found` (chroma-missing), `unsupported` (chroma-too-old, chroma-schema), `corrupt` */
export async function openChromaDatabase(directory: string): Promise<ChromaDatabase> {
  const path = join(directory, 'chroma.sqlite3')
  if ((await fileInfo(path))?.kind !== 'file') {
    if ((await fileInfo(join(directory, 'chroma-collections.parquet'))) !== undefined)
      throw unsupported(
        'chroma-too-old',
        `${directory} was written by Chroma before 0.4; convert it with the package chroma-migrate first`,
      )
    throw notFound('chroma-missing', `${directory} is not a Chroma directory: it has no chroma.sqlite3`, {
      field: 'directory',
    })
  }
  const database = await openReadOnlyOrCopy(path)
  try {
    const columns = columnsOf(database)
    const has = (table: string, column?: string): boolean =>
      column === undefined ? columns.has(table) : columns.get(table)?.has(column) === true
    const missing = NEEDED.find(([table, column]) => !has(table, column))
    if (missing !== undefined)
      throw unsupported(
        'chroma-schema',
        `${path} has no column ${missing.join('.')}, which Chroma 0.4 to 1.5 have; it was written by another version or another program`,
      )
    return {
      all: (sql, ...parameters) => database.all(sql, ...parameters),
      iterate: (sql, ...parameters) => database.iterate(sql, ...parameters),
      close: () => database.close(),
      has,
      damage:
        database.cut ??
        damageOf(
          database,
          CHECKED.filter((table) => has(table)),
        ),
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

function columnsOf(database: ReadOnlyDatabase): Map<string, Set<string>> {
  const rows = database.all(
    "SELECT m.name AS name, p.name AS column FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'",
  )
  const columns = new Map<string, Set<string>>()
  for (const row of rows) {
    const table = String(row['name'])
    columns.set(table, (columns.get(table) ?? new Set()).add(String(row['column'])))
  }
  return columns
}

/** SQLite compares each row with the table's indexes, and follows every page of both. */
function damageOf(database: ReadOnlyDatabase, tables: readonly string[]): string | null {
  for (const table of tables) {
    try {
      for (const row of database.iterate(`PRAGMA integrity_check(${table})`)) {
        const text = String(Object.values(row)[0])
        if (text !== 'ok' && !ONLY_VALUES.test(text)) return `${table}: ${text.split('\n').at(-1)}`
      }
    } catch (error) {
      if (!isSiltstoneError(error, 'corrupt')) throw error
      return error.message
    }
  }
  return null
}
