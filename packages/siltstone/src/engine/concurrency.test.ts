/** Several processes on one store that loses answers: what was acknowledged is there, once; what was not is there or not. */
import { describe, expect, it } from 'vitest'
import { defaultCompactLimits } from '../compact/compact-limits.ts'
import { isPassing, isSiltstoneError } from '../errors.ts'
import { directoryLimits } from '../log/log-limits.ts'
import { produce } from '../log/produce.ts'
import type { Environment } from '../ports/environment.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { seededRandom } from '../ports/seeded-random.ts'
import type { RecordOp } from '../model/record.ts'
import {
  type FaultChances,
  type FaultyObjectStore,
  faultyObjectStore,
  randomFaults,
} from '../testing/faulty-object-store.ts'
import { Compactor } from '../compact/compactor.ts'
import { collectGarbage } from '../gc/garbage-collector.ts'
import { pathOf, StoreEngine } from './engine.ts'
import type { Collection } from '../model/store.ts'
import { collectionRequest } from '../testing/operations.ts'

const compact = { ...defaultCompactLimits, fanIn: 2, overlays: 2, foldBytes: 4_000, graceMs: 60_000 }
const log = { ...directoryLimits, settleMs: 2_000 }
const add = (id: string, x: number): RecordOp => ({
  op: 'add',
  id,
  vector: Float32Array.of(x, 1),
  document: null,
  metadata: `{"x":${x}}`,
  uri: null,
})

interface World {
  env: Environment
  store: FaultyObjectStore
  path: string
  open(): Promise<Collection>
}

async function world(seed: number, faults: FaultChances): Promise<World> {
  const plain = memoryEnvironment({ seed })
  const engine = await StoreEngine.open({ env: plain, log, compact })
  const { info } = await engine.catalog.createCollection(collectionRequest('things'))
  const store = faultyObjectStore(plain.store, randomFaults(faults, seededRandom(seed), plain.clock))
  const env = { ...plain, store }
  const open = async () => (
    await StoreEngine.open({ env: { ...env, store: plain.store }, log, compact }),
    await new StoreOpener(env).open(info.id)
  )
  return { env, store, path: pathOf(info), open }
}

/** Opens over the faulty store, trying again: opening is not what is tested. */
class StoreOpener {
  readonly #env: Environment
  constructor(env: Environment) {
    this.#env = env
  }
  async open(id: string): Promise<Collection> {
    for (;;) {
      try {
        const engine = await StoreEngine.open({ env: this.#env, log, compact })
        return await engine.collection('default_tenant', 'default_database', id)
      } catch (error) {
        if (!isPassing(error)) throw error
      }
    }
  }
}

async function retrying<T>(run: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await run()
    } catch (error) {
      if (!isPassing(error)) throw error
    }
  }
}

describe('several processes on one store', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'lose and double nothing with lost answers, late puts and compactors without leases (seed %i)',
    async (seed) => {
      const faults = { before: 0.04, after: 0.06, late: 0.03, delayMs: 2 }
      const { env, store, path, open } = await world(seed, faults)
      const acknowledged = new Map<string, number>()
      const uncertain = new Set<string>()
      let working = true
      const writer = async (name: string) => {
        const collection = await open()
        for (let i = 0; i < 25; i++) {
          const ids = [`${name}-${i}-a`, `${name}-${i}-b`]
          try {
            const { version } = await collection.write(ids.map((id) => add(id, i)))
            for (const id of ids) acknowledged.set(id, version)
            // Read your own write in this process, regardless of other processes.
            const read = await retrying(() => collection.get({ ids, include: {}, atLeast: version }))
            expect(read.ids.toSorted()).toEqual(ids)
          } catch (error) {
            if (!isPassing(error)) throw error
            for (const id of ids) uncertain.add(id)
          }
        }
      }
      const producer = async (name: string) => {
        for (let i = 0; i < 10; i++) {
          const id = `${name}-${i}`
          await produce(env, path, { records: [add(id, i)] }, { maxBytes: 1e6 })
          acknowledged.set(id, 0)
        }
      }
      const compactor = async (name: string) => {
        const works = new Compactor({ env, log, limits: compact, name, withoutLease: true })
        while (working) {
          await works.compact(path).catch((error: unknown) => {
            if (!isPassing(error) && !isSiltstoneError(error, 'unavailable')) throw error
          })
          await env.clock.sleep(5)
        }
      }
      const collector = async () => {
        while (working) {
          await collectGarbage(path, { env, log, limits: compact, name: 'gc', withoutLease: true }).catch(
            (error: unknown) => {
              if (!isPassing(error)) throw error
            },
          )
          await env.clock.sleep(20)
        }
      }
      const background = [compactor('c1'), compactor('c2'), collector()]
      await Promise.all([writer('w1'), writer('w2'), writer('w3'), producer('p1'), producer('p2')])
      working = false
      await Promise.all(background)
      await store.settled()
      Object.assign(faults, { before: 0, after: 0, late: 0, delayMs: 0 })
      const collection = await open()
      const check = async () => {
        const { ids } = await collection.get({ include: {} })
        expect(new Set(ids).size).toBe(ids.length)
        const there = new Set(ids)
        expect([...acknowledged.keys()].filter((id) => !there.has(id))).toEqual([])
        for (const id of ids) expect(acknowledged.has(id) || uncertain.has(id), id).toBe(true)
        // A write of unknown outcome is there whole or not at all.
        for (const id of uncertain)
          expect(there.has(id), id).toBe(there.has(id.endsWith('a') ? `${id.slice(0, -1)}b` : `${id.slice(0, -1)}a`))
        expect(await collection.count()).toBe(ids.length)
      }
      await check()
      await new Compactor({ env, log, limits: compact, name: 'last' }).compact(path)
      await check()
      expect(store.injected.get('after')).toBeGreaterThan(0)
    },
  )
})
