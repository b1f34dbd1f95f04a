/** A registry in a store with its HTTP interface, from variables: what a server and a function have in common. */
import type { Authenticator, Environment, StorageFallback } from 'siltstone/internal'
import type { Store } from 'siltstone'
import type { BodyLimits } from './http/body-limits.ts'
import { Registry, type RegistryOptions } from './registry.ts'
import { registrySettings, type Variables } from './registry-settings.ts'
import { createService, type Service } from './service.ts'
import { Sources } from './sources/sources.ts'

export interface OpenServiceOptions {
  environment: Environment
  /** Where the index of artifacts is kept. */
  index: Store
  variables: Variables
  version: string
  /** The first admin, who is made if absent. */
  admin?: { name: string; password: string } | undefined
  /** The tokens of the server, which open the registry, too. */
  operators?: Authenticator | undefined
  upkeep?: RegistryOptions['upkeep']
  fallback?: StorageFallback
  bodyLimits?: BodyLimits
}

/** @throws SiltstoneError as `registrySettings`, and the store's */
export async function openService(options: OpenServiceOptions): Promise<{ registry: Registry; service: Service }> {
  const { environment, index, version, admin, operators, upkeep, fallback, bodyLimits } = options
  const { store, clock, ids, random, log } = environment
  if (admin === undefined && operators === undefined) {
    log.warn('registry_no_admin', {
      remedy: 'set REGISTRY_ADMIN_USER and REGISTRY_ADMIN_PASSWORD: until then nobody can log in',
    })
  }
  const { sources: from, ...settings } = registrySettings(options.variables)
  const sources = new Sources({ clock, random, ...from })
  const registry = new Registry({ store, index, clock, ids, log, sources, upkeep, ...settings })
  const service = await createService({
    registry,
    clock,
    random,
    log,
    version,
    accounts: { admin, operators },
    ...(fallback && { fallback }),
    ...(bodyLimits && { bodyLimits }),
  })
  // Requests do not wait for it; without it the first one takes longer.
  registry.index.prepare().catch((error: unknown) => log.warn('registry_index_not_read_ahead', { error }))
  return { registry, service }
}
