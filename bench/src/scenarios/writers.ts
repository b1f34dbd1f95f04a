/**
 * Separate processes that upsert single records into one collection: latency, fairness, requests. On a directory, and with
 * `--values delay=30` in a bucket of Siltstone's own S3, where each request to the bucket takes so many milliseconds more.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WrittenMessage } from '../inprocess/writing.ts'
import { openEngine } from '../inprocess/open.ts'
import type { Report, Row } from '../measure/report.ts'
import { percentile } from '../measure/statistics.ts'
import { COLLECTION } from '../servers/collection-name.ts'
import { startS3 } from '../servers/s3.ts'
import type { Scenario } from './scenario.ts'

const WRITERS = [1, 4, 16, 64]
const WRITES = 25

export const writers: Scenario = {
  about: '1, 4, 16 and 64 processes upsert single records into one collection on a directory, or in a slow bucket',
  records: [0],
  run: async ({ values }, report) => {
    const rows: Row[] = []
    const [delayMs = 0] = values.get('delay') ?? []
    for (const count of values.get('writers') ?? WRITERS) rows.push(await together(count, delayMs, report))
    const where = delayMs === 0 ? 'on a directory' : `in a bucket, ${delayMs} ms added to each request`
    report.table(`${WRITES} upserts of one record by each of several processes, one after another, ${where}`, rows)
  },
}

async function together(count: number, delayMs: number, report: Report): Promise<Row> {
  const directory = mkdtempSync(join(tmpdir(), 'siltstone-writers-'))
  const s3 = delayMs === 0 ? undefined : await startS3(directory)
  const place = s3?.place ?? directory
  // The SDK reads credentials from there alone; the processes inherit them.
  if (s3) Object.assign(process.env, s3.variables)
  try {
    const open = await openEngine(place)
    await open.use(COLLECTION)
    await open.close()
    const processes = Array.from({ length: count }, (_, i) =>
      fork(fileURLToPath(new URL('../inprocess/writing.ts', import.meta.url)), [
        place,
        COLLECTION,
        `w${i}`,
        String(WRITES),
        String(delayMs),
      ]),
    )
    await Promise.all(processes.map((one) => once(one, 'message')))
    const startedMs = performance.now()
    const answers = processes.map((one) => once(one, 'message'))
    for (const one of processes) one.send('go')
    const written = (await Promise.all(answers)).map(([message]) => message as WrittenMessage)
    const seconds = (performance.now() - startedMs) / 1000
    const times = written.flatMap(({ timesMs }) => timesMs).sort((a, b) => a - b)
    const each = (what: 'put' | 'list' | 'get') => written.reduce((sum, one) => sum + one[what], 0) / times.length
    report.note(`${count} writers: ${seconds.toFixed(2)} s`)
    return {
      writers: count,
      'writes/s': times.length / seconds,
      'p50 ms': percentile(times, 0.5),
      'p99 ms': percentile(times, 0.99),
      'p99 by p50': percentile(times, 0.99) / percentile(times, 0.5),
      'max ms': times.at(-1) ?? Number.NaN,
      'PUT a write': each('put'),
      'LIST a write': each('list'),
      'GET a write': each('get'),
    }
  } finally {
    await s3?.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}
