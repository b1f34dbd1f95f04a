/**
 * Prepares a server for its first queries before it listens. A process that has just started is slow: it compiles its code while it
 * runs, and has nothing of a store in memory. So it reads what queries read, as far as it fits into the cache of blocks, and then asks
 * itself queries with vectors of its own records, through all of the API but the socket. Without this the first query takes forty times
 * as long as later ones, and the next fifty four times as long.
 *
 * It ends when enough queries were asked or the time is up, and nothing depends on it: an error ends it, and is logged.
 */
import type { Hono } from 'hono'
import { createChromaApp } from '../chroma/app.ts'
import type { ChromaOptions } from '../chroma/options.ts'
import type { CollectionInfo } from '../model/collection.ts'
import type { Collection, Engine } from '../model/store.ts'
import { noMetrics, silentLogger } from '../ports/telemetry.ts'

export interface WarmUp {
  /** At most about so long; a query that has begun is finished. */
  withinMs: number
  /** Reads what queries read, until `isOver`. */
  readAhead: (info: CollectionInfo, isOver: () => boolean) => Promise<void>
  /** Vectors of some records, evenly of all. Empty where there are none. */
  vectorsOf: (info: CollectionInfo, count: number) => Promise<Float32Array[]>
}

/** About as many as most machines answer in the time. */
const MOST_QUERIES = 240
const MOST_COLLECTIONS = 8
const RESULTS = 10

/** @returns the number of queries that were answered */
export async function warmUp(
  { engine, clock, ids, log, limits }: Pick<ChromaOptions, 'engine' | 'clock' | 'ids' | 'log' | 'limits'>,
  { withinMs, readAhead, vectorsOf }: WarmUp,
): Promise<number> {
  const startedMs = clock.monotonicMs()
  const results = Math.min(RESULTS, limits?.maxResults ?? RESULTS)
  const isOver = () => clock.monotonicMs() - startedMs >= withinMs
  let queries = 0
  try {
    const collections = await someCollections(engine, isOver)
    const isHalfOver = () => clock.monotonicMs() - startedMs >= withinMs / 2
    for (const info of collections) await readAhead(info, isHalfOver)
    const each = Math.ceil(MOST_QUERIES / Math.max(1, collections.length))
    // No metrics and no log: nobody asked these queries.
    const app = createChromaApp({
      engine: unsampled(engine),
      clock,
      ids,
      log: silentLogger,
      metrics: noMetrics,
      ...(limits && { limits }),
    })
    for (const info of collections) {
      if (isOver()) break
      for (const vector of await vectorsOf(info, each)) {
        if (isOver()) break
        await ask(app, info, vector, results)
        queries++
      }
    }
  } catch (error) {
    log.warn('warm_up_failed', { error })
  }
  log.debug('warmed_up', { queries, durationMs: clock.monotonicMs() - startedMs })
  return queries
}

async function someCollections({ catalog }: Engine, isOver: () => boolean): Promise<CollectionInfo[]> {
  const found: CollectionInfo[] = []
  const page = { limit: MOST_COLLECTIONS }
  for (const tenant of await catalog.listTenants(page))
    for (const database of await catalog.listDatabases(tenant.name, page)) {
      if (found.length >= MOST_COLLECTIONS || isOver()) return found
      const some = await catalog.listCollections(tenant.name, database.name, page)
      found.push(...some.filter(({ dimension }) => dimension !== null).slice(0, MOST_COLLECTIONS - found.length))
    }
  return found
}

/** @throws Error if it is not answered */
async function ask(
  app: Hono,
  { tenant, database, id }: CollectionInfo,
  vector: Float32Array,
  results: number,
): Promise<void> {
  const path = [tenant, 'databases', database, 'collections', id].map(encodeURIComponent).join('/')
  const answer = await app.fetch(
    new Request(`http://localhost/api/v2/tenants/${path}/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query_embeddings: [Array.from(vector)],
        n_results: results,
        include: ['metadatas', 'documents', 'distances'],
      }),
    }),
  )
  const text = await answer.text()
  if (!answer.ok) throw new Error(`collection ${id} answered ${answer.status}: ${text.slice(0, 200)}`)
}

/** The engine, with queries that say nothing of what users ask. */
function unsampled(engine: Engine): Engine {
  return {
    catalog: engine.catalog,
    collection: async (tenant, database, id) => {
      const collection = await engine.collection(tenant, database, id)
      return new Proxy(collection, {
        get: (target, key) => {
          if (key === 'query')
            return (request: Parameters<Collection['query']>[0]) => target.query({ ...request, isUnsampled: true })
          const member: unknown = Reflect.get(target, key, target)
          return typeof member === 'function' ? (member.bind(target) as unknown) : member
        },
      })
    },
    close: () => Promise.resolve(),
  }
}
