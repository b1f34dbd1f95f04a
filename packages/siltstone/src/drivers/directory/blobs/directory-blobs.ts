/**
 * Blobs on a directory of a local file system, shared by the processes of one machine.
 *
 * `blobs/index.sqlite` has one row per version of a key, the bytes of small objects, and for larger ones the names of the
 * files below `blobs/data/` that hold them, in order. No path is made from a key. So any key is possible beside any
 * other, a copy shares its source's files, an upload in parts is completed without copying, and listings come from the
 * index in byte order.
 *
 * The steps of a put, and what a crash at each of them leaves:
 * 1. The body is read, hashed and, above 16 KiB, written to a file with a new name. Sizes and checksums are compared with
 *    the expected ones. Crash or failure: a stray file, which nothing names.
 * 2. The file and its folder are synced. Crash: as before.
 * 3. One transaction tests the condition, takes away the version that is replaced, and adds the row. Puts that arrive
 *    together share it, and its sync of the disk. Crash: SQLite keeps all of it or nothing.
 * Files that no row names any more are noted in the table `freed` by the transaction that let go of them, and removed
 * five minutes later, so that a read which is running can end, also in another process. A reader that is slower gets
 * `unavailable` (blob-replaced).
 *
 * `maintain` removes freed files, stray files that were last written more than an hour ago, and uploads that were begun
 * more than seven days ago. A stray file is noted as freed in a transaction, and the transaction that would name it fails
 * then: a writer that stalled for an hour between steps 1 and 3 has to send its body again.
 */
import { join, resolve } from 'node:path'
import { notFound, unavailable } from '../../../errors.ts'
import { fileError, isMissing } from '../../../host/file-errors.ts'
import { systemIds } from '../../../host/system-ids.ts'
import { checkBucketName } from '../../../ports/blob-rules.ts'
import type { BlobBuckets, BlobStore, BucketInfo } from '../../../ports/blob-store.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Random } from '../../../ports/random.ts'
import { type Logger, silentLogger } from '../../../ports/telemetry.ts'
import { makeRoot } from '../directory-sync.ts'
import { checkFileSystem } from '../network-filesystem.ts'
import { BlobFiles } from './blob-files.ts'
import { BlobIndex } from './blob-index.ts'
import { removeBucket, versioningOf } from './blob-versions.ts'
import type { BlobParts } from './blob-parts.ts'
import { DirectoryBlobStore } from './directory-blob-store.ts'
import { removeUpload } from './directory-multipart.ts'
import { makeDirectories } from '../../../host/make-directories.ts'

const FREED_FOR_MS = 5 * 60_000
const STRAY_AFTER_MS = 60 * 60_000
const UPLOAD_FOR_MS = 7 * 24 * 60 * 60_000
const BATCH = 500

export interface DirectoryBlobsOptions {
  clock: Clock
  random: Random
  log?: Logger
  /** Accept NFS and SMB; then only one machine may open the directory. */
  allowNetworkFilesystem?: boolean
}

export interface Maintained {
  filesRemoved: number
  strayFiles: number
  uploadsAborted: number
}

export class DirectoryBlobs implements BlobBuckets {
  readonly description: string
  readonly #parts: BlobParts
  readonly #root: string

  private constructor(root: string, parts: BlobParts) {
    this.description = `directory ${root}`
    this.#root = root
    this.#parts = parts
  }

  /**
   * Opens the blobs of a store's directory, and creates what is missing.
   * @throws SiltstoneError `unsupported` (network-filesystem, newer-format, sqlite-missing), `unavailable`
   *   (access-denied, read-only, disk-full), `corrupt` (blob-index-damaged)
   */
  static async open(directory: string, options: DirectoryBlobsOptions): Promise<DirectoryBlobs> {
    const { clock, random, log = silentLogger } = options
    const root = resolve(directory)
    const data = join(root, 'blobs', 'data')
    try {
      await makeRoot(root)
      await checkFileSystem(root, options.allowNetworkFilesystem ?? false, log)
      await makeDirectories(data)
    } catch (error) {
      if (isMissing(error)) throw notFound('no-store', `There is no directory ${root}.`, { cause: error })
      throw fileError(error, { path: data, doing: 'open' })
    }
    const ids = systemIds(clock, random)
    const index = await BlobIndex.open(join(root, 'blobs', 'index.sqlite'), { clock, random })
    return new DirectoryBlobs(root, { index, files: new BlobFiles(data, ids), clock, ids })
  }

