import { copyFile, open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { corrupt, isSiltstoneError, type SiltstoneError, unavailable } from '../errors.ts'
import { fileInfo, makeTemporaryDirectory, removeTree } from './files.ts'
import { fileError } from './file-errors.ts'
import { openRandomAccess, type RandomAccessFile } from './random-access-file.ts'

export type SqlValue = string | bigint | number | Uint8Array | null
export type SqlRow = Record<string, SqlValue>

/** The database file of another program. Integers are returned as bigint. */
export interface ReadOnlyDatabase {
  all(sql: string, ...parameters: SQLInputValue[]): SqlRow[]
  /** Yields one row at a time. The same statement must not be run again before the iteration has ended. */
  iterate(sql: string, ...parameters: SQLInputValue[]): Iterable<SqlRow>
  close(): void | Promise<void>
  /** The end of the file is missing: questions about what was there fail. */
  cut?: string
}

const SQLITE_BUSY = 5
const SQLITE_NOMEM = 7
const SQLITE_READONLY = 8
const SQLITE_IOERR = 10
const SQLITE_FULL = 13
const SQLITE_CANTOPEN = 14

/**
 * Opens a database without changing a byte of it.
 * @throws SiltstoneError `unavailable` (database-unreadable, database-busy), `corrupt` (database-damaged), here and
 *   from each question
 */
export function openReadOnlyDatabase(path: string): ReadOnlyDatabase {
  return openAt(path, path)
}

/** @param path named by errors */
function openAt(file: string, path: string): ReadOnlyDatabase {
  const statements = new Map<string, StatementSync>()
  const database = attempt(path, () => new DatabaseSync(file, { readOnly: true, readBigInts: true, timeout: 5_000 }))
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
 * As `openReadOnlyDatabase`, also of a file
 * - whose program was killed in the middle of a transaction: the change has to be rolled back before anything can be read;
 * - whose end is missing: `cut` says so. SQLite refuses to read it, or takes what is missing of a page for zeros.
 *
 * Both happen on a copy.
 */
export async function openReadOnlyOrCopy(path: string): Promise<ReadOnlyDatabase> {
  const unfinished = await hasUnfinished(path)
  // While a journal is there, it may hold what is missing.
  const cut = unfinished ? undefined : await cutOf(path)
  if (cut === undefined) {
    const database = openReadOnlyDatabase(path)
    try {
      database.all('SELECT count(*) FROM sqlite_master')
      return database
    } catch (error) {
      await database.close()
      const isUnreadable = isSiltstoneError(error) && error.code === 'database-unreadable'
      if (!isUnreadable || !unfinished) throw error
    }
  }
  const directory = await makeTemporaryDirectory()
  try {
    const copy = await copyDatabase(path, directory)
    if (cut !== undefined) await setPages(copy, cut)
    // The first read rolls back.
    attempt(path, () => {
      const writable = new DatabaseSync(copy)
      writable.prepare('SELECT count(*) FROM sqlite_master').get()
      writable.close()
    })
    const recovered = openAt(copy, path)
    const close = async (): Promise<void> => {
      await recovered.close()
      await removeTree(directory)
    }
    return { ...recovered, close, ...(cut && { cut: `${path} has ${cut.present} of ${cut.written} pages` }) }
  } catch (error) {
    await removeTree(directory)
    throw error
  }
}

interface Cut {
  /** Pages that the file has. */
  present: number
  /** Pages that it should have. */
  written: number
  pageBytes: number
}

/** The header of a database: https://www.sqlite.org/fileformat.html#the_database_header */
const HEADER = { bytes: 100, magic: 'SQLite format 3\0', pageBytesAt: 16, pagesAt: 28 }

async function cutOf(path: string): Promise<Cut | undefined> {
  let file: RandomAccessFile
  try {
    file = await openRandomAccess(path)
  } catch (error) {
    // Opening it as a database says what is wrong.
    if (isSiltstoneError(error)) return undefined
    throw error
  }
  try {
    if (file.sizeBytes < HEADER.bytes) return undefined
    const header = Buffer.from((await file.read(0, HEADER.bytes)).buffer)
    if (!header.subarray(0, HEADER.magic.length).equals(Buffer.from(HEADER.magic, 'latin1'))) return undefined
    // 1 stands for 65,536.
    const stored = header.readUInt16BE(HEADER.pageBytesAt)
    const pageBytes = stored === 1 ? 65_536 : stored
    const present = Math.floor(file.sizeBytes / pageBytes)
    const written = Math.max(header.readUInt32BE(HEADER.pagesAt), Math.ceil(file.sizeBytes / pageBytes))
    return present > 0 && present < written ? { present, written, pageBytes } : undefined
  } finally {
    await file.close()
  }
}

async function setPages(path: string, { present, pageBytes }: Cut): Promise<void> {
  const handle = await open(path, 'r+')
  try {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(present)
    await handle.write(bytes, 0, 4, HEADER.pagesAt)
    await handle.truncate(present * pageBytes)
  } catch (error) {
    throw fileError(error, { path, doing: 'write' })
  } finally {
    await handle.close()
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
  // A file with a write-ahead log needs room for the memory that its readers share.
  if (code === SQLITE_IOERR || code === SQLITE_FULL || code === SQLITE_NOMEM)
    return unavailable(
      'database-unreadable',
      `Cannot read ${path}: ${text}. Check that the disk works and has some room, and try again.`,
      { cause },
    )
  return corrupt(
    'database-damaged',
    `Cannot read ${path}: ${text}. Check that the path is right and the file complete.`,
    { cause },
  )
}
