import { unavailable } from '../../errors.ts'
import type { ContentEtag } from '../../host/content-etag.ts'
import type { PutResult, Upload } from '../../ports/object-store.ts'
import { uploadEnded } from '../../ports/upload-ended.ts'
import type { SharedDatabase, Transaction } from '../directory/shared-database.ts'

/** Also in the stored file: number n of a content begins at n times this. */
export const PART_BYTES = 256 * 1024
/** Each transaction is synced, so an upload makes few of them. */
const WRITE_BYTES = 16 * PART_BYTES

export const DROP_UPLOAD = 'DELETE FROM upload WHERE id = ?'
const TOUCH = 'UPDATE upload SET touchedAtMs = ? WHERE id = ?'
const INSERT_PART = 'INSERT INTO part (content, number, body) VALUES (?, ?, ?)'
const DROP_PARTS = 'DELETE FROM part WHERE content = ?'

/** Bytes that are stored and have no key yet. */
export interface Content {
  id: number
  etag: string
  sizeBytes: number
}

/** @param number of the first part */
export function insertParts({ run }: Transaction, content: number, number: number, body: Uint8Array): void {
  for (let at = 0; at < body.length; at += PART_BYTES) {
    run(INSERT_PART, content, number + at / PART_BYTES, body.subarray(at, at + PART_BYTES))
  }
}

export interface SqliteUploadOptions {
  database: SharedDatabase
  id: number
  etag: ContentEtag
  nowMs: () => number
  name: (transaction: Transaction, content: Content) => PutResult
}

export class SqliteUpload implements Upload {
  readonly #options: SqliteUploadOptions
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #storedBytes = 0
  #hasEnded = false

  constructor(options: SqliteUploadOptions) {
    this.#options = options
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#hasEnded) throw uploadEnded()
    this.#options.etag.update(chunk)
    this.#waiting.push(new Uint8Array(chunk))
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes < WRITE_BYTES) return
    const body = this.#take()
    const whole = body.length - (body.length % PART_BYTES)
    this.#waiting = [body.subarray(whole)]
    this.#waitingBytes = body.length - whole
    await this.#options.database.write((transaction) => this.#store(transaction, body.subarray(0, whole)))
    this.#storedBytes += whole
  }

  async complete(): Promise<PutResult> {
    if (this.#hasEnded) throw uploadEnded()
    this.#hasEnded = true
    const { database, id, name } = this.#options
    const body = this.#take()
    const etag = this.#options.etag.digest()
    return database.write((transaction) => {
      this.#store(transaction, body)
      return name(transaction, { id, etag, sizeBytes: this.#storedBytes + body.length })
    })
  }

  async abort(): Promise<void> {
    if (this.#hasEnded) return
    this.#hasEnded = true
    const { database, id } = this.#options
    await database.write(({ run }) => {
      run(DROP_UPLOAD, id)
      run(DROP_PARTS, id)
    })
  }

  /** @throws SiltstoneError `unavailable` (upload-expired) */
  #store(transaction: Transaction, body: Uint8Array): void {
    const { id, nowMs } = this.#options
    if (transaction.run(TOUCH, nowMs(), id) === 0) {
      throw unavailable('upload-expired', 'This upload rested for more than an hour and was discarded: start it again.')
    }
    insertParts(transaction, id, this.#storedBytes / PART_BYTES, body)
  }

  #take(): Uint8Array {
    const body = Buffer.concat(this.#waiting)
    this.#waiting = []
    this.#waitingBytes = 0
    return body
  }
}
