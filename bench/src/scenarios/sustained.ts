/**
 * Writes at a steady rate for minutes while one client asks queries: whether the part of the log that waits to be indexed
 * stays bounded, and what the queries wait for. Beside it the same queries of the idle server afterwards. The records are
 * those of the data set again and again under new ids, so that each one is inserted; from the second time on, a query has
 * several equal records among its neighbours. `--values rate=10000`, `--values seconds=300`.
 */
import type { Dataset, Row as RecordRow } from '../data/dataset.ts'
import { rowAt } from '../data/dataset.ts'
import { samplePeak } from '../measure/process-usage.ts'
import { megabytes, type Row } from '../measure/report.ts'
import { summarise } from '../measure/run.ts'
import { COLLECTION } from '../servers/collection-name.ts'
import { HttpClient, HttpError, writeBody } from '../servers/http-client.ts'
import { untilIdle } from '../servers/idle.ts'
import { type Server, sleep } from '../servers/server-process.ts'
import { freshServer } from '../servers/targets.ts'
import type { Scenario } from './scenario.ts'

const RECORDS_PER_SECOND = 10_000
const SECONDS = 300
const BACKLOG_EVERY_MS = 1_000
const IDLE_QUERIES = 1_000

export const sustained: Scenario = {
  about:
    'records written through HTTP at a steady rate for five minutes, and queries all the time; then the idle server',
  records: [100_000],
  run: async (options, report, open) => {
    const data = open()
    const rate = options.values.get('rate')?.[0] ?? RECORDS_PER_SECOND
    const seconds = options.values.get('seconds')?.[0] ?? SECONDS
    const rows: Row[] = []
    for (const target of options.servers) {
      report.note(`${target}: ${rate} records/s for ${seconds} s`)
      const server = await freshServer(target, data)
      try {
        rows.push(await measure(server, data, { rate, seconds, batch: options.batch, k: options.k }))
      } finally {
        await server.stop()
      }
    }
    report.table(`Queries while ${data.name} are written again and again, ${rate} records/s for ${seconds} s`, rows)
  },
}

interface Load {
  rate: number
  seconds: number
  batch: number
  k: number
}

async function measure(server: Server, data: Dataset, load: Load): Promise<Row> {
  const id = await server.client.createCollection(COLLECTION)
  const [asking, watching] = [new HttpClient(server.url), new HttpClient(server.url)]
  const query = (index: number) =>
    asking.query(id, { vector: data.queries.vector(index % data.queries.count), k: load.k })
  const peak = samplePeak(() => server.usage()?.rssBytes ?? 0)
  const startedMs = performance.now()
  let done = false
  const writing = write(server, id, data, load).finally(() => (done = true))
  const backlogs: number[] = []
  const watch = async () => {
    for (; !done; await sleep(BACKLOG_EVERY_MS)) backlogs.push((await watching.unindexed(id)) ?? Number.NaN)
  }
  const [during, , { refused, late, written }] = await Promise.all([ask(query, () => done), watch(), writing])
  const cpuSeconds = server.usage()?.cpuSeconds ?? Number.NaN
  const writtenSeconds = (performance.now() - startedMs) / 1_000
  await untilIdle(server, id)
  const indexedSeconds = (performance.now() - startedMs) / 1_000
  let asked = 0
  const idle = await ask(query, () => asked++ >= IDLE_QUERIES)
  asking.close()
  watching.close()
  const half = Math.floor(backlogs.length / 2)
  return {
    server: server.name,
    'written records/s': written / writtenSeconds,
    'answers 429': refused,
    'latest batch, s behind': late,
    'largest backlog, first half': Math.max(0, ...backlogs.slice(0, half)),
    'largest backlog, second half': Math.max(0, ...backlogs.slice(half)),
    'indexed s after the last write': indexedSeconds - writtenSeconds,
    'p50 ms': during.medianMs,
    'p99 ms': during.p99Ms,
    'p50 ms idle': idle.medianMs,
    'p99 ms idle': idle.p99Ms,
    'p50 times idle': during.medianMs / idle.medianMs,
    'p99 times idle': during.p99Ms / idle.p99Ms,
    'CPU s while writing': cpuSeconds,
    'peak RSS MB': megabytes(Math.max(peak.stop(), server.usage()?.peakRssBytes ?? 0)),
  }
}

/** Each batch at its time; a server that is too slow gets the next one at once, and falls behind. */
async function write(server: Server, id: string, data: Dataset, { rate, seconds, batch }: Load) {
  const startedMs = performance.now()
  let refused = 0
  let late = 0
  let written = 0
  for (; written < rate * seconds; written += batch) {
    const dueMs = startedMs + (1_000 * written) / rate
    const body = writeBody(Array.from({ length: batch }, (_, i) => renamed(data, written + i)))
    await sleep(Math.max(0, dueMs - performance.now()))
    for (;;)
      try {
        await server.client.write('add', id, body)
        break
      } catch (error) {
        if (!(error instanceof HttpError) || error.status !== 429) throw error
        refused++
        await sleep(100)
      }
    late = Math.max(late, (performance.now() - dueMs) / 1_000)
    // A server that cannot keep up at all would be written to for hours.
    if (performance.now() - startedMs > 2_000 * seconds) break
  }
  return { refused, late, written }
}

function renamed(data: Dataset, number: number): RecordRow {
  const row = rowAt(data, number % data.count)
  return { ...row, id: `${row.id}~${Math.floor(number / data.count)}` }
}

async function ask(query: (index: number) => Promise<unknown>, isDone: () => boolean) {
  const timesMs: number[] = []
  const startedMs = performance.now()
  while (!isDone()) {
    const beganMs = performance.now()
    await query(timesMs.length)
    timesMs.push(performance.now() - beganMs)
  }
  return summarise([{ timesMs, seconds: (performance.now() - startedMs) / 1_000 }])
}