  async listBuckets(): Promise<BucketInfo[]> {
    const rows = this.#parts.index.all('SELECT name, createdMs FROM bucket ORDER BY name')
    return rows.map((row) => ({ name: row['name'] as string, createdMs: row['createdMs'] as number }))
  }

  async createBucket(name: string): Promise<boolean> {
    checkBucketName(name)
    const createdMs = this.#parts.clock.nowMs()
    return this.#parts.index.write((t) => {
      if (t.first('SELECT 1 FROM bucket WHERE name = ?', name) !== undefined) return false
      t.run('INSERT INTO bucket (name, createdMs) VALUES (?, ?)', name, createdMs)
      return true
    })
  }

  async deleteBucket(name: string): Promise<void> {
    const nowMs = this.#parts.clock.nowMs()
    await this.#parts.index.write((t) => {
      const uploads = t.all('SELECT uploadId FROM upload WHERE bucket = ?', name)
      for (const row of uploads) removeUpload(t, row['uploadId'] as string, nowMs)
      removeBucket(t, name)
    })
  }

  async hasBucket(name: string): Promise<boolean> {
    return this.#parts.index.first('SELECT 1 FROM bucket WHERE name = ?', name) !== undefined
  }

  bucket(name: string): BlobStore {
    return new DirectoryBlobStore(name, this.#root, this.#parts)
  }

  async setting(bucket: string, name: string): Promise<string | undefined> {
    const { index } = this.#parts
    versioningOf(index, bucket)
    return index.first('SELECT text FROM setting WHERE bucket = ? AND name = ?', bucket, name)?.['text'] as
      | string
      | undefined
  }

  async setSetting(bucket: string, name: string, text: string | undefined): Promise<void> {
    await this.#parts.index.write((t) => {
      versioningOf(t, bucket)
      if (text === undefined) t.run('DELETE FROM setting WHERE bucket = ? AND name = ?', bucket, name)
      else t.run('INSERT OR REPLACE INTO setting (bucket, name, text) VALUES (?, ?, ?)', bucket, name, text)
    })
  }

  /**
   * Removes what nothing needs any more. Safe at any time, in any number of processes.
   * @param options.strays false: does not look at all files for stray ones
   */
  async maintain({ strays = true }: { strays?: boolean } = {}): Promise<Maintained> {
    const nowMs = this.#parts.clock.nowMs()
    return {
      uploadsAborted: await this.#abortOldUploads(nowMs),
      strayFiles: strays ? await this.#noteStrays(nowMs) : 0,
      filesRemoved: await this.#removeFreed(nowMs),
    }
  }

  async close(): Promise<void> {
    this.#parts.index.close()
  }

  async #removeFreed(nowMs: number): Promise<number> {
    const { index, files } = this.#parts
    let removed = 0
    for (;;) {
      const rows = index.all('SELECT name FROM freed WHERE atMs <= ? LIMIT ?', nowMs - FREED_FOR_MS, BATCH)
      const names = rows.map((row) => row['name'] as string)
      if (names.length === 0) return removed
      for (const name of names) await files.remove(name)
      await index.write((t) => {
        for (const name of names) t.run('DELETE FROM freed WHERE name = ?', name)
      })
      removed += names.length
    }
  }

  async #noteStrays(nowMs: number): Promise<number> {
    const { index, files } = this.#parts
    let strays = 0
    try {
      for await (const names of files.olderThan(nowMs - STRAY_AFTER_MS))
        strays += await index.write((t) => {
          const unknown = names.filter(
            (name) =>
              t.first('SELECT 1 FROM file WHERE name = ?', name) === undefined &&
              t.first('SELECT 1 FROM freed WHERE name = ?', name) === undefined,
          )
          for (const name of unknown) t.run('INSERT INTO freed (name, atMs) VALUES (?, ?)', name, nowMs)
          return unknown.length
        })
    } catch (error) {
      throw unavailable('blobs-not-listed', `Cannot look for stray files below ${this.#root}.`, { cause: error })
    }
    return strays
  }

  async #abortOldUploads(nowMs: number): Promise<number> {
    const { index } = this.#parts
    return index.write((t) => {
      const rows = t.all('SELECT uploadId FROM upload WHERE startedMs <= ? LIMIT ?', nowMs - UPLOAD_FOR_MS, BATCH)
      for (const row of rows) removeUpload(t, row['uploadId'] as string, nowMs)
      return rows.length
    })
  }
}
