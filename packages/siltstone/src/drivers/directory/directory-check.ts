/** Tests on temporary files whether a directory can do what the store needs. */
import { link, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileError } from '../../host/file-errors.ts'
import { checkFileSystem } from './network-filesystem.ts'
import type { Logger } from '../../ports/telemetry.ts'
import { makeDirectories } from '../../host/make-directories.ts'

export interface DirectoryTrial {
  /** The time until a few bytes are durable. */
  fsyncMs: number
  /** The modification time of the new file. */
  modifiedMs: number
  /** Whether a second link to an existing name failed, as it must. */
  isLinkExclusive: boolean
}

/** @throws SiltstoneError `unavailable` (disk-full, read-only, access-denied, io-error) */
export async function tryDirectory(directory: string, name: string): Promise<DirectoryTrial> {
  const folder = join(directory, '.tmp')
  const path = join(folder, name)
  try {
    await makeDirectories(folder)
    const file = await open(path, 'wx')
    let fsyncMs = 0
    try {
      await file.write('siltstone doctor')
      const began = performance.now()
      await file.sync()
      fsyncMs = performance.now() - began
    } finally {
      await file.close()
    }
    const { mtimeMs } = await stat(path)
    return { fsyncMs, modifiedMs: mtimeMs, isLinkExclusive: await isRefused(link(path, path)) }
  } catch (error) {
    throw fileError(error, { path: directory, doing: 'write' })
  } finally {
    await rm(path, { force: true })
  }
}

async function isRefused(attempt: Promise<void>): Promise<boolean> {
  try {
    await attempt
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EEXIST'
  }
}

/** @throws SiltstoneError `unsupported` (network-filesystem); a doubtful case is only logged */
export async function requireLocalFileSystem(directory: string, log: Logger): Promise<void> {
  await checkFileSystem(directory, false, log)
}

/** Names of the directories in a directory, hidden ones included; none if it cannot be read. */
export async function subdirectories(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return []
    throw fileError(error, { path: directory, doing: 'list' })
  }
}
