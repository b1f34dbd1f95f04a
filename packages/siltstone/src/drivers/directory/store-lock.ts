import type { DatabaseSync } from 'node:sqlite'
import { isSiltstoneError, unavailable } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import { databaseError, isDatabaseBusy, openDatabase } from './sqlite-database.ts'
import { retry } from '../../ports/retry.ts'

export interface StoreLockOptions {
  path: string
  clock: Clock
  random: Random
  /** How long to wait for other processes before giving up. */
  waitMs: number
}

/**
 * The lock between processes that makes compare-and-swap atomic. Node has no flock, so it is the write lock of an empty
 * SQLite database (BEGIN IMMEDIATE … ROLLBACK, with the journal in memory: a file lock, nothing is written), which the operating system frees when
 * the process dies. What runs under it is synchronous and short, so it is held for microseconds, and no process waits
 * for its own event loop while it holds it.
 */
export class StoreLock {
  readonly #options: StoreLockOptions
  #database: DatabaseSync | undefined
  #hasMode = false

  constructor(options: StoreLockOptions) {
    this.#options = options
  }

  /** @throws SiltstoneError `unavailable` (store-locked) when the lock stayed busy; `work` did not run then */
  async run<T>(work: () => T): Promise<T> {
    const { clock, random, waitMs, path } = this.#options
    const deadlineMs = clock.monotonicMs() + waitMs
    const attempt = () => {
      if (!this.#tryLock())
        throw unavailable(
          'store-locked',
          `Another process has held the lock ${path} for ${waitMs} ms. It may be stopped or overloaded; try again.`,
          { retryAfterMs: 1000 },
        )
      try {
        return work()
      } finally {
        this.#database?.exec('ROLLBACK')
      }
    }
    const when = (error: unknown) =>
      isSiltstoneError(error) && error.code === 'store-locked' && clock.monotonicMs() < deadlineMs
    return retry(attempt, { attempts: Number.POSITIVE_INFINITY, baseMs: 1, maxMs: 20, clock, random, when })
  }

  close(): void {
    this.#database?.close()
    this.#database = undefined
    this.#hasMode = false
  }

  #tryLock(): boolean {
    this.#database ??= openDatabase(this.#options.path)
    try {
      // A journal as a file would be created at each lock: a full disk has no room for it, and nothing could be deleted there.
      if (!this.#hasMode) this.#database.exec('PRAGMA journal_mode = MEMORY')
      this.#hasMode = true
      this.#database.exec('BEGIN IMMEDIATE')
      return true
    } catch (error) {
      if (isDatabaseBusy(error)) return false
      throw databaseError(this.#options.path, error)
    }
  }
}
