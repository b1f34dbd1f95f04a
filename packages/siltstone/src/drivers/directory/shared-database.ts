import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { outcomeUnknown, type SiltstoneError, unavailable } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import { retry } from '../../ports/retry.ts'
import {
  databaseError,
  type DatabaseWords,
  isDatabaseBusy,
  isDatabaseError,
  isWriteFailure,
  openDatabase,
} from './sqlite-database.ts'

/** What the file is for. */
export interface DatabaseKind {
  /** Statements that make the tables of an empty file. */
  schema: string
  version: number
  /** `FULL`: a committed transaction survives a power failure. `NORMAL`: the last ones may be lost then, and nothing else; `OFF`: all may. */
  synchronous: 'FULL' | 'NORMAL' | 'OFF'
  words: DatabaseWords
  /** @returns the error for a file of another version */
  otherVersion: (path: string, version: number) => SiltstoneError
  /** Called before anything is written to a file of version 0. */
  beforeMaking?: (path: string, transaction: Pick<Transaction, 'all'>) => void
}

export interface SharedDatabaseOptions {
  kind: DatabaseKind
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
 * A SQLite file that several processes share. It uses a write-ahead log, so readers never wait. Transactions are synchronous and
 * short; a busy database is tried again without blocking the event loop.
 */
export class SharedDatabase {
  readonly #path: string
  readonly #options: SharedDatabaseOptions
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>()
  readonly #transaction: Transaction
  readonly #users = new Set<symbol>()

  private constructor(path: string, options: SharedDatabaseOptions) {
    this.#path = path
    this.#options = options
    this.#database = openDatabase(path, options.kind.words)
    this.#transaction = {
      all: (sql, ...values) => this.#prepare(sql).all(...values),
      run: (sql, ...values) => Number(this.#prepare(sql).run(...values).changes),
    }
  }

  /** @throws SiltstoneError as `kind` says, `unsupported` (sqlite-missing) */
  static async open(path: string, options: SharedDatabaseOptions): Promise<SharedDatabase> {
    const database = new SharedDatabase(path, options)
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
        this.#commit()
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

  /** Several queries of one state. */
  async readTogether<T>(work: (transaction: Pick<Transaction, 'all'>) => T): Promise<T> {
    return this.#untilFree(() => {
      this.#database.exec('BEGIN')
      try {
        return work(this.#transaction)
      } finally {
        if (this.#database.isTransaction) this.#database.exec('COMMIT')
      }
    })
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
    const { schema, version: expected, synchronous, otherVersion, beforeMaking } = this.#options.kind
    const versionOf = ({ all }: Pick<Transaction, 'all'>) => Number(all('PRAGMA user_version')[0]?.['user_version'])
    await this.read((transaction) => {
      if (versionOf(transaction) === 0) beforeMaking?.(this.#path, transaction)
    })
    await this.#untilFree(() => this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`))
    await this.write((transaction) => {
      const version = versionOf(transaction)
      if (version === 0) this.#database.exec(`${schema} PRAGMA user_version = ${expected};`)
      else if (version !== expected) throw otherVersion(this.#path, version)
    })
  }

  /** A failed write of the file at the end of a transaction leaves it open whether the transaction survives a power failure. */
  #commit(): void {
    try {
      this.#database.exec('COMMIT')
    } catch (cause) {
      if (!isWriteFailure(cause)) throw cause
      throw outcomeUnknown(
        'sqlite-commit',
        `${this.#path} could not be written to the end: ${(cause as Error).message}`,
        {
          cause,
        },
      )
    }
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
    const { clock, random, kind, busyWaitMs = 10_000 } = this.#options
    const deadlineMs = clock.monotonicMs() + busyWaitMs
    const attempt = () => {
      if (!this.#database.isOpen) throw unavailable('closed', `The ${kind.words.what} ${this.#path} was closed.`)
      return work()
    }
    const when = (error: unknown) => isDatabaseBusy(error) && clock.monotonicMs() < deadlineMs
    try {
      return await retry(attempt, { attempts: Number.POSITIVE_INFINITY, baseMs: 1, maxMs: 20, clock, random, when })
    } catch (error) {
      if (isDatabaseBusy(error)) throw stillBusy(kind.words, this.#path, busyWaitMs, error)
      throw isDatabaseError(error) ? databaseError(this.#path, error, kind.words) : error
    }
  }
}

function stillBusy({ code }: DatabaseWords, path: string, waitedMs: number, cause: unknown) {
  return unavailable(
    `${code}-busy`,
    `Another process has kept ${path} busy for ${waitedMs} ms. It may be stopped or overloaded; try again.`,
    { cause, retryAfterMs: 1000 },
  )
}
