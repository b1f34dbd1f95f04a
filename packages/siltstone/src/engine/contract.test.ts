/** The engine keeps the contract of collections: fresh from the log, folded into segments, and with an index over all. */
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import type { Collection, Engine } from '../model/store.ts'
import { describeAgainstModel } from '../testing/against-model.contract.ts'
import { describeCollection } from '../testing/collection.contract.ts'
import { everythingIndexed, foldingEngine, indexedEngine, reading } from '../testing/folding-engine.ts'
import { describeHistory } from '../testing/history.contract.ts'
import { describeSearch, describeSearchAgainstModel } from '../testing/search.contract.ts'
import { pathOf, StoreEngine } from './engine.ts'

const worlds: [string, () => Promise<Engine>][] = [
  ['the engine', () => StoreEngine.open({ env: memoryEnvironment() })],
  ['the engine, folded and merged after each write', () => foldingEngine({ foldEvery: 1, mergeEvery: 1 })],
  ['the engine, everything indexed', () => indexedEngine()],
  ['the engine, everything indexed and near', () => indexedEngine(reading(memoryEnvironment(), true))],
  [
    'the engine, everything indexed after each write',
    () => foldingEngine({ compact: everythingIndexed, foldEvery: 1, mergeEvery: 5 }),
  ],
]
for (const [name, open] of worlds) {
  describeCollection(name, open)
  describeHistory(name, open)
  describeSearch(name, open)
}

const compactions: [string, Partial<Parameters<typeof StoreEngine.open>[0]>][] = [
  ['the engine', {}],
  ['the engine, everything indexed', { compact: everythingIndexed }],
]
for (const [name, options] of compactions) {
  const open = () => StoreEngine.open({ env: memoryEnvironment(), ...options })
  const disturb = async (engine: Engine, collection: Collection, kind: number) => {
    if (!(engine instanceof StoreEngine)) throw new TypeError('this test makes store engines')
    const path = pathOf(collection.info)
    if (kind % 4 === 0) await engine.compact(path)
    else if (kind % 4 === 1) await engine.collectGarbage(path)
    else if (kind % 4 === 2) await engine.compact(path, { merge: false })
    else {
      await engine.close()
      return StoreEngine.open({ ...options, env: engine.env })
    }
    return engine
  }
  describeAgainstModel(name, open, { disturb })
  describeSearchAgainstModel(name, open, { disturb })
}
