import { rmdirSync, statSync, unlinkSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileErrorCode, isMissing } from '../../host/file-errors.ts'
import type { StoreLock } from './store-lock.ts'

/** The blocks of a larger file are freed in the thread pool, because that can take long. */
const LARGE_FILE_BYTES = 1024 * 1024

/**
 * Removes an object under the lock, so that a concurrent compare-and-swap happens entirely before or after it. Only the
 * name is removed under the lock: a descriptor keeps the blocks of a large file until it is closed.
 */
export async function removeObject(path: string, lock: StoreLock): Promise<void> {
  const size = sizeOf(path)
  if (size === undefined) return
  const handle = size > LARGE_FILE_BYTES ? await openIfThere(path) : undefined
  try {
    await lock.run(() => unlinkIfThere(path))
  } finally {
    await handle?.close()
  }
}

/** Removes empty directories, from `directory` up to below `root`. Returns the first one that remains. */
export function pruneEmpty(directory: string, root: string): string {
  let at = directory
  while (at !== root) {
    try {
      rmdirSync(at)
    } catch (error) {
      const code = fileErrorCode(error)
      if (code === 'ENOTEMPTY' || code === 'EEXIST') return at
      if (!isMissing(error)) throw error
    }
    at = dirname(at)
  }
  return root
}

/** Undefined for anything but a file: there is no object with that key. */
function sizeOf(path: string): number | undefined {
  try {
    const stat = statSync(path)
    return stat.isFile() ? stat.size : undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

async function openIfThere(path: string) {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
