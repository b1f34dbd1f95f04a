/** A registry over a store in memory, with the fake hub and the fake GitHub. */
import { openStore, type StoreCollection } from 'siltstone'
import { systemHttp } from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import { REGISTRY_DATABASE, REGISTRY_TENANT } from '../accounts/store-access.ts'
import { Registry, type RegistryOptions } from '../registry.ts'
import { Sources } from '../sources/sources.ts'
import { type FakeBucket, fakeBucket } from './fake-direct.ts'
import { type FakeService, fakeService, githubRoutes, hubRoutes } from './fake-services.ts'

export interface RegistryWorld {
  registry: Registry
  /** Another process over the same store. */
  other(options?: Partial<RegistryOptions>): Promise<Registry>
  hub: FakeService
  /** For processes with `directUploads`. */
  bucket: FakeBucket
  /** Of the index. */
  collections(): Promise<Record<'names' | 'readmes', StoreCollection>>
  close(): Promise<void>
}

export async function registryWorld(options: Partial<RegistryOptions> = {}): Promise<RegistryWorld> {
  const environment = memoryEnvironment()
  const { store, clock, ids, log, random } = environment
  const bucket = fakeBucket(store)
  Object.assign(store, { direct: bucket.direct })
  const hub = await fakeService(hubRoutes())
  const github = await fakeService(githubRoutes())
  const opened: { settled(): Promise<void>; close(): Promise<void> }[] = []
  const open = async (more: Partial<RegistryOptions>) => {
    const index = await openStore({ environment })
    const sources = new Sources({
      clock,
      random,
      hub: { url: hub.url },
      github: { url: 'https://github.test', apiUrl: github.url },
      http: systemHttp,
    })
    const registry = new Registry({ store, index, clock, ids, log, sources, ...more })
    opened.push({ settled: () => registry.settled(), close: () => index.close() })
    return registry
  }
  return {
    registry: await open(options),
    other: (more = {}) => open({ ...options, ...more }),
    hub,
    bucket,
    collections: async () => {
      const store = await openStore({ environment })
      opened.push({ settled: () => Promise.resolve(), close: () => store.close() })
      const index = store.in({ tenant: REGISTRY_TENANT, database: REGISTRY_DATABASE })
      return {
        names: await index.getCollection({ name: 'names' }),
        readmes: await index.getCollection({ name: 'readmes' }),
      }
    },
    close: async () => {
      for (const { settled } of opened) await settled()
      for (const { close } of opened) await close()
      await hub.close()
      await github.close()
    },
  }
}
