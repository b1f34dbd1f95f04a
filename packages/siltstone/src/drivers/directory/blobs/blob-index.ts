/**
 * The index of a directory of blobs: one SQLite database that all processes on the machine share. Writes that arrive
 * together share one transaction and so one sync of the disk. Each work of a transaction has a savepoint of its own, so
 * that a work which fails leaves the others alone. A work is synchronous; a busy database is tried again without blocking
 * the event loop.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { isSiltstoneError, unavailable, unsupported } from '../../../errors.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Random } from '../../../ports/random.ts'
import { retry } from '../../../ports/retry.ts'
import { databaseError, isDatabaseBusy, isDatabaseError, openDatabase } from '../sqlite-database.ts'
import { INDEX_WORDS } from './index-copy.ts'

const SCHEMA_VERSION = 1
/** The keys are blobs, so that SQLite compares them byte by byte. */
const SCHEMA = `
  CREATE TABLE bucket (
    name TEXT PRIMARY KEY,
    createdMs INTEGER NOT NULL,
    versioning TEXT NOT NULL DEFAULT 'off'
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE setting (
    bucket TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (bucket, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE version (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket TEXT NOT NULL,
    key BLOB NOT NULL,
    versionId TEXT NOT NULL,
    isLatest INTEGER NOT NULL,
    isMarker INTEGER NOT NULL,
    sizeBytes INTEGER NOT NULL,
    etag TEXT NOT NULL,
    modifiedMs INTEGER NOT NULL,
    detail TEXT NOT NULL,
    tags TEXT NOT NULL DEFAULT '{}',
    content TEXT,
    uploadId TEXT
  ) STRICT;
  CREATE INDEX versionOrder ON version (bucket, key, id DESC);
  CREATE INDEX versionLatest ON version (bucket, key) WHERE isLatest = 1 AND isMarker = 0;
  CREATE TABLE inlined (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE file (
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (name, owner)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX fileOwner ON file (owner);
  CREATE TABLE freed (name TEXT PRIMARY KEY, atMs INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE upload (
    uploadId TEXT PRIMARY KEY,
    bucket TEXT NOT NULL,
    key BLOB NOT NULL,
    startedMs INTEGER NOT NULL,
    options TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX uploadOrder ON upload (bucket, key, uploadId);
  CREATE TABLE part (
    uploadId TEXT NOT NULL,
    partNumber INTEGER NOT NULL,
    sizeBytes INTEGER NOT NULL,
    md5 TEXT NOT NULL,
    checksum TEXT,
    modifiedMs INTEGER NOT NULL,
    file TEXT NOT NULL,
    PRIMARY KEY (uploadId, partNumber)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};
`

/** Works of one transaction at most, so that it stays short. */
const MAX_BATCH = 256
const BUSY_WAIT_MS = 10_000

export type Row = Record<string, unknown>

/** The statements of one work. */
export interface BlobTransaction {
  all(sql: string, ...values: SQLInputValue[]): Row[]
  first(sql: string, ...values: SQLInputValue[]): Row | undefined
  /** Returns the id of the last inserted row. */
  run(sql: string, ...values: SQLInputValue[]): number
}

interface Waiting {
  work: (transaction: BlobTransaction) => unknown
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
}

export interface BlobIndexOptions {
  clock: Clock
  random: Random
}

export class BlobIndex implements BlobTransaction {
  readonly #path: string
  readonly #options: BlobIndexOptions
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #waiting: Waiting[] = []
  #isFlushing = false

  private constructor(path: string, database: DatabaseSync, options: BlobIndexOptions) {
    this.#path = path
    this.#database = database
    this.#options = options
  }

  /** @throws SiltstoneError `unsupported` (newer-format, sqlite-missing), `unavailable`, `corrupt` (blob-index-damaged) */
  static async open(path: string, options: BlobIndexOptions): Promise<BlobIndex> {
    const index = new BlobIndex(path, openDatabase(path, INDEX_WORDS), options)
    try {
      await index.#patiently(() => index.#prepare())
      return index
    } catch (error) {
      index.close()
      throw index.#failure(error)
    }
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#guarded(() => this.#statement(sql).all(...values))
  }

  first(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#guarded(() => this.#statement(sql).get(...values))
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return this.#guarded(() => Number(this.#statement(sql).run(...values).lastInsertRowid))
  }

  /** Rows one by one: the caller may stop. No write may happen in between. */
  *each(sql: string, ...values: SQLInputValue[]): Generator<Row> {
    yield* this.#statement(sql).iterate(...values)
  }

  /** Resolves when the work's changes are durable. @throws what the work throws; then it changed nothing */
  write<T>(work: (transaction: BlobTransaction) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as (value: unknown) => void, reject })
      if (!this.#isFlushing) void this.#flush()
    })
  }

  close(): void {
    this.#statements.clear()
    if (this.#database.isOpen) this.#database.close()
  }

  /** Never rejects: failures go to the works. */
  async #flush(): Promise<void> {
    this.#isFlushing = true
    // All that arrive in this turn of the event loop go together.
    await new Promise<void>((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH)
      try {
        const settle = await this.#patiently(() => this.#commit(batch))
        for (const one of settle) one()
      } catch (error) {
        for (const { reject } of batch) reject(this.#failure(error))
      }
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    this.#isFlushing = false
  }

  #commit(batch: readonly Waiting[]): (() => void)[] {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const settle = batch.map(({ work, resolve, reject }) => {
        this.#database.exec('SAVEPOINT work')
        try {
          const value = work(this)
          this.#database.exec('RELEASE work')
          return () => resolve(value)
        } catch (error) {
          if (!isSiltstoneError(error)) throw error
          this.#database.exec('ROLLBACK TO work; RELEASE work')
          return () => reject(error)
        }
      })
      this.#database.exec('COMMIT')
      return settle
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  #prepare(): void {
    // Of a commit that returned, nothing is lost in a power failure.
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
    const version = Number(this.#database.prepare('PRAGMA user_version').get()?.['user_version'])
    if (version === SCHEMA_VERSION) return
    if (version !== 0)
      throw unsupported(
        'newer-format',
        `${this.#path} has the format ${version}; this program knows ${SCHEMA_VERSION}. Use a newer program.`,
      )
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      // Another process may have been first.
      const now = Number(this.#database.prepare('PRAGMA user_version').get()?.['user_version'])
      if (now === 0) this.#database.exec(SCHEMA)
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  #patiently<T>(work: () => T): Promise<T> {
    const { clock, random } = this.#options
    const deadlineMs = clock.monotonicMs() + BUSY_WAIT_MS
    const when = (error: unknown) => isDatabaseBusy(error) && clock.monotonicMs() < deadlineMs
    return retry(work, { attempts: Number.POSITIVE_INFINITY, baseMs: 1, maxMs: 20, clock, random, when })
  }

  #guarded<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      // Within a transaction the batch is tried again; outside, a reader of a write-ahead log never waits.
      if (this.#database.isTransaction) throw error
      throw this.#failure(error)
    }
  }

  #failure(error: unknown): unknown {
    if (!isDatabaseError(error)) return error
    if (isDatabaseBusy(error))
      return unavailable('store-locked', `Another process has held ${this.#path} for ${BUSY_WAIT_MS} ms. Try again.`, {
        cause: error,
        retryAfterMs: 1_000,
      })
    return databaseError(this.#path, error, INDEX_WORDS)
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}
