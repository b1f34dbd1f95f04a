/** Separate processes that upsert single records into one collection on a directory: latency, fairness, requests. */
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
import type { Scenario } from './scenario.ts'

const WRITERS = [1, 4, 16, 64]
const WRITES = 25

export const writers: Scenario = {
  about: '1, 4, 16 and 64 processes upsert single records into one collection on a directory',
  records: [0],
  run: async ({ values }, report) => {
    const rows: Row[] = []
    for (const count of values.get('writers') ?? WRITERS) rows.push(await together(count, report))
    report.table(`${WRITES} upserts of one record by each of several processes, one after another`, rows)
  },
}

async function together(count: number, report: Report): Promise<Row> {
  const directory = mkdtempSync(join(tmpdir(), 'siltstone-writers-'))
  try {
    const open = await openEngine(directory)
    await open.use(COLLECTION)
    await open.close()
    const processes = Array.from({ length: count }, (_, i) =>
      fork(fileURLToPath(new URL('../inprocess/writing.ts', import.meta.url)), [
        directory,
        COLLECTION,
        `w${i}`,
        String(WRITES),
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
      'max ms': times.at(-1) ?? Number.NaN,
      'PUT a write': each('put'),
      'LIST a write': each('list'),
      'GET a write': each('get'),
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
