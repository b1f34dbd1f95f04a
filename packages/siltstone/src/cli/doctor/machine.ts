/** Checks the machine and the store's directory. */
import { basename, dirname, join, resolve } from 'node:path'
import { isSiltstoneError } from '../../errors.ts'
import { storeKey } from '../../format/keys.ts'
import type { Clock } from '../../ports/clock.ts'
import { requireLocalFileSystem, subdirectories, tryDirectory } from '../../drivers/directory/directory-check.ts'
import { fileInfo } from '../../host/files.ts'
import { freeDiskBytes, machine } from '../../host/machine.ts'
import { environmentVariables } from '../../host/process.ts'
import { silentLogger } from '../../ports/telemetry.ts'
import { bytes, duration, plural } from '../format.ts'
import { type Check, fail, ok, warn } from './check.ts'

const SLOW_FSYNC_MS = 100
const SKEW_MS = 2_000
const LOW_DISK_BYTES = 2_000_000_000
const MIN_DISK_BYTES = 100_000_000

export function checkNode(): Check {
  const { nodeVersion, platform, cpus, memoryBytes } = machine()
  const detail = `${nodeVersion} on ${platform}, ${plural(cpus, 'processor')}, ${bytes(memoryBytes)} of memory`
  return ok('node', detail)
}

/** Checks that the directory is writable, syncs, links exclusively, and has the same clock as the machine. */
export async function checkDirectory(directory: string, clock: Clock, name: string): Promise<Check[]> {
  const checks: Check[] = []
  try {
    const before = clock.nowMs()
    const { fsyncMs, modifiedMs, isLinkExclusive } = await tryDirectory(directory, name)
    const after = clock.nowMs()
    checks.push(ok('directory', `${directory} can be written`))
    const speed = `${duration(fsyncMs)} per fsync`
    checks.push(
      fsyncMs > SLOW_FSYNC_MS
        ? warn('fsync', speed, 'Every write waits for an fsync: use a faster disk, or larger batches.')
        : ok('fsync', speed),
    )
    if (!isLinkExclusive)
      checks.push(
        fail(
          'exclusive names',
          'two links could get the same name',
          'Use another file system: writers would overwrite each other.',
        ),
      )
    const skewMs = modifiedMs < before ? modifiedMs - before : Math.max(0, modifiedMs - after)
    checks.push(
      Math.abs(skewMs) > SKEW_MS
        ? warn(
            'clock',
            `the file system is ${duration(Math.abs(skewMs))} ${skewMs < 0 ? 'behind' : 'ahead'}`,
            'Set the clocks (NTP): the garbage collector decides by the age of files.',
          )
        : ok('clock', 'the file system agrees with the machine'),
    )
  } catch (error) {
    if (!isSiltstoneError(error)) throw error
    checks.push(
      fail(
        'directory',
        error.message,
        'Make the directory writable for this user, free space, or choose another with --data.',
      ),
    )
  }
  return checks
}

export async function checkFileSystemKind(directory: string): Promise<Check> {
  let suspect: string | undefined
  const log = {
    ...silentLogger,
    warn: (_: string, fields: object = {}) => void (suspect = String((fields as { type?: string }).type)),
  }
  try {
    await requireLocalFileSystem(directory, log)
  } catch (error) {
    if (!isSiltstoneError(error, 'unsupported')) throw error
    return fail('file system', error.message, 'Move the store to a local disk.')
  }
  if (suspect === undefined) return ok('file system', 'local')
  return warn(
    'file system',
    `${suspect}: it may be on a network`,
    'Make sure that only one machine uses it, and that fsync reaches a disk.',
  )
}

export async function checkDisk(directory: string): Promise<Check> {
  const free = await freeDiskBytes(directory)
  const detail = `${bytes(free)} free`
  if (free < MIN_DISK_BYTES) return fail('disk', detail, 'Free some space: writes will soon be refused.')
  if (free < LOW_DISK_BYTES)
    return warn('disk', detail, 'Compaction needs as much free space as the segments that it merges.')
  return ok('disk', detail)
}

/**
 * Finds signs that programs use different directories, so that each sees half of the data: other stores nearby, or an
 * environment variable with another directory.
 */
export async function checkSplit(directory: string): Promise<Check> {
  const here = resolve(directory)
  const places = new Set<string>()
  for (const parent of new Set([dirname(here), resolve('.')]))
    for (const name of await subdirectories(parent)) places.add(join(parent, name))
  const variable = environmentVariables()['SILTSTONE_DATA']
  if (variable) places.add(resolve(variable))
  places.delete(here)
  const others: string[] = []
  for (const place of places) if ((await fileInfo(join(place, storeKey)))?.kind === 'file') others.push(place)
  if (variable && resolve(variable) !== here)
    return warn(
      'configuration',
      `SILTSTONE_DATA is ${variable}, this command uses ${directory}`,
      'Programs that read the variable use another store. Make them agree.',
    )
  if (others.length > 0)
    return warn(
      'configuration',
      `${plural(others.length, 'other store')} nearby: ${others.map((place) => basename(place)).join(', ')}`,
      'Make sure that every program uses the intended directory.',
    )
  return ok('configuration', 'one store here, and no sign of another')
}
