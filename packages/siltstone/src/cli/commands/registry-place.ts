/**
 * Where a registry is kept, by the switches of the guide that it was asked for with. They count with `--registry` where neither
 * `--data` nor `SILTSTONE_DATA` is given.
 *
 * | variable                  | meaning                                                                              |
 * |---------------------------|--------------------------------------------------------------------------------------|
 * | `USE_S3=1`                | the bucket of `S3_BUCKET_NAME`                                                       |
 * | `USE_SQLITE=1`            | the file of `SQLALCHEMY_DATABASE_URL`, by default `sqlite:///registry.db`            |
 * | `STORAGE_FALLBACK`        | `none`, or what to use where the first place fails its check: `sqlite`, `memory`, `sqlite,memory` |
 * | `CREATE_BUCKET=1`         | makes the bucket if there is none                                                    |
 * | `ENVIRONMENT=development` | fallback to SQLite if it is switched on, then to memory; and `CREATE_BUCKET=1`       |
 * | `ENVIRONMENT=production`  | memory is refused                                                                    |
 *
 * Without `ENVIRONMENT=development` nothing falls back unless it is asked for: what is written to another place than the bucket is
 * missing there, and what is written to memory is lost. The place is chosen once, when the server starts, never in the middle of
 * work; a fallback is an error in the log, a degraded component of the registry's health, and a header of each of its answers.
 */
import { inMemory, openEnvironmentAt, schemeAt } from '../../drivers/open-environment.ts'
import { loadAws } from '../../drivers/load-aws.ts'
import { closeEnvironment } from '../../drivers/directory/directory-environment.ts'
import { invalid, isSiltstoneError, type SiltstoneError, unsupported } from '../../errors.ts'
import type { Ids } from '../../ports/ids.ts'
import type { ObjectStore } from '../../ports/object-store.ts'
import type { Logger } from '../../ports/telemetry.ts'

type Variables = Readonly<Record<string, string | undefined>>

const MEMORY = 'sqlite://'
const DEFAULT_FILE = 'sqlite:///registry.db'

/** @throws SiltstoneError `invalid` (bad-switch, bucket-missing, memory-in-production), `unsupported` (sqlite-url) */
export function placeFromSwitches(variables: Variables): string | undefined {
  if (isOn('USE_S3', variables)) {
    const bucket = variables['S3_BUCKET_NAME']
    if (bucket) return `s3://${bucket}`
    throw invalid('bucket-missing', 'USE_S3 is on, and S3_BUCKET_NAME is missing: set it to the name of a bucket.', {
      field: 'S3_BUCKET_NAME',
    })
  }
  return isOn('USE_SQLITE', variables) ? sqlitePlace(variables) : undefined
}

/**
 * The places to try after the first one has failed.
 * @throws SiltstoneError `invalid` (bad-switch, memory-in-production), `unsupported` (sqlite-url)
 */
export function fallbackFromSwitches(variables: Variables): string[] | undefined {
  const first = placeFromSwitches(variables)
  const text = variables['STORAGE_FALLBACK'] || (isDevelopment(variables) ? developmentFallback(variables) : 'none')
  if (first === undefined || text.trim().toLowerCase() === 'none') return undefined
  const places = text.split(',').map((part) => {
    const name = part.trim().toLowerCase()
    if (name === 'sqlite') return sqlitePlace(variables)
    if (name !== 'memory') {
      throw invalid('bad-switch', `STORAGE_FALLBACK is "${text}": give none, sqlite, memory or sqlite,memory.`, {
        field: 'STORAGE_FALLBACK',
      })
    }
    if (isProduction(variables)) throw memoryInProduction('STORAGE_FALLBACK')
    return MEMORY
  })
  return places.filter((place) => place !== first)
}

const developmentFallback = (variables: Variables) => (isOn('USE_SQLITE', variables) ? 'sqlite,memory' : 'memory')

/** @throws SiltstoneError `invalid` (memory-in-production), `unsupported` (sqlite-url) */
function sqlitePlace(variables: Variables): string {
  const url = variables['SQLALCHEMY_DATABASE_URL'] || DEFAULT_FILE
  const [, scheme = url] = /^([^:]*):/.exec(url) ?? []
  if (!/^sqlite(?:\+pysqlite)?$/i.test(scheme)) {
    const text = `SQLALCHEMY_DATABASE_URL names the database system "${scheme.slice(0, 40)}", and the registry is kept in SQLite files alone: give sqlite:///file.db, or --data with a directory or a bucket.`
    throw unsupported('sqlite-url', text, { field: 'SQLALCHEMY_DATABASE_URL' })
  }
  const place = `sqlite${url.slice(scheme.length)}`
  if (inMemory(place) && isProduction(variables)) throw memoryInProduction('SQLALCHEMY_DATABASE_URL')
  return place
}

