/**
 * The object store on a directory of a local file system, shared by any number of processes on one machine.
 *
 * A key is used unchanged as a path below the root. `.tmp/` holds files that are being written, `.siltstone/` the lock
 * and the coordination database; neither is ever listed.
 *
 * The steps of a write, and what a crash at each of them leaves:
 * 1. The content is written to a file in `.tmp/` and synced. Crash: a stray file remains, which the next process that
 *    opens the store more than an hour later removes.
 * 2. The directories that `syncBefore` names are synced, so that what the object refers to is durable before the object
 *    is visible: a log entry names deltas in `inbox/` that its writer saw in a listing, but whose producers may not have
 *    synced the folder yet.
 * 3. The file gets its name. Create-if-absent uses link(), which fails if the name exists, atomically and without a
 *    lock. Any other write takes the lock, compares the current content with the given ETag and replaces the file with
 *    rename(). The lock is a file lock of SQLite, so a crash frees it. Unconditional replacements and deletions take it
 *    too, because otherwise a compare-and-swap could undo them. Crash: the object exists or not, and is always complete,
 *    since its content was durable before its name.
 * 4. The folder is synced, and the folders above it unless this process knows them to be durable. Crash before that: the
 *    object may be lost in a power failure, but its write was not acknowledged. Failure: the object is visible and may
 *    not survive, which is the error kind `unknown`.
 * Readers take no lock: an open descriptor always shows one version of the object.
 *
 * Deletions remove folders that became empty. A writer whose folder was removed creates it again and repeats step 3. A
 * folder that contains a name is not removed, so the sync after step 3 syncs the right folder.
 *
 * A full disk, a read-only file system or a missing permission fails in step 1, which changes nothing that is visible.
 */
import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { invalid, isSiltstoneError, notFound, unavailable } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import { contentEtag } from '../../host/content-etag.ts'
import { listRequest } from '../../ports/list-position.ts'
import { pruneEmpty, removeObject } from './delete-object.ts'
import { DirectorySync, makeRoot } from './directory-sync.ts'
import { EtagMemo } from './etag-memo.ts'
import { fileError, fileErrorCode, isMissing, isShortOfFiles } from '../../host/file-errors.ts'
import { KeptFiles } from './kept-files.ts'
import { listDirectory } from './list-directory.ts'
import { NamesMemo } from './names-memo.ts'
import { checkFileSystem } from './network-filesystem.ts'
import { type FinishedFile, publish, type PublishContext } from './publish.ts'
import { type ReadContext, readEtag, readEtagSync, readObject } from './read-object.ts'
import { StoreLock } from './store-lock.ts'
import { removeFile, TempFiles } from './temp-files.ts'
import { finish, DirectoryUpload, writeAll } from './directory-upload.ts'
import { checkKey } from '../../ports/object-key.ts'
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
import type { Random } from '../../ports/random.ts'
import { retry } from '../../ports/retry.ts'
import { type Logger, silentLogger } from '../../ports/telemetry.ts'
import { symbolicLink } from './symbolic-link.ts'
import { makeDirectories } from '../../host/make-directories.ts'

export const TEMP_FOLDER = '.tmp'
export const PRIVATE_FOLDER = '.siltstone'

export interface DirectoryObjectStoreOptions {
  clock: Clock
  random: Random
  log?: Logger
  /** Create and change nothing, and refuse writes. */
  readOnly?: boolean
  /** Accept NFS and SMB, on which the store's guarantees do not hold between machines. */
  allowNetworkFilesystem?: boolean
  /** How long a conditional write waits for the lock. Default 10 s. */
  lockWaitMs?: number
  /** Folders, as prefixes, to sync before an object becomes visible. Default: `inbox/` beside the object. */
  syncBefore?: (key: string) => readonly string[]
  /** Whether `stat` reliably shows that a file or directory has not changed. Default: depends on the file system. */
  trustsStat?: boolean
}

/**
 * Opens a directory as an object store, and creates it if it is missing.
 * @throws SiltstoneError `unsupported` (network-filesystem), `invalid` (no-directory), `not-found` (no-store; only with `readOnly`),
 *   `unavailable` (access-denied, read-only, disk-full)
 */
