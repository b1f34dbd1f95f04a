import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { unavailable, unsupported } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import { retry } from '../../ports/retry.ts'
import { databaseError, isDatabaseBusy, isDatabaseError, openDatabase } from './sqlite-database.ts'

const SCHEMA_VERSION = 1
const SCHEMA = `
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
  PRAGMA user_version = ${SCHEMA_VERSION};
`

export interface CoordinationOptions {
  clock: Clock
  random: Random
  /** How long to wait for other processes before giving up. Default 10 s. */
  busyWaitMs?: number
}

export type Row = Record<string, unknown>

/** The statements of one transaction. */
export interface Transaction {
  /** Rows of a query, or of a change with RETURNING. */
  all: (sql: string, ...values: SQLInputValue[]) => Row[]
  /** Returns the number of changed rows. */
  run: (sql: string, ...values: SQLInputValue[]) => number
}

/**
 * The SQLite file through which the processes on one directory coordinate: the queue and the leases. It uses a
 * write-ahead log, so readers never wait, and does not sync at each commit, since all of it is only advice and the
 * objects are the truth. Transactions are synchronous and short; a busy database is tried again without blocking the
 * event loop.
 */
export class CoordinationDatabase {
  readonly #path: string
  readonly #options: CoordinationOptions
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>()
  readonly #transaction: Transaction
  readonly #users = new Set<symbol>()

  private constructor(path: string, options: CoordinationOptions) {
    this.#path = path
    this.#options = options
    this.#database = openDatabase(path)
    this.#transaction = {
      all: (sql, ...values) => this.#prepare(sql).all(...values),
      run: (sql, ...values) => Number(this.#prepare(sql).run(...values).changes),
    }
  }

  /** @throws SiltstoneError `unavailable`, `unsupported` (coordination-version) if a newer program created the file */
  static async open(path: string, options: CoordinationOptions): Promise<CoordinationDatabase> {
    const database = new CoordinationDatabase(path, options)
    try {
      await database.#prepareFile()
      return database
    } catch (error) {
      database.close()
      throw error
    }
  }

  /** Runs `work` in a transaction that excludes the writes of all other processes. */
  async write<T>(work: (transaction: Transaction) => T): Promise<T> {
    // All of it in one turn of the event loop: the connection is shared, and a transaction belongs to the connection.
    return this.#untilFree(() => {
      this.#database.exec('BEGIN IMMEDIATE')
      try {
        const result = work(this.#transaction)
        this.#database.exec('COMMIT')
        return result
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
        throw error
      }
    })
  }

  async read<T>(work: (transaction: Pick<Transaction, 'all'>) => T): Promise<T> {
    return this.#untilFree(() => work(this.#transaction))
  }

  /** Registers a user. The file is closed when each user has called the function that this returns. */
  use(): () => void {
    const user = Symbol('user')
    this.#users.add(user)
    return () => {
      if (this.#users.delete(user) && this.#users.size === 0) this.close()
    }
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  async #prepareFile(): Promise<void> {
    await this.#untilFree(() => this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL'))
    await this.write((transaction) => {
      const version = Number(transaction.all('PRAGMA user_version')[0]?.['user_version'])
      if (version === 0) this.#database.exec(SCHEMA)
      else if (version !== SCHEMA_VERSION) throw newerVersion(this.#path, version)
    })
  }

  #prepare(sql: string) {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  async #untilFree<T>(work: () => T): Promise<T> {
    const { clock, random, busyWaitMs = 10_000 } = this.#options
    const deadlineMs = clock.monotonicMs() + busyWaitMs
    const attempt = () => {
      if (!this.#database.isOpen) throw unavailable('closed', `The coordination database ${this.#path} was closed.`)
      return work()
    }
    const when = (error: unknown) => isDatabaseBusy(error) && clock.monotonicMs() < deadlineMs
    try {
      return await retry(attempt, { attempts: Number.POSITIVE_INFINITY, baseMs: 1, maxMs: 20, clock, random, when })
    } catch (error) {
      if (isDatabaseBusy(error)) throw stillBusy(this.#path, busyWaitMs, error)
      throw isDatabaseError(error) ? databaseError(this.#path, error) : error
    }
  }
}

function stillBusy(path: string, waitedMs: number, cause: unknown) {
  return unavailable(
    'coordination-busy',
    `Another process has kept ${path} busy for ${waitedMs} ms. It may be stopped or overloaded; try again.`,
    { cause, retryAfterMs: 1000 },
  )
}

function newerVersion(path: string, version: number) {
  return unsupported(
    'coordination-version',
    `${path} has version ${version}, this program knows ${SCHEMA_VERSION}. Use the newer program, or, with none running, delete the file.`,
  )
}
