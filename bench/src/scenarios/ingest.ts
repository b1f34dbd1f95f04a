/**
 * Records with documents and metadata through HTTP, in batches, one client, each batch acknowledged (durable) before the
 * next is sent. Bodies are made before the clock starts, so that the client's work is not counted as the server's.
 * Siltstone's compaction runs during and after it, in the same process; the time until it is idle is reported separately.
 */
import { batches, type Dataset } from '../data/dataset.ts'
import { samplePeak } from '../measure/process-usage.ts'
import { megabytes, type Report, type Row } from '../measure/report.ts'
import { summarise } from '../measure/run.ts'
import { median } from '../measure/statistics.ts'
import { directoryBytes, type Server, sleep } from '../servers/server-process.ts'
import { HttpError, writeBody } from '../servers/http-client.ts'
import { untilIdle } from '../servers/idle.ts'
import { COLLECTION } from '../servers/collection-name.ts'
import { freshServer, markLoaded } from '../servers/targets.ts'
import type { Scenario } from './scenario.ts'

export const ingest: Scenario = {
  about: 'records with documents and metadata through HTTP until durable, then compaction until idle',
  records: [100_000],
  run: async (options, report, open) => {
    const data = open()
    report.note(`preparing ${data.name}`)
    const bodies = [...batches(data, options.batch)].map((rows) => writeBody(rows))
    const rows: Row[] = []
    for (let turn = 0; turn < options.repeat; turn++) {
      for (const target of options.servers) {
        const server = await freshServer(target, data)
        try {
          report.note(`${server.name}: writing`)
          rows.push(await ingestOnce(server, data, bodies, report))
        } finally {
          await server.stop()
        }
        // The queries are measured on the data of the last turn.
        markLoaded(server)
      }
    }
    report.table(`Ingest of ${data.name}, batches of ${options.batch}, one client, raw HTTP`, rows)
    if (options.servers.length > 1) report.table('Medians', medians(rows))
  },
}

/** Medians of each server's turns, and the ratio to the rate of the last server. */
function medians(rows: readonly Row[]): Row[] {
  const names = [...new Set(rows.map(({ server }) => server as string))]
  const rates = names.map((name) =>
    median(rows.filter(({ server }) => server === name).map((row) => row['records/s'] as number)),
  )
  const last = rates.at(-1) as number
  const cpu = names.map((name) =>
    median(rows.filter(({ server }) => server === name).map((row) => row['CPU s while writing'] as number)),
  )
  return names.map((server, i) => {
    const rate = rates[i] as number
    return {
      server,
      'records/s': rate,
      [`times ${names.at(-1)}`]: rate / last,
      'CPU s while writing': cpu[i] as number,
      'share of its CPU': (cpu[i] as number) / (cpu.at(-1) as number),
    }
  })
}

export async function ingestOnce(
  server: Server,
  data: Dataset,
  bodies: readonly Buffer[],
  report: Report,
): Promise<Row> {
  const id = await server.client.createCollection(COLLECTION)
  const before = server.usage()
  const peak = samplePeak(() => server.usage()?.rssBytes ?? 0)
  const timesMs: number[] = []
  let waits = 0
  const startedMs = performance.now()
  for (const body of bodies) {
    for (;;) {
      const beganMs = performance.now()
      try {
        await server.client.write('upsert', id, body)
        timesMs.push(performance.now() - beganMs)
        break
      } catch (error) {
        // Back-pressure is part of the ingest time.
        if (!(error instanceof HttpError) || error.status !== 429) throw error
        waits++
        await sleep(100)
      }
    }
  }
  const seconds = (performance.now() - startedMs) / 1000
  const written = server.usage()
  const counted = await server.client.count(id)
  if (counted !== data.count) throw new Error(`${server.name} has ${counted} of ${data.count} records`)
  report.note(`${server.name}: ${Math.round(data.count / seconds)} records/s, waiting until it is idle`)
  const idleSeconds = await untilIdle(server, id)
  const after = server.usage()
  const timing = summarise([{ timesMs, seconds }])
  return {
    server: server.name,
    'records/s': data.count / seconds,
    'seconds until durable': seconds,
    'seconds until idle after that': idleSeconds,
    'p50 ms of a batch': timing.medianMs,
    'p99 ms': timing.p99Ms,
    'answers 429': waits,
    'CPU s while writing': written && before ? written.cpuSeconds - before.cpuSeconds : Number.NaN,
    'CPU s in all': after && before ? after.cpuSeconds - before.cpuSeconds : '–',
    'peak RSS MB': megabytes(Math.max(peak.stop(), after?.peakRssBytes ?? 0)),
    'RSS MB': megabytes(after?.rssBytes ?? 0),
    'disk MB': server.directory === undefined ? '–' : megabytes(directoryBytes(server.directory)),
  }
}