export async function openDirectoryObjectStore(
  directory: string,
  options: DirectoryObjectStoreOptions,
): Promise<DirectoryObjectStore> {
  const root = resolve(directory)
  const log = options.log ?? silentLogger
  let isLocal = false
  try {
    if (options.readOnly !== true) await makeRoot(root)
    isLocal = await checkFileSystem(root, options.allowNetworkFilesystem ?? false, log)
    if (options.readOnly !== true) await prepare(root, options, log)
  } catch (error) {
    const code = fileErrorCode(error)
    if (code === 'EEXIST' || code === 'ENOTDIR')
      throw invalid('no-directory', `Cannot open the store ${root}: it is a file, or in a file. Give a directory.`, {
        cause: error,
      })
    if (isMissing(error)) throw notFound('no-store', `There is no directory ${root}.`, { cause: error })
    throw fileError(error, { path: root, doing: 'open the store' })
  }
  return new DirectoryObjectStore(root, { trustsStat: isLocal, ...options })
}

async function prepare(root: string, { clock, random }: DirectoryObjectStoreOptions, log: Logger): Promise<void> {
  const temp = join(root, TEMP_FOLDER)
  await makeDirectories(temp)
  await makeDirectories(join(root, PRIVATE_FOLDER))
  const removed = await new TempFiles(temp, random).removeStale(clock.nowMs())
  if (removed > 0) log.info('store.stale-files-removed', { directory: temp, files: removed })
}

/** The `inbox/` beside an object: a log entry refers to deltas there. */
function siblingInbox(key: string): readonly string[] {
  return [`${key.slice(0, key.lastIndexOf('/') + 1)}inbox`]
}

export class DirectoryObjectStore implements ObjectStore {
  readonly description: string
  readonly capabilities: ObjectStoreCapabilities = {
    atomicListPages: false,
    cheapStartAfter: false,
    isLocal: true,
    gapBytes: 4 * 1024,
  }
  /** The absolute path of the directory. */
  readonly root: string
  readonly #options: DirectoryObjectStoreOptions
  readonly #temp: TempFiles
  readonly #writing: PublishContext
  readonly #reading: ReadContext
  readonly #names: NamesMemo | undefined

  /** @param root an absolute path that `openDirectoryObjectStore` has prepared */
  constructor(root: string, options: DirectoryObjectStoreOptions) {
    const { clock, random, lockWaitMs = 10_000, syncBefore = siblingInbox } = options
    const etags = new EtagMemo()
    this.description = `directory ${root}`
    this.root = root
    this.#options = options
    this.#temp = new TempFiles(join(root, TEMP_FOLDER), random)
    const trustsStat = options.trustsStat === true
    this.#reading = { etags, kept: new KeptFiles(), nowMs: () => clock.nowMs(), trustsStat }
    this.#names = trustsStat ? new NamesMemo(() => clock.monotonicMs()) : undefined
    const path = join(root, PRIVATE_FOLDER, 'lock.sqlite')
    const lock = new StoreLock({ path, clock, random, waitMs: lockWaitMs })
    const directories = new DirectorySync(root)
    const retrying = <T>(work: () => Promise<T>) => this.#retrying(work)
    this.#writing = { root, directories, lock, etags, syncBefore, retrying }
  }

  async get(key: string, options: GetOptions = {}): Promise<GetResult> {
    const path = this.#path(key)
    return this.#trying('read', key, () => readObject(path, options, this.#reading))
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    const path = this.#path(key)
    const found = await this.#trying('read', key, () => readEtag(path, this.#reading))
    return found && { key, ...found }
  }

  async put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<PutResult> {
    const path = this.#path(key)
    this.#checkWritable()
    // A write whose condition already fails need not write a file.
    const refused = await this.#trying('read', key, () => refusal(path, options))
    if (refused !== undefined) return { status: refused }
    const file = await this.#trying('write', key, () => this.#writeTemp(body))
    try {
      return await this.#publish(key, file, options)
    } finally {
      await this.#dropTemp(file.path)
    }
  }

  async upload(key: string, options: { ifAbsent?: true; contentType?: string } = {}): Promise<Upload> {
    this.#path(key)
    this.#checkWritable()
    const file = await this.#trying('write', key, () => this.#temp.create())
    return new DirectoryUpload(file, {
      drop: (path) => this.#dropTemp(path),
      publish: (finished) => this.#publish(key, finished, options),
      failure: (error) => this.#failure('write', key, error),
    })
  }

