/**
 * The SQLite file through which the processes on one directory coordinate: the queue and the leases. It does not sync at each
 * commit, since all of it is only advice and the objects are the truth.
 */
import { unsupported } from '../../errors.ts'
import { SharedDatabase, type SharedDatabaseOptions } from './shared-database.ts'
import { COORDINATION_WORDS } from './sqlite-database.ts'

const VERSION = 1

/** The tables of `SqliteQueue` and `SqliteLeases`. */
export const COORDINATION_TABLES = `
  CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    body TEXT NOT NULL,
    sentAtMs INTEGER NOT NULL,
    visibleAtMs INTEGER NOT NULL,
    receiveCount INTEGER NOT NULL DEFAULT 0,
    receipt INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX messageDue ON message (dead, visibleAtMs);
  CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    owner TEXT,
    expiresAtMs INTEGER NOT NULL,
    heartbeatAtMs INTEGER NOT NULL,
    fencing INTEGER NOT NULL,
    dirty INTEGER NOT NULL DEFAULT 0
  ) STRICT;
`

/** @throws SiltstoneError as `databaseError` says; `unsupported` (coordination-version) if a newer program created the file */
export function openCoordinationDatabase(
  path: string,
  options: Omit<SharedDatabaseOptions, 'kind'>,
): Promise<SharedDatabase> {
  const kind = {
    schema: COORDINATION_TABLES,
    version: VERSION,
    synchronous: 'NORMAL' as const,
    words: COORDINATION_WORDS,
    otherVersion,
  }
  return SharedDatabase.open(path, { ...options, kind })
}

function otherVersion(path: string, version: number) {
  return unsupported(
    'coordination-version',
    `${path} has version ${version}, this program knows ${VERSION}. Use the newer program, or, with none running, delete the file.`,
  )
}
