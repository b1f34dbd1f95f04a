import { createReadStream } from 'node:fs'
import { access, constants, link, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileError, fileErrorCode, isMissing } from './file-errors.ts'
import { makeDirectories } from './make-directories.ts'

export interface FileInfo {
  sizeBytes: number
  modifiedMs: number
  kind: 'file' | 'directory' | 'other'
}

/** @throws SiltstoneError `not-found` (file-missing), `unavailable` (access-denied, io-error) */
export async function readFileBytes(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (error) {
    throw fileError(error, { path, doing: 'read' })
  }
}

/** The file as UTF-8. @throws SiltstoneError as `readFileBytes` does */
export async function readFileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw fileError(error, { path, doing: 'read' })
  }
}

/** The file in chunks, of 64 KB if `chunkBytes` is not given. @throws SiltstoneError as `readFileBytes` does */
export async function* readFileChunks(path: string, chunkBytes = 1 << 16): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: chunkBytes }) as AsyncIterable<Uint8Array>
  } catch (error) {
    throw fileError(error, { path, doing: 'read' })
  }
}

/**
 * Writes a file completely or not at all, and creates the folders above it. It is not synced, so it is meant for files
 * that can be created again.
 * @throws SiltstoneError `unavailable` (disk-full, read-only, access-denied, io-error)
 */
export async function writeFileWhole(path: string, content: Uint8Array | string): Promise<void> {
  const temp = `${path}.${process.pid}.part`
  try {
    await makeDirectories(dirname(path))
    await writeFile(temp, content)
    await rename(temp, path)
  } catch (error) {
    // Of several failures the first counts.
    await rm(temp, { force: true }).catch(() => undefined)
    throw fileError(error, { path, doing: 'write' })
  }
}

/**
 * Makes a file that only its owner may read, unless there is one, and the folders above it. The name appears with the whole, synced
 * content: neither a full disk nor a crash leaves a part of it, which the next start would take for the file.
 * @returns false when there was a file
 * @throws SiltstoneError `unavailable` (disk-full, read-only, access-denied, io-error), `unsupported` (filesystem)
 */
export async function makePrivateFile(path: string, content: string): Promise<boolean> {
  let folder: string | undefined
  try {
    if ((await fileInfo(path)) !== undefined) return false
    await makeDirectories(dirname(path))
    folder = await mkdtemp(`${path}.`)
    const temporary = join(folder, 'new')
    await writeFile(temporary, content, { mode: 0o600, flush: true })
    await link(temporary, path)
    return true
  } catch (error) {
    if (folder !== undefined && fileErrorCode(error) === 'EEXIST') return false
    throw fileError(error, { path, doing: 'write' })
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  }
}

/** Undefined if nothing has that name. */
export async function fileInfo(path: string): Promise<FileInfo | undefined> {
  try {
    const found = await stat(path)
    const kind = found.isFile() ? 'file' : found.isDirectory() ? 'directory' : 'other'
    return { sizeBytes: found.size, modifiedMs: Math.trunc(found.mtimeMs), kind }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw fileError(error, { path, doing: 'inspect' })
  }
}

/** Whether this process may write there: its rights, and those of the file system. */
export async function isWritable(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** A new, empty directory among the machine's temporary ones. */
export async function makeTemporaryDirectory(prefix = 'siltstone-'): Promise<string> {
  const path = join(tmpdir(), prefix)
  try {
    return await mkdtemp(path)
  } catch (error) {
    throw fileError(error, { path, doing: 'make a directory at' })
  }
}

/** Removes a file, or a directory with its content. A missing path is no error. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true })
  } catch (error) {
    throw fileError(error, { path, doing: 'remove' })
  }
}
