/** Everything the engine needs, in one SQLite file: objects, queue and leases. */
import { dirname } from 'node:path'
import { notFound, unsupported } from '../../errors.ts'
import { fileError } from '../../host/file-errors.ts'
import { fileInfo } from '../../host/files.ts'
import { systemIds } from '../../host/system-ids.ts'
import type { Environment } from '../../ports/environment.ts'
import { COORDINATION_TABLES } from '../directory/coordination-database.ts'
import { type DirectoryEnvironmentOptions, environmentParts } from '../directory/directory-environment.ts'
import { type DatabaseKind, SharedDatabase, type Transaction } from '../directory/shared-database.ts'
import { SqliteLeases } from '../directory/sqlite-leases.ts'
import { SqliteQueue } from '../directory/sqlite-queue.ts'
import { SqliteObjectStore } from './sqlite-object-store.ts'
import { IN_MEMORY, parseSqlitePlace } from './sqlite-place.ts'
import { makeDirectories } from '../../host/make-directories.ts'

const VERSION = 1
const RESTING_MS = 3_600_000
const TABLES = `
  CREATE TABLE object (
    key TEXT PRIMARY KEY,
    sizeBytes INTEGER NOT NULL,
    etag TEXT NOT NULL,
    lastModifiedMs INTEGER NOT NULL,
    content INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE part (
    content INTEGER NOT NULL,
    number INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (content, number)
  ) STRICT;
  CREATE TABLE upload (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    touchedAtMs INTEGER NOT NULL
  ) STRICT;
`

const KIND: DatabaseKind = {
  schema: TABLES + COORDINATION_TABLES,
  version: VERSION,
  synchronous: 'FULL',
  words: { code: 'sqlite', what: 'SQLite file', remedy: 'Restore it from a backup.' },
  otherVersion: (path, version) =>
    unsupported(
      'sqlite-version',
      `${path} has version ${version}, this program knows ${VERSION}: use a newer program.`,
    ),
  beforeMaking: (path, { all }) => {
    if (all('SELECT 1 FROM sqlite_schema LIMIT 1').length === 0) return
    throw unsupported(
      'sqlite-foreign',
      `${path} is a database of another program: name a file that does not exist yet.`,
    )
  },
}

export interface SqliteEnvironmentOptions extends DirectoryEnvironmentOptions {
  /** For tests: writes are not synced, and a power failure may damage the file. */
  unsynced?: boolean
}

/**
 * Close it with `closeEnvironment`.
 * @param place `sqlite:///file.db`; `sqlite://` keeps everything in the memory of this thread, and loses it
 * @throws SiltstoneError `invalid` (bad-sqlite-url), `unsupported` (sqlite-missing, sqlite-foreign, sqlite-version), `corrupt`
 *   (sqlite-damaged), `unavailable` (sqlite-database, sqlite-busy, …); with `readOnly` `not-found` (no-store)
 */
export async function openSqliteEnvironment(
  place: string,
  options: SqliteEnvironmentOptions = {},
): Promise<Environment> {
  const path = parseSqlitePlace(place)
  const parts = environmentParts(options)
  const { clock, random } = parts
  if (path !== IN_MEMORY) await makeFolder(path, options.readOnly === true)
  const database = await SharedDatabase.open(path, {
    kind: options.unsynced === true ? { ...KIND, synchronous: 'OFF' } : KIND,
    clock,
    random,
  })
  try {
    if (options.readOnly !== true) await database.write((transaction) => dropUploads(transaction, clock.nowMs()))
    const { maxReceiveCount } = options
    return {
      ...parts,
      ids: systemIds(clock, random),
      store: new SqliteObjectStore(database, {
        clock,
        description: path === IN_MEMORY ? 'memory (SQLite)' : `SQLite file ${path}`,
      }),
      queue: new SqliteQueue(database, { clock, ...(maxReceiveCount !== undefined && { maxReceiveCount }) }),
      leases: new SqliteLeases(database, { clock }),
    }
  } catch (error) {
    database.close()
    throw error
  }
}

async function makeFolder(path: string, readOnly: boolean): Promise<void> {
  if (readOnly) {
    if ((await fileInfo(path))?.kind === 'file') return
    throw notFound('no-store', `There is no SQLite file ${path}.`)
  }
  try {
    await makeDirectories(dirname(path))
  } catch (error) {
    throw fileError(error, { path, doing: 'open' })
  }
}

function dropUploads({ run }: Transaction, nowMs: number): void {
  const before = Math.floor(nowMs - RESTING_MS)
  run('DELETE FROM part WHERE content IN (SELECT id FROM upload WHERE touchedAtMs < ?)', before)
  run('DELETE FROM upload WHERE touchedAtMs < ?', before)
}
