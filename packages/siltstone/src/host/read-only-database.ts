import { copyFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { corrupt, isSiltstoneError, type SiltstoneError, unavailable } from '../errors.ts'
import { fileInfo, makeTemporaryDirectory, removeTree } from './files.ts'
import { fileError } from './file-errors.ts'

export type SqlValue = string | bigint | number | Uint8Array | null
export type SqlRow = Record<string, SqlValue>

/** The database file of another program. Integers are returned as bigint. */
export interface ReadOnlyDatabase {
  all(sql: string, ...parameters: SQLInputValue[]): SqlRow[]
  /** Yields one row at a time. The same statement must not be run again before the iteration has ended. */
  iterate(sql: string, ...parameters: SQLInputValue[]): Iterable<SqlRow>
  close(): void | Promise<void>
}

const SQLITE_CANTOPEN = 14
const SQLITE_READONLY = 8
const SQLITE_BUSY = 5

/**
 * Opens a database without changing a byte of it.
 * @throws SiltstoneError `unavailable` (database-unreadable, database-busy), `corrupt` (database-damaged), here and
 *   from each question
 */
export function openReadOnlyDatabase(path: string): ReadOnlyDatabase {
  const statements = new Map<string, StatementSync>()
  const database = attempt(path, () => new DatabaseSync(path, { readOnly: true, readBigInts: true, timeout: 5_000 }))
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql) ?? database.prepare(sql)
    statements.set(sql, known)
    return known
  }
  return {
    all: (sql, ...parameters) => attempt(path, () => prepared(sql).all(...parameters)) as SqlRow[],
    *iterate(sql, ...parameters) {
      const rows = attempt(path, () => prepared(sql).iterate(...parameters))
      for (;;) {
        const next = attempt(path, () => rows.next())
        if (next.done === true) return
        yield next.value as SqlRow
      }
    },
    close: () => database.close(),
  }
}

/**
 * As `openReadOnlyDatabase`, also if its program was killed in the middle of a transaction: the change has to be rolled
 * back before anything can be read, which this does on a copy.
 */
export async function openReadOnlyOrCopy(path: string): Promise<ReadOnlyDatabase> {
  const database = openReadOnlyDatabase(path)
  try {
    database.all('SELECT count(*) FROM sqlite_master')
    return database
  } catch (error) {
    await database.close()
    const isUnreadable = isSiltstoneError(error) && error.code === 'database-unreadable'
    if (!isUnreadable || !(await hasUnfinished(path))) throw error
  }
  const directory = await makeTemporaryDirectory()
  try {
    const copy = await copyDatabase(path, directory)
    // The first read rolls back.
    attempt(path, () => {
      const writable = new DatabaseSync(copy)
      writable.prepare('SELECT count(*) FROM sqlite_master').get()
      writable.close()
    })
    const recovered = openReadOnlyDatabase(copy)
    const close = async (): Promise<void> => {
      await recovered.close()
      await removeTree(directory)
    }
    return { ...recovered, close }
  } catch (error) {
    await removeTree(directory)
    throw error
  }
}

const UNFINISHED = ['-journal', '-wal']

async function hasUnfinished(path: string): Promise<boolean> {
  for (const end of UNFINISHED) if ((await fileInfo(`${path}${end}`)) !== undefined) return true
  return false
}

async function copyDatabase(path: string, directory: string): Promise<string> {
  const copy = join(directory, basename(path))
  for (const end of ['', ...UNFINISHED]) {
    if (end !== '' && (await fileInfo(`${path}${end}`)) === undefined) continue
    try {
      await copyFile(`${path}${end}`, `${copy}${end}`)
    } catch (error) {
      throw fileError(error, { path: `${path}${end}`, doing: 'copy' })
    }
  }
  return copy
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw databaseProblem(path, error)
  }
}

function databaseProblem(path: string, cause: unknown): SiltstoneError {
  const text = cause instanceof Error ? cause.message : String(cause)
  const code = cause instanceof Error && 'errcode' in cause ? Number(cause.errcode) & 0xff : 0
  if (code === SQLITE_BUSY)
    return unavailable('database-busy', `${path} is in use: ${text}. Stop the program that writes it, or copy it.`, {
      cause,
    })
  if (code === SQLITE_CANTOPEN || code === SQLITE_READONLY)
    return unavailable(
      'database-unreadable',
      `Cannot read ${path}: ${text}. If a program was killed while it wrote there, open and close it once with that program, or give the right to read it.`,
      { cause },
    )
  return corrupt(
    'database-damaged',
    `Cannot read ${path}: ${text}. Check that the path is right and the file complete.`,
    { cause },
  )
}