function memoryInProduction(field: string) {
  const text = `${field} names memory, and ENVIRONMENT is production: what is kept in memory is lost with the process. Name a file or a bucket.`
  return invalid('memory-in-production', text, { field })
}

const environmentOf = (variables: Variables) => (variables['ENVIRONMENT'] ?? '').toLowerCase()
const isDevelopment = (variables: Variables) => environmentOf(variables) === 'development'
const isProduction = (variables: Variables) => environmentOf(variables) === 'production'

/** The levels of Python's logging, which the guide sets. */
export function logLevelFrom(variables: Variables): 'debug' | 'info' | 'warn' | 'error' | undefined {
  const text = variables['LOG_LEVEL']
  if (text === undefined || text === '') return undefined
  const levels = {
    DEBUG: 'debug',
    INFO: 'info',
    WARNING: 'warn',
    WARN: 'warn',
    ERROR: 'error',
    CRITICAL: 'error',
  } as const
  const level = Object.entries(levels).find(([name]) => name === text.toUpperCase())?.[1]
  if (level !== undefined) return level
  throw invalid('bad-switch', `LOG_LEVEL is "${text}": give one of ${Object.keys(levels).join(', ')}.`, {
    field: 'LOG_LEVEL',
  })
}

function isOn(name: string, variables: Variables, otherwise = false): boolean {
  const text = (variables[name] ?? '').toLowerCase()
  if (text === '') return otherwise
  if (/^(?:1|true|yes|on)$/.test(text)) return true
  if (/^(?:0|false|no|off)$/.test(text)) return false
  throw invalid('bad-switch', `${name} is "${text}": give 1 or 0.`, { field: name })
}

/** Why the registry is not where it was asked to be. */
export interface StorageFallback {
  wanted: string
  used: 'sqlite' | 'memory'
  /** Of the failure of the wanted place. */
  code: string
  reason: string
}

export interface ChooseOptions {
  variables: Variables
  log: Logger
  /** Whether a store keeps what a registry rests on. */
  check: (store: ObjectStore, ids: Ids) => Promise<void>
}

/**
 * The first place that passes its check; the last one without a check. Makes a bucket that is missing if that is switched on.
 * @throws SiltstoneError as `placeFromSwitches` says of the variables
 */
export async function choosePlace(
  data: string,
  fallback: readonly string[],
  { variables, log, check }: ChooseOptions,
): Promise<{ place: string; fallback?: StorageFallback }> {
  await makeBucket(data, { variables, log })
  const places = [data, ...fallback]
  let failure: SiltstoneError | undefined
  for (const place of places.slice(0, -1)) {
    try {
      await checkPlace(place, log, check)
      return chosen(place, data, failure)
    } catch (error) {
      if (!isSiltstoneError(error)) throw error
      failure ??= error
      const bucket = /^s3:\/\/([^/?]+)/.exec(place)?.[1]
      const message = `Failed to access ${bucket === undefined ? place : `S3 bucket ${bucket}`}: ${error.message}`
      log.error('storage_failed', { message, place, code: error.code })
    }
  }
  return chosen(places.at(-1) as string, data, failure)
}

function chosen(place: string, wanted: string, failure: SiltstoneError | undefined) {
  if (failure === undefined) return { place }
  const used = inMemory(place) ? ('memory' as const) : ('sqlite' as const)
  return { place, fallback: { wanted, used, code: failure.code, reason: failure.message } }
}

async function checkPlace(place: string, log: Logger, check: ChooseOptions['check']): Promise<void> {
  const environment = await openEnvironmentAt(place, { log })
  try {
    await check(environment.store, environment.ids)
  } finally {
    await closeEnvironment(environment)
  }
}

async function makeBucket(place: string, { variables, log }: Pick<ChooseOptions, 'variables' | 'log'>): Promise<void> {
  if (schemeAt(place) !== 's3' || !isOn('CREATE_BUCKET', variables, isDevelopment(variables))) return
  const { makeS3Bucket } = await loadAws()
  try {
    if (await makeS3Bucket(place)) log.info('bucket_made', { place })
  } catch (error) {
    if (!isSiltstoneError(error)) throw error
    log.warn('bucket_not_made', { place, code: error.code, message: error.message })
  }
}
