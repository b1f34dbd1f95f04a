import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileErrorCode } from './file-errors.ts'

/** Another process may remove an empty directory between two steps. */
const ATTEMPTS = 20

/**
 * Creates a directory and those above it, as `mkdir` with `recursive` does. Node's own never ends where a directory exists in
 * which nothing can be created because it is "not there": in `/proc`, or in a working directory that was removed.
 * @returns the first directory that had to be created; undefined if there was none
 * @throws what the file system says
 */
export async function makeDirectories(path: string): Promise<string | undefined> {
  let first: string | undefined
  for (let attempt = 1; ; attempt++) {
    try {
      await mkdir(path)
      return first ?? path
    } catch (error) {
      const parent = dirname(path)
      if (fileErrorCode(error) === 'ENOENT' && parent !== path && attempt < ATTEMPTS) {
        first = (await makeDirectories(parent)) ?? first
        continue
      }
      // Some systems answer otherwise than with EEXIST where a directory is there: a root, or a file system for reading alone.
      if (await isDirectory(path)) return first
      throw error
    }
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}
