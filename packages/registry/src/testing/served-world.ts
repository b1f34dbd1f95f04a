/** A registry over a store in memory, with the fake hub and the fake GitHub. */
import { openStore } from 'siltstone'
import { systemHttp } from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
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
    close: async () => {
      for (const { settled } of opened) await settled()
      for (const { close } of opened) await close()
      await hub.close()
      await github.close()
    },
  }
}
