import { type BigIntStats, existsSync, renameSync, statSync } from 'node:fs'
import { link } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { unavailable, unsupported } from '../../errors.ts'
import type { PutOptions, PutResult } from '../../ports/object-store.ts'
import type { DirectorySync } from './directory-sync.ts'
import type { EtagMemo } from './etag-memo.ts'
import { fileErrorCode, isMissing, notDurable } from '../../host/file-errors.ts'
import { MAX_SYNC_READ_BYTES, readEtagSync } from './read-object.ts'
import type { StoreLock } from './store-lock.ts'
import { makeDirectories } from '../../host/make-directories.ts'

/** A directory may be pruned between its creation and its use, but hardly this often. */
const MAX_PLACE_ATTEMPTS = 10

export interface PublishContext {
  root: string
  directories: Pick<DirectorySync, 'sync'>
  lock: StoreLock
  etags: EtagMemo
  syncBefore: (key: string) => readonly string[]
  /** Repeats an operation that failed because too many files were open. */
  retrying: <T>(work: () => Promise<T>) => Promise<T>
}

/** A temporary file that holds an object's content, synced and closed. */
export interface FinishedFile {
  path: string
  etag: string
  stat: BigIntStats
}

type Condition = Pick<PutOptions, 'ifAbsent' | 'ifMatch'>

/**
 * Gives a finished file its name, durably. A file that is linked, not moved, leaves its temporary name behind.
 * @throws SiltstoneError of `fileError` when nothing became visible, `unknown` (not-durable) after that
 */
export async function publish(
  key: string,
  file: FinishedFile,
  condition: Condition,
  context: PublishContext,
): Promise<PutResult> {
  const path = join(context.root, key)
  const { directories, retrying, root } = context
  for (const directory of context.syncBefore(key)) await retrying(() => directories.sync(join(root, directory)))
  const answer = await place(path, file, condition, context.lock)
  if (answer !== 'placed') return { status: answer }
  const directory = dirname(path)
  try {
    await retrying(() => directories.sync(directory))
  } catch (error) {
    throw notDurable(error, { path: directory, doing: 'sync', key })
  }
  context.etags.forget(path)
  if (file.stat.size > MAX_SYNC_READ_BYTES) context.etags.rememberWritten(path, file.stat, file.etag)
  return { status: 'ok', etag: file.etag }
}

async function place(
  path: string,
  file: FinishedFile,
  condition: Condition,
  lock: StoreLock,
): Promise<'placed' | Exclude<PutResult['status'], 'ok'>> {
  for (let attempt = 1; ; attempt++) {
    try {
      if (condition.ifAbsent === true) return await linkIfAbsent(file.path, path)
      return await lock.run(() => renameIfMatch(file.path, path, condition.ifMatch))
    } catch (error) {
      if (!isMissing(error)) throw error
      if (!existsSync(file.path)) throw tempFileGone(file.path, error)
      if (attempt >= MAX_PLACE_ATTEMPTS) throw error
    }
    await makeDirectories(dirname(path))
  }
}

async function linkIfAbsent(from: string, to: string): Promise<'placed' | 'exists'> {
  try {
    await link(from, to)
    return 'placed'
  } catch (error) {
    const code = fileErrorCode(error)
    // The name belongs to a folder of objects.
    if (code === 'EEXIST' && statSync(to, { throwIfNoEntry: false })?.isDirectory() === true) throw error
    if (code === 'EEXIST') return 'exists'
    if (code === 'EPERM') throw noHardLinks(to, error)
    throw error
  }
}

function renameIfMatch(from: string, to: string, ifMatch: string | undefined): 'placed' | 'mismatch' | 'not-found' {
  if (ifMatch !== undefined) {
    const etag = readEtagSync(to)
    if (etag === undefined) return 'not-found'
    if (etag !== ifMatch) return 'mismatch'
  }
  renameSync(from, to)
  return 'placed'
}

function noHardLinks(path: string, cause: unknown) {
  return unsupported(
    'filesystem',
    `Cannot link ${path}: this file system lacks hard links. Use a local one (ext4, xfs, btrfs, APFS).`,
    { cause },
  )
}

function tempFileGone(path: string, cause: unknown) {
  return unavailable(
    'upload-expired',
    `The temporary file ${path} is gone: it was idle for an hour, or was removed. Nothing was changed; write again.`,
    { cause },
  )
}