  async list(prefix: string, options?: ListOptions): Promise<ListPage> {
    const request = listRequest(prefix, options)
    const page = await this.#trying('list', prefix, () => listDirectory(this.root, request, this.#names))
    return request.etags ? { ...page, objects: await this.#withEtags(page.objects) } : page
  }

  async delete(keys: readonly string[]): Promise<DeleteResult> {
    this.#checkWritable()
    const paths = keys.map((key) => this.#path(key))
    const failures = new Map<string, Error>()
    const folders = new Map<string, string[]>()
    for (const [at, key] of keys.entries()) {
      const path = paths[at] as string
      try {
        await this.#trying('delete', key, () => removeObject(path, this.#writing.lock))
        this.#writing.etags.forget(path)
        const folder = dirname(path)
        if (!folders.has(folder)) folders.set(folder, [])
        folders.get(folder)?.push(key)
      } catch (error) {
        failures.set(key, error as Error)
      }
    }
    for (const [folder, removed] of folders) {
      try {
        await this.#trying('sync', folder, () => this.#writing.directories.sync(pruneEmpty(folder, this.root)))
      } catch (error) {
        for (const key of removed) failures.set(key, error as Error)
      }
    }
    return {
      deleted: keys.filter((key) => !failures.has(key)),
      failed: [...failures].map(([key, error]) => ({ key, error })),
    }
  }

  async close(): Promise<void> {
    this.#writing.lock.close()
    this.#reading.kept.close()
  }

  async #writeTemp(body: Uint8Array): Promise<FinishedFile> {
    const file = await this.#temp.create()
    try {
      await writeAll(file, body)
      return await finish(file, contentEtag(body))
    } catch (error) {
      await this.#dropTemp(file.path)
      throw error
    }
  }

  async #publish(key: string, file: FinishedFile, options: PutOptions): Promise<PutResult> {
    try {
      return await publish(key, file, options, this.#writing)
    } catch (error) {
      throw this.#failure('write', key, error)
    }
  }

  /** The outcome does not depend on whether the temporary file can be removed. */
  async #dropTemp(path: string): Promise<void> {
    try {
      await removeFile(path)
    } catch (error) {
      this.#options.log?.warn('store.temporary-file-left', { path, error })
    }
  }

  /** Leaves out objects that were deleted since they were listed: a later listing would not show them either. */
  async #withEtags(objects: readonly ObjectInfo[]): Promise<ObjectInfo[]> {
    const there: ObjectInfo[] = []
    for (const info of objects) {
      const found = await this.#trying('read', info.key, () => readEtag(join(this.root, info.key), this.#reading))
      if (found !== undefined) there.push({ ...info, ...found })
    }
    return there
  }

  /** Repeats work that has no visible effect when it fails, as long as too many files are open. */
  #trying<T>(doing: string, key: string, work: () => T | Promise<T>): Promise<T> {
    return this.#retrying(work).catch((error: unknown) => {
      throw this.#failure(doing, key, error)
    })
  }

  #retrying<T>(work: () => T | Promise<T>): Promise<T> {
    const { clock, random } = this.#options
    return retry(work, { attempts: 8, baseMs: 10, maxMs: 500, clock, random, when: isShortOfFiles })
  }

  #failure(doing: string, key: string, error: unknown): Error {
    if (isSiltstoneError(error, 'corrupt') && error.code === 'symbolic-link' && error.key === undefined)
      return symbolicLink(join(this.root, key), key)
    return isSiltstoneError(error) ? error : fileError(error, { path: join(this.root, key), doing, key })
  }

  #path(key: string): string {
    checkKey(key)
    return join(this.root, key)
  }

  #checkWritable(): void {
    if (this.#options.readOnly === true) {
      throw unavailable('read-only', `The ${this.description} was opened for reading only.`)
    }
  }
}

function refusal(path: string, { ifAbsent, ifMatch }: PutOptions): 'exists' | 'mismatch' | 'not-found' | undefined {
  if (ifAbsent === true) return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? 'exists' : undefined
  if (ifMatch === undefined) return undefined
  const etag = readEtagSync(path)
  if (etag === undefined) return 'not-found'
  return etag === ifMatch ? undefined : 'mismatch'
}
