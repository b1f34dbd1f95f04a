import { describe, expect, it } from 'vitest'
import { systemIds } from '../host/system-ids.ts'
import { systemClock } from '../host/system-clock.ts'
import { systemRandom } from '../host/system-random.ts'
import type { Clock } from '../ports/clock.ts'
import { silentLogger } from '../ports/telemetry.ts'
import { ModelEngine } from '../testing/model.ts'
import type { QueryRequest } from '../model/read.ts'
import { startTestServer } from './testing/server.ts'
import { warmUp } from './warm-up.ts'

const ids = systemIds(systemClock, systemRandom)
const vectors = Array.from({ length: 5 }, (_, i) => Float32Array.from([i, 1]))

/** An engine with a collection of records and an empty one, and the queries that it is asked. */
async function engineWithRecords() {
  const engine = new ModelEngine()
  const asked: QueryRequest[] = []
  const create = async (name: string) => {
    const { info } = await engine.catalog.createCollection({
      tenant: 'default_tenant',
      database: 'default_database',
      name,
      getOrCreate: true,
      space: 'l2',
      metadata: null,
      configuration: {},
      schema: null,
    })
    return engine.collection(info.tenant, info.database, info.id)
  }
  await create('empty')
  const records = await create('records')
  const nothing = { document: null, metadata: null, uri: null }
  await records.write(vectors.map((vector, i) => ({ op: 'upsert', id: `r${i}`, vector, ...nothing })))
  const noting = {
    catalog: engine.catalog,
    collection: async (...path: Parameters<ModelEngine['collection']>) => {
      const collection = await engine.collection(...path)
      return new Proxy(collection, {
        get: (target, key) => {
          if (key !== 'query') return Reflect.get(target, key, target) as unknown
          return (request: QueryRequest) => {
            asked.push(request)
            return target.query(request)
          }
        },
      })
    },
    close: () => engine.close(),
  }
  return { engine: noting, asked, id: records.info.id }
}

const vectorsOf = () => Promise.resolve(vectors)
const readAhead = () => Promise.resolve()

describe('a server that warms up', () => {
  it('asks each collection with records for its own, before it listens, and leaves no trace', async () => {
    const { engine, asked, id } = await engineWithRecords()
    const wanted: string[] = []
    const read: string[] = []
    const server = await startTestServer({
      engine,
      warmUp: {
        withinMs: 60_000,
        readAhead: async (info) => {
          expect(asked).toEqual([])
          read.push(info.id)
        },
        vectorsOf: (info) => {
          wanted.push(info.id)
          return vectorsOf()
        },
      },
    })
    expect([read, wanted]).toEqual([[id], [id]])
    expect(asked.map((request) => request.vectors)).toEqual(vectors.map((vector) => [vector]))
    expect(asked.every(({ isUnsampled, explain }) => isUnsampled === true && explain !== true)).toBe(true)
    await server.close()
  })

  it('ends when the time is up', async () => {
    const { engine, asked } = await engineWithRecords()
    const clock: Clock = { ...systemClock, monotonicMs: () => 10 * asked.length }
    const limits = { maxResults: 2 }
    const warm = { withinMs: 25, readAhead, vectorsOf }
    const queries = await warmUp({ engine, clock, ids, log: silentLogger, limits }, warm)
    expect([queries, asked.length]).toEqual([3, 3])
    // As many as a user may ask for.
    expect(asked.every(({ k }) => k === 2)).toBe(true)
  })

  it('starts all the same if that fails, and says so', async () => {
    const { engine } = await engineWithRecords()
    const warnings: string[] = []
    const log = { ...silentLogger, warn: (event: string) => void warnings.push(event) }
    const failing = () => Promise.reject(new Error('no vectors today'))
    const server = await startTestServer({ engine, log, warmUp: { withinMs: 60_000, readAhead, vectorsOf: failing } })
    expect(warnings).toEqual(['warm_up_failed'])
    expect((await fetch(`${server.url}/api/v2/heartbeat`)).status).toBe(200)
    await server.close()
  })
})
