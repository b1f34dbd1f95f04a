/**
 * The object store in one SQLite file, shared by the processes of one machine.
 *
 * `object` has a row for each key, and `part` the content in pieces, so that a range reads only the pieces that it touches and an
 * upload never holds a whole object. A put is one transaction: content and key become visible together, and a crash leaves neither.
 * An upload writes its pieces under a number that no object names yet; `complete` is the transaction that names it. What a crashed
 * upload wrote is deleted when the store is opened more than an hour later. The space of deleted objects is used again, not
 * returned to the file system.
 *
 * Calls of SQLite are synchronous: a write holds up this process until its bytes are synced. For many writers at once, a
 * directory is the better place.
 */
import { contentEtag, ContentEtag } from '../../host/content-etag.ts'
import { cutRange } from '../../ports/byte-range.ts'
import type { Clock } from '../../ports/clock.ts'
import { continuationOf, groupOf, type ListPosition, type ListRequest, listRequest } from '../../ports/list-position.ts'
import { checkKey, compareKeys } from '../../ports/object-key.ts'
import type {
  DeleteResult,
  GetOptions,
  GetResult,
  ListOptions,
  ListPage,
  ObjectInfo,
  ObjectStore,
  ObjectStoreCapabilities,
  PutOptions,
  PutResult,
  Upload,
} from '../../ports/object-store.ts'
import type { Row, SharedDatabase, Transaction } from '../directory/shared-database.ts'
import { type Content, DROP_UPLOAD, insertParts, PART_BYTES, SqliteUpload } from './sqlite-upload.ts'

/** The pieces are read with the row, unless a condition says that the content is not wanted. */
const GET = `
  SELECT object.sizeBytes, object.etag, object.lastModifiedMs, part.body FROM object
  LEFT JOIN part ON part.content = object.content AND part.number BETWEEN ? AND ?
    AND object.etag IS NOT ? AND (? IS NULL OR object.etag = ?)
  WHERE object.key = ? ORDER BY part.number`
const HEAD = 'SELECT key, sizeBytes, etag, lastModifiedMs FROM object WHERE key = ?'
const LIST = 'SELECT key, sizeBytes, etag, lastModifiedMs FROM object WHERE key >= ? AND key > ? ORDER BY key LIMIT ?'
const CURRENT = 'SELECT etag, content FROM object WHERE key = ?'
const NEW_CONTENT = 'INSERT INTO upload (touchedAtMs) VALUES (?) RETURNING id'
const NAME = `
  INSERT INTO object (key, sizeBytes, etag, lastModifiedMs, content) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET sizeBytes = excluded.sizeBytes, etag = excluded.etag,
    lastModifiedMs = excluded.lastModifiedMs, content = excluded.content`
const DROP_PARTS = 'DELETE FROM part WHERE content = ?'
const DROP_OBJECT = 'DELETE FROM object WHERE key = ? RETURNING content'

export interface SqliteObjectStoreOptions {
  clock: Clock
  description: string
}

export class SqliteObjectStore implements ObjectStore {
  readonly description: string
  readonly capabilities: ObjectStoreCapabilities = {
    atomicListPages: true,
    cheapStartAfter: true,
    isLocal: true,
    gapBytes: PART_BYTES,
  }
  readonly #database: SharedDatabase
  readonly #clock: Clock
  readonly #endUse: () => void

  constructor(database: SharedDatabase, { clock, description }: SqliteObjectStoreOptions) {
    this.description = description
    this.#database = database
    this.#clock = clock
    this.#endUse = database.use()
  }

  async get(key: string, { range, ifMatch, ifNoneMatch }: GetOptions = {}): Promise<GetResult> {
    checkKey(key)
    // Checks the numbers; the end is cut below, once the size is known.
    const asked = cutRange(range, Number.MAX_SAFE_INTEGER)
    const [first, last] = [Math.floor(asked.start / PART_BYTES), Math.floor(asked.end / PART_BYTES)]
    const match = ifMatch ?? null
    const rows = await this.#database.read(({ all }) => all(GET, first, last, ifNoneMatch ?? null, match, match, key))
    const [row] = rows
    if (row === undefined) return { status: 'not-found' }
    const { etag, sizeBytes, lastModifiedMs } = infoOf(key, row)
    if (ifMatch !== undefined && ifMatch !== etag) return { status: 'mismatch' }
    if (ifNoneMatch === etag) return { status: 'not-modified' }
    const { start, end } = cutRange(range, sizeBytes)
    const offset = first * PART_BYTES
    const body = joined(rows).subarray(Math.max(0, start - offset), Math.max(0, end - offset))
    return { status: 'ok', body, etag, sizeBytes, lastModifiedMs }
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    checkKey(key)
    const [row] = await this.#database.read(({ all }) => all(HEAD, key))
    return row && infoOf(key, row)
  }

