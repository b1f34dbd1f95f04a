import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { StoreEngine } from '../engine/engine.ts'
import type { Collection, Engine } from '../model/store.ts'
import { closeEnvironment, openEnvironment } from '../drivers/directory/directory-environment.ts'
import type { Environment } from '../ports/environment.ts'
import { systemClock } from '../host/system-clock.ts'
import { Recorder } from '../testing/recorder.ts'
import { QueryThreads, withQueryThreads } from './query-threads.ts'
import { noLimits, parseSearch } from '../search/index.ts'
import { collectionRequest } from '../testing/operations.ts'
import { until } from '../testing/until.ts'

let directory: string
let env: Environment
let threads: QueryThreads
let engine: Engine
let things: Collection
const recorder = new Recorder()

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-threads-'))
  env = await openEnvironment(directory)
  const inner = await StoreEngine.open({ env })
  const [tenant, database] = ['default_tenant', 'default_database']
  const { info } = await inner.catalog.createCollection(collectionRequest('things'))
  threads = new QueryThreads({
    place: directory,
    allowNetworkFilesystem: false,
    blockCacheBytes: 1024 * 1024,
    threads: 2,
    clock: systemClock,
    log: recorder,
  })
  engine = withQueryThreads(inner, threads)
  things = await engine.collection(tenant, database, info.id)
  await until(() => threads.ready === 2)
})
afterEach(async () => {
  await engine.close()
  await closeEnvironment(env)
  await rm(directory, { recursive: true, force: true })
})

const record = (id: string, x: number) =>
  ({ op: 'add', id, vector: Float32Array.of(x, 0), document: `the ${id}`, metadata: `{"x":${x}}`, uri: null }) as const
const near = (x: number) => ({ vectors: [Float32Array.of(x, 0)], k: 2, include: { documents: true, embeddings: true } })

/** 7 − x for records beyond 7; the logarithm of that is no number. */
const searchOf = (log: boolean) => {
  const found = { $mul: [{ $knn: { query: [0, 0] } }, { $val: 0 }] }
  const beyond = { $sum: [found, { $sub: { left: { $val: 7 }, right: { $attr: { key: 'x' } } } }] }
  const select = { keys: ['#document', '#score'] }
  const rank = log ? { $log: beyond } : beyond
  return parseSearch({ filter: { x: { $gt: 7 } }, rank, select }, 'search', noLimits).search
}

it('threads see every acknowledged write, answer in full, and fail as the engine does', {
  timeout: 60_000,
}, async () => {
  expect(threads.ready).toBe(2)
  for (let i = 0; i < 10; i++) {
    await things.write([record(`r${i}`, i)])
    const answers = await Promise.all(Array.from({ length: 4 }, () => things.query(near(i))))
    for (const { hits } of answers) {
      expect(hits[0]?.ids[0]).toBe(`r${i}`)
      expect(hits[0]?.documents?.[0]).toBe(`the r${i}`)
      expect(hits[0]?.embeddings?.[0]).toEqual(Float32Array.of(i, 0))
    }
  }
  const filter = { kind: 'compare', key: 'x', op: 'gt', value: 7n } as const
  expect((await things.query({ ...near(0), filter })).hits[0]?.ids).toEqual(['r8', 'r9'])
  const { results } = await things.search({ searches: [searchOf(false)] })
  expect(results).toEqual([{ ids: ['r9', 'r8'], documents: ['the r9', 'the r8'], scores: [-2, -1] }])
  await expect(things.search({ searches: [searchOf(true)] })).rejects.toMatchObject({ code: 'no-number' })
  await expect(things.query({ vectors: [Float32Array.of(1)], k: 1, include: {} })).rejects.toMatchObject({
    kind: 'invalid',
    code: 'dimension-mismatch',
    field: 'query_embeddings[0]',
  })
})

it('without a thread the process answers itself', { timeout: 60_000 }, async () => {
  await things.write([record('a', 1)])
  const pending = Array.from({ length: 6 }, () => things.query(near(1)))
  await threads.close()
  const answers = await Promise.all([...pending, things.query(near(1))])
  for (const { hits } of answers) expect(hits[0]?.ids).toEqual(['a'])
})

it('without the module of the threads the process answers itself, and says so once', async () => {
  const log = new Recorder()
  const options = { place: directory, allowNetworkFilesystem: false, blockCacheBytes: 1024 * 1024, clock: systemClock }
  const none = new QueryThreads({ ...options, threads: 2, log }, null)
  expect(log.events.map(({ event }) => event)).toEqual(['query_threads_unavailable'])
  expect(none.ready).toBe(0)
  const inner = await StoreEngine.open({ env })
  const answering = withQueryThreads(inner, none)
  const { tenant, database, id } = things.info
  await things.write([record('a', 1)])
  const { hits } = await (await answering.collection(tenant, database, id)).query(near(1))
  expect(hits[0]?.ids).toEqual(['a'])
  await answering.close()
})
