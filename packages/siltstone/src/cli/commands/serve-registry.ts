/** `siltstone serve --registry`: its options, and what the package `@siltstone/registry` is given. */
import { join, resolve } from 'node:path'
import { PRIVATE_FOLDER } from '../../drivers/directory/directory-object-store.ts'
import { schemeAt, sqliteFileOf } from '../../drivers/open-environment.ts'
import { EmbedderRegistry } from '../../embed/registry.ts'
import type { Authenticator, Identity } from '../../chroma/options.ts'
import type { StoreEngine } from '../../engine/engine.ts'
import { invalid } from '../../errors.ts'
import { importOptional } from '../../host/optional-package.ts'
import { Store } from '../../library/store.ts'
import type { ArtifactCatalog } from '../../model/artifact-catalog.ts'
import type { Environment } from '../../ports/environment.ts'
import { VERSION } from '../../version.ts'
import { DEFAULT_REGISTRY_PORT } from '../settings/serve-settings.ts'
import type { ChooseOptions, StorageFallback } from './registry-place.ts'

export interface RegistryServeOptions {
  registry?: boolean
  registryPort?: number
  /** Places to try after the first one has failed. */
  storageFallback?: string[]
  /** Hours between two runs of the registry's garbage collector; 0: none. */
  registryGcHours?: number
  /** Days after which versions of files are forgotten that no branch and no tag names; 0: never. */
  registryKeepDays?: number
  /** Chroma's API needs a token of an account of the registry, or of the server. */
  registryAccounts?: boolean
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
  /** Where an admin is kept who is made because none is configured; undefined: none is made. */
  adminFile?: string
  /** Why the registry is not where it was asked to be. */
  fallback?: StorageFallback
  host: string
  port: number
  version: string
  environment: Environment
  /** Where the index of artifacts is kept. */
  index: Store
  /** The tokens of the server, which open the registry, too. */
  operators?: Authenticator
  /** As `--registry-gc-hours` and `--registry-keep-days`. */
  gcHours?: number
  keepDays?: number
}

export type ServeRegistry = (options: ServeRegistryOptions) => Promise<
  ServedRegistry & {
    catalog: ArtifactCatalog
    /** What the token of an account may do in the store. */
    identify(token: string): Promise<Identity>
    close(): Promise<void>
  }
>

/** What `@siltstone/registry` gives to a server. */
export interface RegistryServer {
  serveRegistry: ServeRegistry
  selfCheck: ChooseOptions['check']
}

/** @throws SiltstoneError `invalid` (registry-read-only), `unsupported` (package-missing, package-broken) */
export async function loadRegistry(readOnly: boolean): Promise<RegistryServer> {
  if (readOnly) {
    const text = '--registry cannot be combined with --read-only: give users the permission "search" alone instead.'
    throw invalid('registry-read-only', text, { field: '--registry' })
  }
  return (await importOptional('@siltstone/registry', '"siltstone serve --registry"')) as RegistryServer
}

/** Beside what only this machine has. */
function adminFileOf(data: string): string | undefined {
  if (schemeAt(data) === 'directory') return join(resolve(data), PRIVATE_FOLDER, 'registry-admin.json')
  const file = sqliteFileOf(data)
  return file === undefined ? undefined : `${file}.admin.json`
}

export function registryOptions(
  {
    data,
    host,
    registryPort = DEFAULT_REGISTRY_PORT,
    registryGcHours: gcHours,
    registryKeepDays: keepDays,
  }: { data: string; host: string } & RegistryServeOptions,
  parts: {
    environment: Environment
    engine: StoreEngine
    embedders: EmbedderRegistry
    fallback: StorageFallback | undefined
    operators: Authenticator | undefined
  },
): ServeRegistryOptions {
  const { environment, engine, embedders, fallback, operators } = parts
  const admin = adminFileOf(data)
  return {
    data,
    ...(admin !== undefined && { adminFile: admin }),
    ...(fallback && { fallback }),
    ...(operators && { operators }),
    ...(gcHours !== undefined && { gcHours }),
    ...(keepDays !== undefined && { keepDays }),
    host,
    port: registryPort,
    version: VERSION,
    environment,
    // The server closes the engine.
    index: new Store({ engine, registry: embedders, allowReset: false, close: () => Promise.resolve() }),
  }
}

/** What `serve` prints and answers about it, without what only the server uses. */
export const shownRegistry = ({ url, hubUrl, adminFile }: ServedRegistry): ServedRegistry => ({
  url,
  hubUrl,
  ...(adminFile !== undefined && { adminFile }),
})

export function registryLine(registry: ServedRegistry | undefined): string {
  if (registry === undefined) return ''
  const made = registry.adminFile === undefined ? '' : `, with the admin in ${registry.adminFile}`
  return `The registry is at ${registry.url}, for clients of the Hub HF_ENDPOINT=${registry.hubUrl}${made}\n`
}
