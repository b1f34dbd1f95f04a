/** Further queues of the processes on one directory, each in a file of its own. */
import { dirname, join, resolve } from 'node:path'
import { fileError } from '../../host/file-errors.ts'
import { fileInfo } from '../../host/files.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Queue } from '../../ports/queue.ts'
import type { Random } from '../../ports/random.ts'
import { openCoordinationDatabase } from './coordination-database.ts'
import { PRIVATE_FOLDER } from './directory-object-store.ts'
import { SqliteQueue } from './sqlite-queue.ts'
import { makeDirectories } from '../../host/make-directories.ts'

export interface DirectoryQueueOptions {
  clock: Clock
  random: Random
  /** False: a queue that nobody has made yet is not made. */
  create: boolean
  /** See `MemoryQueue`. */
  maxReceiveCount?: number
}

/**
 * @param name of the queue, which names its file
 * @returns undefined without `create`, if there is no such queue
 * @throws SiltstoneError as `openCoordinationDatabase` does
 */
export async function openDirectoryQueue(
  directory: string,
  name: string,
  { clock, random, create, maxReceiveCount }: DirectoryQueueOptions,
): Promise<Queue | undefined> {
  const path = join(resolve(directory), PRIVATE_FOLDER, `${name}.sqlite`)
  if (!create && (await fileInfo(path)) === undefined) return undefined
  try {
    await makeDirectories(dirname(path))
  } catch (error) {
    throw fileError(error, { path, doing: 'open' })
  }
  const database = await openCoordinationDatabase(path, { clock, random })
  return new SqliteQueue(database, { clock, ...(maxReceiveCount !== undefined && { maxReceiveCount }) })
}
