import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileError, isMissing } from './file-errors.ts'
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

/** The file in chunks of 64 KB. @throws SiltstoneError as `readFileBytes` does */
export async function* readFileChunks(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path) as AsyncIterable<Uint8Array>
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
    await rm(temp, { force: true })
    throw fileError(error, { path, doing: 'write' })
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
