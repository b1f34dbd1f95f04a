/** The engine keeps the contract of collections: fresh from the log, and with everything folded into segments. */
import { describeAgainstModel } from '../testing/against-model.contract.ts'
import { describeCollection } from '../testing/collection.contract.ts'
import { describeHistory } from '../testing/history.contract.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { pathOf, StoreEngine } from './engine.ts'
import type { Collection, Engine } from '../model/store.ts'

const open = () => StoreEngine.open({ env: memoryEnvironment() })

/** An engine that folds (and merges) after every write, so that all reads are of segments and overlays. */
async function folding(): Promise<Engine> {
  const engine = await open()
  const fold = async (collection: Collection) => {
    await engine.compact(pathOf(collection.info))
  }
  return {
    catalog: engine.catalog,
    close: () => engine.close(),
    async collection(tenant, database, id) {
      const collection = await engine.collection(tenant, database, id)
      return new Proxy(collection, {
        get(target, name) {
          if (name === 'write' || name === 'delete' || name === 'commitIf') {
            return async (request: never) => {
              const result = await target[name](request)
              await fold(target)
              return result
            }
          }
          const member: unknown = Reflect.get(target, name, target)
          return typeof member === 'function' ? (member.bind(target) as unknown) : member
        },
      })
    },
  }
}

describeCollection('the engine', open)
describeHistory('the engine', open)
describeCollection('the engine, folded after each write', folding)
describeHistory('the engine, folded after each write', folding)

describeAgainstModel('the engine', open, {
  disturb: async (engine, collection, kind) => {
    if (!(engine instanceof StoreEngine)) throw new TypeError('this test makes store engines')
    const path = pathOf(collection.info)
    if (kind % 4 === 0) await engine.compact(path)
    else if (kind % 4 === 1) await engine.collectGarbage(path)
    else if (kind % 4 === 2) await engine.compact(path, { merge: false })
    else {
      await engine.close()
      return StoreEngine.open({ env: engine.env })
    }
    return engine
  },
})
