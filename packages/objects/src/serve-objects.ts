/** What `siltstone serve --objects` runs: the S3 face over the blobs of the store's directory, and their maintenance. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import {
  type Clock,
  DirectoryBlobs,
  type Logger,
  PRIVATE_FOLDER,
  type ServedObjects,
  type ServeObjectsOptions,
  systemClock,
  systemIds,
  systemRandom,
  unavailable,
} from 'siltstone/internal'
import { type AccessKey, AccessKeys } from './s3/access-keys.ts'
import { startS3Server } from './s3/server.ts'

const MAINTAIN_EACH_MS = 60_000
/** Looking at every file for stray ones: with every sixtieth maintenance. */
const STRAYS_EACH = 60

export interface RunningObjects extends ServedObjects {
  close(): Promise<void>
}

/** @throws SiltstoneError as `DirectoryBlobs.open`, `AccessKeys.parse` and `startS3Server` do */
export async function serveObjects(options: ServeObjectsOptions): Promise<RunningObjects> {
  const { data, host, port, allowNetworkFilesystem, environment } = options
  const { clock, random, ids, log } = environment
  const made = options.keys === undefined ? join(resolve(data), PRIVATE_FOLDER, 'objects-keys.json') : undefined
  const keys = AccessKeys.parse(options.keys ?? (await storedKeys(made as string)))
  const buckets = await DirectoryBlobs.open(data, { clock, random, log, allowNetworkFilesystem })
  try {
    const server = await startS3Server({ buckets, keys, clock, ids, log, host, port })
    const stop = maintained(buckets, clock, log)
    const close = async () => {
      await Promise.all([server.close(), stop()])
      await buckets.close()
    }
    return { url: server.url, ...(made !== undefined && { keysFile: made }), close }
  } catch (error) {
    await buckets.close()
    throw error
  }
}

/** The keys of the file; a file that is missing is made, with one new key for everything, and only its owner may read it. */
async function storedKeys(path: string): Promise<string> {
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, `${JSON.stringify([newKey()], undefined, 2)}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw keysFailure(path, error)
  }
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw keysFailure(path, error)
  }
}

function keysFailure(path: string, cause: unknown): Error {
  return unavailable('access-denied', `Cannot read or write the access keys in ${path}: give --objects-keys.`, {
    cause,
  })
}

/** UUIDs of version 4 come from the system's secure source: 244 bits make the secret. */
function newKey(): AccessKey {
  const ids = systemIds(systemClock, systemRandom)
  const text = () => ids.uuid().replaceAll('-', '')
  return { accessKeyId: `SK${text().slice(0, 18).toUpperCase()}`, secretAccessKey: text() + text(), user: 'owner' }
}

/** @returns a function that stops, and waits for maintenance that is running */
function maintained(buckets: DirectoryBlobs, clock: Clock, log: Logger): () => Promise<void> {
  let cancel = () => {}
  let running: Promise<void> = Promise.resolve()
  let stopped = false
  let turn = 0
  const next = () => {
    cancel = clock.timer(MAINTAIN_EACH_MS, () => {
      running = run().finally(() => {
        if (!stopped) next()
      })
    })
  }
  const run = async () => {
    try {
      const done = await buckets.maintain({ strays: turn++ % STRAYS_EACH === 0 })
      if (done.filesRemoved + done.strayFiles + done.uploadsAborted > 0) log.info('objects_maintained', { ...done })
    } catch (error) {
      log.error('objects_maintenance_failed', { error })
    }
  }
  next()
  return () => {
    stopped = true
    cancel()
    return running
  }
}
