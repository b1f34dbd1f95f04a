/** The first query of a new process against storage that is far away: dependent rounds, requests, bytes, time. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Filter } from '../../../packages/siltstone/src/filter/types.ts'
import type { Dataset } from '../data/dataset.ts'
import { load, openEngine } from '../inprocess/open.ts'
import { megabytes, type Row } from '../measure/report.ts'
import { storageCells } from '../measure/rows.ts'
import { latencies } from '../measure/statistics.ts'
import { openDataset } from '../options.ts'
import { SCRATCH } from '../places.ts'
import { COLLECTION } from '../servers/targets.ts'
import { K } from './queries.ts'
import type { Scenario } from './scenario.ts'

const NEW_PROCESSES = 5

const FILTERS: { name: string; filter?: Filter }[] = [
  { name: 'none' },
  { name: 'section = perl', filter: { kind: 'compare', key: 'section', op: 'eq', value: 'perl' } },
]

export const cold: Scenario = {
  about: 'first query at 63 ms per request to storage (100,000 records): rounds, requests, bytes',
  run: async (options, report) => {
    const data = openDataset(options, options.records ?? 100_000)
    const directory = join(SCRATCH, 'stores', `cold-${data.name.replace(/\W+/g, '-')}`)
    if (!existsSync(`${directory}.loaded`)) {
      report.note(`loading and compacting ${data.name}`)
      await prepare(directory, data)
    }
    const rows: Row[] = []
    let sizeBytes = 0
    for (const { name, filter } of FILTERS) {
      const times: number[] = []
      let last: Row = {}
      for (let i = 0; i < NEW_PROCESSES; i++) {
        // A new engine holds nothing of the one before: no block, no manifest, no pointer.
        const open = await openEngine(directory, { delayMs: options.delayMs })
        const { collection } = await open.use(COLLECTION)
        open.counting.takeCounts()
        open.rounds.take()
        const startedMs = performance.now()
        await collection.query({
          vectors: [data.queries.vector(i)],
          k: K,
          include: { documents: true, metadatas: true },
          ...(filter && { filter }),
        })
        times.push(performance.now() - startedMs)
        const { rounds } = open.rounds.take()
        const counts = open.counting.takeCounts()
        sizeBytes = (await collection.snapshots()).find(({ current }) => current)?.sizeBytes ?? Number.NaN
        last = { rounds, ...storageCells(counts), 'share of the snapshot %': (100 * counts.bytesOut) / sizeBytes }
        await open.close()
      }
      rows.push({ filter: name, 'p50 ms': latencies(times).medianMs, 'max ms': latencies(times).maxMs, ...last })
    }
    report.table(
      `First query over ${data.name} (snapshot ${megabytes(sizeBytes)} MB), ${options.delayMs} ms before each request`,
      rows,
    )
  },
}

async function prepare(directory: string, data: Dataset): Promise<void> {
  const open = await openEngine(directory)
  const { collection, path } = await open.use(COLLECTION)
  const compact = async () => void (await open.engine.compact(path))
  await load(collection, data, { whenFull: compact })
  await compact()
  await open.close()
  writeFileSync(`${directory}.loaded`, '')
}