  async put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<PutResult> {
    checkKey(key)
    const etag = contentEtag(body)
    return this.#database.write((transaction) => {
      const id = Number(transaction.all(NEW_CONTENT, 0)[0]?.['id'])
      insertParts(transaction, id, 0, body)
      return this.#named(transaction, key, { id, etag, sizeBytes: body.length }, options)
    })
  }

  async upload(key: string, options: { ifAbsent?: true; contentType?: string } = {}): Promise<Upload> {
    checkKey(key)
    const rows = await this.#database.write(({ all }) => all(NEW_CONTENT, this.#nowMs()))
    return new SqliteUpload({
      database: this.#database,
      id: Number(rows[0]?.['id']),
      etag: new ContentEtag(),
      nowMs: () => this.#nowMs(),
      name: (transaction, content) => this.#named(transaction, key, content, options),
    })
  }

  async list(prefix: string, options?: ListOptions): Promise<ListPage> {
    const request = listRequest(prefix, options)
    return this.#database.readTogether((transaction) => pageOf(transaction, request))
  }

  async delete(keys: readonly string[]): Promise<DeleteResult> {
    for (const key of keys) checkKey(key)
    if (keys.length > 0) {
      await this.#database.write(({ all, run }) => {
        for (const key of keys) {
          const [row] = all(DROP_OBJECT, key)
          if (row !== undefined) run(DROP_PARTS, Number(row['content']))
        }
      })
    }
    return { deleted: [...keys], failed: [] }
  }

  async close(): Promise<void> {
    this.#endUse()
  }

  /** Gives the content the key, or deletes it when a condition does not hold. */
  #named({ all, run }: Transaction, key: string, content: Content, options: PutOptions): PutResult {
    const { id, etag, sizeBytes } = content
    const [current] = all(CURRENT, key)
    const refused = refusal(current?.['etag'], options)
    run(DROP_UPLOAD, id)
    if (refused !== undefined) {
      run(DROP_PARTS, id)
      return refused
    }
    if (current !== undefined) run(DROP_PARTS, Number(current['content']))
    run(NAME, key, sizeBytes, etag, this.#nowMs(), id)
    return { status: 'ok', etag }
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowMs())
  }
}

function refusal(current: unknown, { ifAbsent, ifMatch }: PutOptions): PutResult | undefined {
  if (ifAbsent === true && current !== undefined) return { status: 'exists' }
  if (ifMatch === undefined || ifMatch === current) return undefined
  return { status: current === undefined ? 'not-found' : 'mismatch' }
}

function pageOf({ all }: Pick<Transaction, 'all'>, { prefix, delimited, etags, limit, from }: ListRequest): ListPage {
  const page: ListPage = { objects: [], prefixes: [], continuation: undefined }
  let last: ListPosition | undefined
  let [atLeast, after] = 'afterKey' in from ? [prefix, from.afterKey] : [later(prefix, pastGroup(from.afterPrefix)), '']
  for (;;) {
    const missing = limit + 1 - page.objects.length - page.prefixes.length
    const rows = all(LIST, atLeast, after, missing)
    let group: string | undefined
    for (const row of rows) {
      const key = String(row['key'])
      if (!key.startsWith(prefix)) return page
      group = delimited ? groupOf(key, prefix) : undefined
      if (last !== undefined && page.objects.length + page.prefixes.length === limit) {
        return { ...page, continuation: continuationOf(last) }
      }
      if (group !== undefined) {
        page.prefixes.push(group)
        last = { afterPrefix: group }
        break
      }
      const info = infoOf(key, row)
      page.objects.push(etags ? info : { ...info, etag: undefined })
      last = { afterKey: key }
    }
    if (group === undefined) return page
    ;[atLeast, after] = [pastGroup(group), '']
  }
}

/** The first text after all keys that begin with the group, which ends with a slash. */
const pastGroup = (group: string): string => `${group.slice(0, -1)}0`

const later = (a: string, b: string): string => (compareKeys(a, b) > 0 ? a : b)

function infoOf(key: string, row: Row): ObjectInfo & { etag: string } {
  const { sizeBytes, etag, lastModifiedMs } = row
  return { key, sizeBytes: Number(sizeBytes), etag: String(etag), lastModifiedMs: Number(lastModifiedMs) }
}

function joined(rows: readonly Row[]): Uint8Array {
  const bodies = rows.map(({ body }) => body).filter((body) => body instanceof Uint8Array)
  return bodies.length === 1 ? (bodies[0] as Uint8Array) : new Uint8Array(Buffer.concat(bodies))
}
