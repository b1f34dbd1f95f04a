/** Engines whose collections are compacted between the operations of a test, at fixed places. */
import { type CompactLimits, defaultCompactLimits } from '../compact/compact-limits.ts'
import { instrumented } from '../drivers/instrumented.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { pathOf, StoreEngine } from '../engine/engine.ts'
import type { Collection } from '../model/store.ts'
import type { Environment } from '../ports/environment.ts'
import { forwardingStore } from '../ports/forwarding-store.ts'

export interface FoldingOptions {
  env?: Environment
  compact?: Partial<CompactLimits>
  /** A fold follows every write of this number … */
  foldEvery: number
  /** … and a merge every one of this number. */
  mergeEvery: number
}

/** Segments of any size and dimension are clustered and carry an inverted file and filter indexes. */
export const everythingIndexed: CompactLimits = {
  ...defaultCompactLimits,
  indexRows: 1,
  indexDimension: 1,
  fanIn: 3,
  overlays: 2,
}

/** The same environment, its store near as a directory is, or far as a bucket is: searches read in different ways. */
export function reading(env: Environment, isLocal: boolean): Environment {
  const store = forwardingStore(env.store, { capabilities: { ...env.store.capabilities, isLocal } })
  return instrumented({ ...env, store })
}

/**
 * Every collection has an index, from its first record on. It is folded after every second write and merged after every
 * seventh, so it consists of several segments with deletions and overlays, and of a log.
 */
export function indexedEngine(env?: Environment): Promise<StoreEngine> {
  return foldingEngine({ compact: everythingIndexed, foldEvery: 2, mergeEvery: 7, ...(env && { env }) })
}

export async function foldingEngine(options: FoldingOptions): Promise<StoreEngine> {
  const { env = memoryEnvironment(), compact, foldEvery, mergeEvery } = options
  const engine = await StoreEngine.open({ env, compact: { ...defaultCompactLimits, ...compact } })
  const writes = new Map<string, number>()
  async function afterWrite({ info }: Collection): Promise<void> {
    const path = pathOf(info)
    const count = (writes.get(path) ?? 0) + 1
    writes.set(path, count)
    if (count % mergeEvery === 0) await engine.compact(path)
    else if (count % foldEvery === 0) await engine.compact(path, { merge: false })
  }
  return replacing(engine, {
    collection: async (...place: Parameters<StoreEngine['collection']>) => {
      const collection = await engine.collection(...place)
      const followed =
        <A extends unknown[], R>(write: (...args: A) => Promise<R>) =>
        async (...args: A): Promise<R> => {
          const result = await write.apply(collection, args)
          await afterWrite(collection)
          return result
        }
      return replacing(collection, {
        write: followed(collection.write),
        delete: followed(collection.delete),
        commitIf: followed(collection.commitIf),
      })
    },
  })
}

/** The object with some methods replaced; its others still run on itself, where its private fields are. */
function replacing<T extends object>(object: T, methods: Partial<T>): T {
  return new Proxy(object, {
    get(target, name) {
      if (name in methods) return Reflect.get(methods, name)
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}
