import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { corrupt, type SiltstoneError, unavailable } from '../../errors.ts'
import { sqlite } from '../../host/sqlite.ts'

const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6
const SQLITE_IOERR = 10

/** How errors speak of a file. */
export interface DatabaseWords {
  /** Begins the codes of errors. */
  code: string
  what: string
  /** What to do about a damaged file. */
  remedy: string
}

export const COORDINATION_WORDS: DatabaseWords = {
  code: 'coordination',
  what: 'coordination database',
  remedy:
    'It holds no records, only leases and wake-up calls: stop every process on this store, delete it, and start again.',
}

/**
 * Opens a database file that several processes share. No call on it waits for another process.
 * @throws SiltstoneError as `databaseError` says, and `unsupported` (sqlite-missing)
 */
export function openDatabase(path: string, words = COORDINATION_WORDS): DatabaseSync {
  const { DatabaseSync } = sqlite()
  try {
    return new DatabaseSync(path, { timeout: 0 })
  } catch (cause) {
    throw databaseError(path, cause, words)
  }
}

/** Whether the error comes from SQLite. */
export function isDatabaseError(error: unknown): boolean {
  return primaryCode(error) !== undefined
}

/** Whether another connection holds the lock. */
export function isDatabaseBusy(error: unknown): boolean {
  const code = primaryCode(error)
  return code === SQLITE_BUSY || code === SQLITE_LOCKED
}

/** Whether the operating system refused to write or to sync the file. */
export const isWriteFailure = (error: unknown): boolean => primaryCode(error) === SQLITE_IOERR

/** The public error for a failure of SQLite. */
export function databaseError(path: string, cause: unknown, words = COORDINATION_WORDS): SiltstoneError {
  const text = cause instanceof Error ? cause.message : String(cause)
  switch (primaryCode(cause) ?? 0) {
    case 13:
      return unavailable('disk-full', `Cannot write ${path}: the disk is full. Free some space and try again.`, {
        cause,
      })
    case 8:
      return unavailable('read-only', `Cannot write ${path}: it is read-only.`, { cause })
    case 14:
      return unavailable(
        'access-denied',
        `Cannot open ${path}: ${text}. Check that the folder exists and is writable.`,
        { cause },
      )
    case 11:
    case 26:
      return corrupt(`${words.code}-damaged`, `${path} is damaged: ${text}. ${words.remedy}`, { cause })
    case SQLITE_IOERR:
      if (isFull(path))
        return unavailable('disk-full', `Cannot use ${path}: the disk is full. Free some space and try again.`, {
          cause,
        })
      return unavailable(
        `${words.code}-database`,
        `The ${words.what} ${path} failed: ${text}. Check the disk, its quota, and the limit on the size of files (ulimit -f).`,
        { cause },
      )
    default:
      return unavailable(`${words.code}-database`, `The ${words.what} ${path} failed: ${text}.`, { cause })
  }
}

/** What SQLite needs to open a file with a write-ahead log. */
const NEEDED_BYTES = 64 * 1024

/** SQLite says only that it failed where the system has no room for the memory that processes share. */
function isFull(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path))
    return bavail * bsize < NEEDED_BYTES
  } catch {
    return false
  }
}

/** SQLite's result code without the extension in its higher bits. */
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode & 0xff
  if (!('code' in error) || error.code !== 'ERR_SQLITE_ERROR') return undefined
  return MESSAGES.find(([text]) => error.message.startsWith(text))?.[1] ?? 0
}

/** Deno's errors have SQLite's message, but not always its code. */
const MESSAGES: readonly (readonly [string, number])[] = [
  ['database is locked', SQLITE_BUSY],
  ['database table is locked', SQLITE_LOCKED],
  ['attempt to write a readonly database', 8],
  ['database disk image is malformed', 11],
  ['database or disk is full', 13],
  ['unable to open database file', 14],
  ['file is not a database', 26],
]
