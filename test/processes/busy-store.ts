/** A store whose compaction and garbage collection do at once what is usually due after hours. */
import { defaultCompactLimits, EmbedderRegistry, type Environment, StoreEngine, systemModels } from 'siltstone/internal'
import { Store } from 'siltstone'

type EngineOptions = Parameters<typeof StoreEngine.open>[0]

const compact = {
  ...defaultCompactLimits,
  foldBytes: 200_000,
  tierBaseBytes: 20_000,
  fanIn: 2,
  overlays: 2,
  leaseTtlMs: 600,
  history: { everyCommitMs: 500, hourlyMs: 0, newest: 2 },
  graceMs: 3_000,
  gcEveryMs: 0,
}

/** @param log limits of the log other than the store's; all processes of a store must use the same */
export function openBusyEngine(env: Environment, log?: EngineOptions['log']): Promise<StoreEngine> {
  return StoreEngine.open({ env, compact, ...(log && { log }) })
}

/** The library on an engine. */
export function storeOn(env: Environment, engine: StoreEngine): Store {
  const registry = new EmbedderRegistry({ ...env, models: systemModels, variables: {} })
  return new Store({ engine, registry, allowReset: false, close: () => engine.close() }, {})
}
