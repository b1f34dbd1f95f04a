import { join } from 'node:path'
import type { Clock } from '../../ports/clock.ts'
import { openCoordinationDatabase } from './coordination-database.ts'
import type { Environment } from '../../ports/environment.ts'
import { type DirectoryObjectStoreOptions, openDirectoryObjectStore, PRIVATE_FOLDER } from './directory-object-store.ts'
import { DirectoryScratch } from '../../host/directory-scratch.ts'
import { isDiskFull } from '../../host/file-errors.ts'
import { isWritable } from '../../host/files.ts'
import { MemoryLeases } from '../memory/memory-leases.ts'
import { MemoryQueue } from '../memory/memory-queue.ts'
import type { Random } from '../../ports/random.ts'
import { SqliteLeases } from './sqlite-leases.ts'
import { SqliteQueue } from './sqlite-queue.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemIds } from '../../host/system-ids.ts'
import { systemRandom } from '../../host/system-random.ts'
import { type Logger, type Metrics, noMetrics, silentLogger } from '../../ports/telemetry.ts'

export interface DirectoryEnvironmentOptions
  extends Pick<DirectoryObjectStoreOptions, 'readOnly' | 'allowNetworkFilesystem' | 'lockWaitMs' | 'syncBefore'> {
  /** Default: the machine's. */
  clock?: Clock
  /** Default: the machine's. */
  random?: Random
  log?: Logger
  metrics?: Metrics
  /** See `MemoryQueue`. */
  maxReceiveCount?: number
}

/** What an environment on this machine has unless it is given. */
export function environmentParts({ clock, random, log, metrics }: DirectoryEnvironmentOptions) {
  return {
    clock: clock ?? systemClock,
    random: random ?? systemRandom,
    log: log ?? silentLogger,
    metrics: metrics ?? noMetrics,
  }
}

/**
 * Everything the engine needs, on a directory: objects as files, the queue and the leases in
 * `.siltstone/coordination.sqlite`. With `readOnly` nothing is written, so queue and leases are empty ones in memory. They are also
 * where the disk is full or the directory cannot be written: what can be read is read, garbage can be deleted, and a write says
 * what is wrong. Leases save work and never make it safe, so nothing depends on them; other processes are not woken then.
 * Close it with `closeEnvironment`.
 * @throws SiltstoneError as `openDirectoryObjectStore` and `openCoordinationDatabase` do
 */
export async function openEnvironment(
  directory: string,
  options: DirectoryEnvironmentOptions = {},
): Promise<Environment> {
  const { maxReceiveCount, ...rest } = options
  const parts = environmentParts(options)
  const { clock, random } = parts
  const store = await openDirectoryObjectStore(directory, { ...rest, ...parts })
  const queueOptions = maxReceiveCount === undefined ? { clock } : { clock, maxReceiveCount }
  const ids = systemIds(clock, random)
  if (options.readOnly === true) {
    return { ...parts, ids, store, queue: new MemoryQueue(queueOptions), leases: new MemoryLeases({ clock }) }
  }
  try {
    const path = join(store.root, PRIVATE_FOLDER, 'coordination.sqlite')
    const database = await unlessNoRoom(openCoordinationDatabase(path, { clock, random }), store.root, parts.log)
    if (database === undefined)
      return { ...parts, ids, store, queue: new MemoryQueue(queueOptions), leases: new MemoryLeases({ clock }) }
    const queue = new SqliteQueue(database, queueOptions)
    const scratch = new DirectoryScratch(join(store.root, PRIVATE_FOLDER, 'scratch'), ids)
    return { ...parts, ids, store, queue, leases: new SqliteLeases(database, { clock }), scratch }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** undefined where the disk is full or the directory cannot be written. */
async function unlessNoRoom<T>(opening: Promise<T>, root: string, log: Logger): Promise<T | undefined> {
  try {
    return await opening
  } catch (error) {
    if (!isDiskFull(error) && (await isWritable(join(root, PRIVATE_FOLDER)))) throw error
    log.warn('coordination_unavailable', { error })
    return undefined
  }
}

/** Closes the store, the queue and the leases. */
export async function closeEnvironment(environment: Environment): Promise<void> {
  await environment.queue.close()
  await environment.leases.close()
  await environment.store.close()
}
