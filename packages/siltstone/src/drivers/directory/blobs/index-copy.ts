/** A copy of the index of blobs as it is at one moment, made while other processes write. */
import { join, resolve } from 'node:path'
import { fileInfo } from '../../../host/files.ts'
import { databaseError, type DatabaseWords, isDatabaseError, openDatabase } from '../sqlite-database.ts'

/** It is the only place that knows what the objects are called. */
export const INDEX_WORDS: DatabaseWords = {
  code: 'blob-index',
  what: 'index of the objects',
  remedy: 'Restore it from a backup: without it no object can be found.',
}

export const INDEX_KEY = 'blobs/index.sqlite'
export const DATA_PREFIX = 'blobs/data/'

/** Where the bytes of a file are, as a key of the store. The last characters of a ULID are random. */
export const dataKey = (name: string): string => `${DATA_PREFIX}${name.slice(-2).toLowerCase()}/${name}`

export const indexPath = (directory: string): string => join(resolve(directory), 'blobs', 'index.sqlite')

export async function hasBlobs(directory: string): Promise<boolean> {
  return (await fileInfo(indexPath(directory))) !== undefined
}

/**
 * Files that the copy names stay for at least five minutes after the last version that had them was deleted.
 * @param target a file that does not exist
 * @returns the keys of the files that the copy names
 * @throws SiltstoneError `unavailable` (disk-full, access-denied), `corrupt` (blob-index-damaged)
 */
export function copyIndex(directory: string, target: string): string[] {
  const path = indexPath(directory)
  try {
    const source = openDatabase(path, INDEX_WORDS)
    try {
      source.prepare('VACUUM INTO ?').run(target)
    } finally {
      source.close()
    }
    const copy = openDatabase(target, INDEX_WORDS)
    try {
      // What is freed is not copied, so there is nothing to remove.
      copy.exec('DELETE FROM freed')
      const names = copy.prepare('SELECT DISTINCT name FROM file').all()
      return names.map(({ name }) => dataKey(String(name)))
    } finally {
      copy.close()
    }
  } catch (error) {
    throw isDatabaseError(error) ? databaseError(path, error, INDEX_WORDS) : error
  }
}
