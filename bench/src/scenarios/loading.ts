/**
 * Queries while the data is loaded and compacted: one client writes at full speed, another asks distinct queries one after
 * another all the time. Beside it the same queries of the idle server afterwards. Bodies are made before the clock starts.
 */
import { batches } from '../data/dataset.ts'
import { samplePeak } from '../measure/process-usage.ts'
import { megabytes, type Row } from '../measure/report.ts'
import { summarise } from '../measure/run.ts'
import { COLLECTION } from '../servers/collection-name.ts'
import { HttpClient, HttpError, writeBody } from '../servers/http-client.ts'
import { untilIdle } from '../servers/idle.ts'
import { type Server, sleep } from '../servers/server-process.ts'
import { freshServer, markLoaded } from '../servers/targets.ts'
import type { Scenario } from './scenario.ts'

export const loading: Scenario = {
  about:
    'queries while records are loaded through HTTP and compacted, one client for each, and on the idle server after it',
  records: [100_000],
  run: async (options, report, open) => {
    const data = open()
    const bodies = [...batches(data, options.batch)].map((rows) => writeBody(rows))
    const rows: Row[] = []
    for (let turn = 0; turn < options.repeat; turn++)
      for (const target of options.servers) {
        report.note(`${target}: loading`)
        const server = await freshServer(target, data)
        try {
          const id = await server.client.createCollection(COLLECTION)
          // A connection of its own, so that a query never waits for a write to be sent.
          const asking = new HttpClient(server.url)
          const query = (index: number) =>
            asking.query(id, { vector: data.queries.vector(index % data.queries.count), k: options.k })
          const peak = samplePeak(() => server.usage()?.rssBytes ?? 0)
          const startedMs = performance.now()
          // Chroma's server drops connections when a collection without records is asked for the first time beside a write.
          const first = await load(server, id, bodies.slice(0, 1))
          const work = load(server, id, bodies.slice(1))
          const during = await askUntil(query, work)
          const rest = await work
          const seconds = first.seconds + rest.seconds
          const durableCpu = server.usage()?.cpuSeconds ?? Number.NaN
          const compacting = await askUntil(query, untilIndexed(server, id))
          const indexedSeconds = (performance.now() - startedMs) / 1_000
          await untilIdle(server, id)
          const idle = await askFor(query, 1_000)
          asking.close()
          rows.push({
            server: server.name,
            'loaded records/s': data.count / seconds,
            'answers 429': first.refused + rest.refused,
            'indexed after s': indexedSeconds,
            'queries/s loading': during.perSecond,
            'p50 ms': during.medianMs,
            'p99 ms': during.p99Ms,
            'queries/s compacting': compacting.perSecond,
            'queries/s idle': idle.perSecond,
            'p50 ms idle': idle.medianMs,
            'p99 ms idle': idle.p99Ms,
            'CPU s until durable': durableCpu,
            'peak RSS MB': megabytes(Math.max(peak.stop(), server.usage()?.peakRssBytes ?? 0)),
          })
        } finally {
          await server.stop()
        }
        markLoaded(server)
      }
    report.table(`Queries while ${data.name} are loaded in batches of ${options.batch}`, rows)
  },
}

async function load(server: Server, id: string, bodies: readonly Buffer[]) {
  const startedMs = performance.now()
  let refused = 0
  for (const body of bodies)
    for (;;) {
      try {
        await server.client.write('upsert', id, body)
        break
      } catch (error) {
        // Back-pressure is part of the time.
        if (!(error instanceof HttpError) || error.status !== 429) throw error
        refused++
        await sleep(100)
      }
    }
  return { seconds: (performance.now() - startedMs) / 1_000, refused }
}

async function untilIndexed(server: Server, id: string): Promise<void> {
  while (((await server.client.unindexed(id)) ?? 0) > 0) await sleep(200)
}

type Query = (index: number) => Promise<unknown>

async function askUntil(query: Query, work: Promise<unknown>) {
  let done = false
  const finished = work.finally(() => (done = true))
  const timesMs: number[] = []
  const startedMs = performance.now()
  while (!done) {
    const beganMs = performance.now()
    await query(timesMs.length)
    timesMs.push(performance.now() - beganMs)
  }
  await finished
  return summarise([{ timesMs, seconds: (performance.now() - startedMs) / 1_000 }])
}

async function askFor(query: Query, count: number) {
  const timesMs: number[] = []
  const startedMs = performance.now()
  for (let i = 0; i < count; i++) {
    const beganMs = performance.now()
    await query(i)
    timesMs.push(performance.now() - beganMs)
  }
  return summarise([{ timesMs, seconds: (performance.now() - startedMs) / 1_000 }])
}
