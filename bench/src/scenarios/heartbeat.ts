/**
 * The longest heartbeat beside one large request: how long a request keeps the server from answering others. A thread of
 * its own sends a heartbeat every few milliseconds; the longest before the request, on the idle server, is the floor.
 */
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Row } from '../measure/report.ts'
import { SCRATCH } from '../places.ts'
import { type Server, sleep, startSiltstone } from '../servers/server-process.ts'
import type { Scenario } from './scenario.ts'

const COLLECTIONS = '/api/v2/tenants/default_tenant/databases/default_database/collections'
const RECORDS = 20_000
const DIMENSION = 384
const BODIES = 20
const BODY_BYTES = 39 * 1024 * 1024

export const heartbeat: Scenario = {
  about: 'the longest heartbeat beside each of the largest requests, of a collection of 20,000 × 384',
  records: [0],
  run: async (options, report) => {
    mkdirSync(SCRATCH, { recursive: true })
    const directory = mkdtempSync(join(SCRATCH, 'heartbeat-'))
    const server = await startSiltstone({ directory })
    try {
      const collections = await fill(server)
      const rows: Row[] = []
      for (const [name, send] of requests(server, collections)) {
        report.note(name)
        const measured: { floorMs: number; longestMs: number; answers: string }[] = []
        for (let i = 0; i < options.repeat; i++) measured.push(await beside(server, send))
        rows.push({
          request: name,
          'idle ms': Math.max(...measured.map(({ floorMs }) => floorMs)),
          'longest ms': Math.max(...measured.map(({ longestMs }) => longestMs)),
          'median of runs ms': measured.map(({ longestMs }) => longestMs).toSorted((a, b) => a - b)[
            measured.length >> 1
          ] as number,
          answers: measured[0]?.answers ?? '',
          'peak RSS MB': Math.round((server.usage()?.peakRssBytes ?? 0) / 1e6),
        })
      }
      report.table(`Longest heartbeat, ${options.repeat} runs each`, rows)
    } finally {
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
    }
  },
}

type Send = () => Promise<string[]>

function requests(server: Server, { one, many }: { one: string; many: string }): [string, Send][] {
  const ask = (path: string, body: unknown, times = 1): Send => {
    const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    return () => Promise.all(Array.from({ length: times }, () => post(server.url, path, bytes)))
  }
  const numbers = Array.from({ length: 1_000_000 }, (_, i) => i)
  const ids = numbers.map((i) => `id-${i}`)
  const vector = Array.from({ length: DIMENSION }, (_, i) => Math.sin(i))
  const or = Array.from({ length: 5_000 }, (_, i) => ({ n: i }))
  const contains = Array.from({ length: 5_000 }, (_, i) => ({ $contains: `word ${i}` }))
  const large = `{"ids":["a"],"embeddings":[[1]],"documents":["${'x'.repeat(10 * 1024 * 1024)}"],"more":[${'"y",'.repeat((BODY_BYTES - 10 * 1024 * 1024) / 4)}0]}`
  const vectors = (count: number) => Array.from({ length: count }, () => vector)
  return [
    ['get of 1 M ids', ask(`${one}/get`, { ids })],
    ['get of 100,000 ids', ask(`${many}/get`, { ids: ids.slice(0, 100_000) })],
    ['delete of 100,000 ids, 80,000 unknown', ask(`${many}/delete`, { ids: ids.slice(20_000, 120_000) })],
    ['$in of 1 M, one record', ask(`${one}/get`, { where: { n: { $in: numbers } } })],
    ['$in of 30,000', ask(`${many}/get`, { where: { n: { $in: numbers.slice(0, 30_000) } }, limit: 10 })],
    ['$or of 5,000', ask(`${many}/get`, { where: { $or: or }, limit: 10 })],
    ['where_document $or of 5,000', ask(`${many}/get`, { where_document: { $or: contains }, limit: 10 })],
    ['get of 20,000 with embeddings', ask(`${many}/get`, { include: ['embeddings', 'documents', 'metadatas'] })],
    ['get where, of 20,000', ask(`${many}/get`, { where: { n: { $gte: 0 } }, limit: 10 })],
    ['n_results 10,000', ask(`${many}/query`, { query_embeddings: [vector], n_results: 10_000 })],
    [
      'n_results 10,000 with embeddings',
      ask(`${many}/query`, { query_embeddings: [vector], n_results: 10_000, include: ['embeddings'] }),
    ],
    ['500 vectors × n_results 100', ask(`${many}/query`, { query_embeddings: vectors(500), n_results: 100 })],
    ['upsert of 5,000 × 384', ask(`${many}/upsert`, { ids: ids.slice(0, 5_000), embeddings: vectors(5_000) })],
    [`${BODIES} bodies of 39 MiB`, ask(`${one}/upsert`, large, BODIES)],
  ]
}

async function fill(server: Server): Promise<{ one: string; many: string }> {
  const make = async (name: string) => `${COLLECTIONS}/${await server.client.createCollection(name)}`
  const [one, many] = [await make('one'), await make('many')]
  const add = async (path: string, from: number, count: number, dimension: number) => {
    const at = Array.from({ length: count }, (_, i) => from + i)
    const body = {
      ids: at.map((i) => `id-${i}`),
      embeddings: at.map((i) => Array.from({ length: dimension }, (_, k) => Math.sin(i * 7.1 + k * 1.3))),
      documents: at.map((i) => `the document of the record ${i}`),
      metadatas: at.map((i) => ({ n: i, tag: `tag ${i % 100}` })),
    }
    await post(server.url, `${path}/add`, Buffer.from(JSON.stringify(body)))
  }
  await add(one, 0, 1, 1)
  for (let from = 0; from < RECORDS; from += 2_000) await add(many, from, 2_000, DIMENSION)
  await sleep(5_000)
  return { one, many }
}

/** @returns the answer's status */
function post(url: string, path: string, body: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    const outgoing = request(new URL(path, url), { method: 'POST', headers }, (answer) => {
      answer.resume()
      answer.on('close', () => resolve(String(answer.statusCode)))
    })
    outgoing.on('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? 'error'))
    outgoing.end(body)
  })
}

async function beside(server: Server, send: Send) {
  const worker = new Worker(new URL('./heartbeat-thread.ts', import.meta.url), { workerData: server.url })
  await once(worker, 'message')
  const longest = async () => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage('longest')
    const [ms] = (await once(worker, 'message')) as [number]
    return ms
  }
  await sleep(500)
  const floorMs = await longest()
  const statuses = await send()
  await sleep(50)
  const longestMs = await longest()
  await worker.terminate()
  const answers = [...Map.groupBy(statuses, (status) => status)].map(([status, all]) => `${all.length} × ${status}`)
  return { floorMs: round(floorMs), longestMs: round(longestMs), answers: answers.join(', ') }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}
