/** `siltstone serve --registry`: its options, and what the package `@siltstone/registry` is given. */
import { isUrl } from '../../drivers/open-environment.ts'
import { EmbedderRegistry } from '../../embed/registry.ts'
import type { StoreEngine } from '../../engine/engine.ts'
import { invalid, unsupported } from '../../errors.ts'
import { importOptional } from '../../host/optional-package.ts'
import { Store } from '../../library/store.ts'
import type { ArtifactCatalog } from '../../model/artifact-catalog.ts'
import type { Environment } from '../../ports/environment.ts'
import { VERSION } from '../../version.ts'
import { DEFAULT_REGISTRY_PORT } from '../settings/serve-settings.ts'

export interface RegistryServeOptions {
  registry?: boolean
  registryPort?: number
}

/** What `@siltstone/registry` runs beside the server. */
export interface ServedRegistry {
  url: string
  /** The value of HF_ENDPOINT for clients of the Hub API. */
  hubUrl: string
  /** The file with the admin that was made because none was configured. */
  adminFile?: string
}

/** Given to `@siltstone/registry`, which this package finds but does not import. */
export interface ServeRegistryOptions {
  data: string
  /** Not a bucket. */
  isDirectory: boolean
  host: string
  port: number
  version: string
  environment: Environment
  /** Where the index of artifacts is kept. */
  index: Store
}

export type ServeRegistry = (
  options: ServeRegistryOptions,
) => Promise<ServedRegistry & { catalog: ArtifactCatalog; close(): Promise<void> }>

/** @throws SiltstoneError `invalid` (registry-read-only), `unsupported` (package-missing, package-broken) */
export async function loadRegistry(readOnly: boolean): Promise<ServeRegistry> {
  if (readOnly) {
    const text = '--registry cannot be combined with --read-only: give users the permission "search" alone instead.'
    throw invalid('registry-read-only', text, { field: '--registry' })
  }
  const { serveRegistry } = (await importOptional('@siltstone/registry', '"siltstone serve --registry"')) as {
    serveRegistry: ServeRegistry
  }
  return serveRegistry
}

export function registryOptions(
  { data, host, registryPort = DEFAULT_REGISTRY_PORT }: { data: string; host: string } & RegistryServeOptions,
  parts: { environment: Environment; engine: StoreEngine; embedders: EmbedderRegistry },
): ServeRegistryOptions {
  const { environment, engine, embedders } = parts
  return {
    data,
    isDirectory: !isUrl(data),
    host,
    port: registryPort,
    version: VERSION,
    environment,
    // The server closes the engine.
    index: new Store({ engine, registry: embedders, allowReset: false, close: () => Promise.resolve() }),
  }
}

type Variables = Readonly<Record<string, string | undefined>>

/**
 * The place of the store by the switches of the guide that the registry was asked for with: `USE_S3=1` with `S3_BUCKET_NAME`. They
 * count with `--registry` where neither `--data` nor `SILTSTONE_DATA` is given. A bucket that cannot be reached is an error: there
 * is no fallback to a store in memory, which would lose what it acknowledged.
 * @throws SiltstoneError `invalid` (bad-switch, bucket-missing), `unsupported` (sqlite-place)
 */
export function placeFromSwitches(variables: Variables): string | undefined {
  if (isOn('USE_S3', variables)) {
    const bucket = variables['S3_BUCKET_NAME']
    if (bucket) return `s3://${bucket}`
    throw invalid('bucket-missing', 'USE_S3 is on, and S3_BUCKET_NAME is missing: set it to the name of a bucket.', {
      field: 'S3_BUCKET_NAME',
    })
  }
  if (!isOn('USE_SQLITE', variables)) return undefined
  const text =
    'USE_SQLITE is on, and the registry keeps nothing in a SQLite file: give --data with a directory, which needs no account either.'
  throw unsupported('sqlite-place', text, { field: 'USE_SQLITE' })
}

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

function isOn(name: string, variables: Variables): boolean {
  const text = (variables[name] ?? '').toLowerCase()
  if (/^(?:1|true|yes|on)$/.test(text)) return true
  if (/^(?:0|false|no|off|)$/.test(text)) return false
  throw invalid('bad-switch', `${name} is "${text}": give 1 or 0.`, { field: name })
}
