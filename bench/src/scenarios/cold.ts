/** The first query of an engine with empty caches, on distant storage: rounds, requests, bytes, time. */
import { parseWhere, type StoreCounts } from 'siltstone/internal'
import type { Dataset } from '../data/dataset.ts'
import { exactTruth } from '../data/exact.ts'
import { FILTERS, filterKey, matchingRows, type NamedFilter } from '../data/filters.ts'
import { openEngine } from '../inprocess/open.ts'
import { preparedStore } from '../inprocess/store.ts'
import type { Row } from '../measure/report.ts'
import { addCounts, requestsUsd } from '../measure/rows.ts'
import { mean, median, percentile } from '../measure/statistics.ts'
import type { Options } from '../options.ts'
import { COLLECTION } from '../servers/collection-name.ts'
import type { Scenario } from './scenario.ts'

const FRESH_ENGINES = 30
/** Without an index, each of these queries reads everything. */
const BUDGET_MS = 60_000

export const cold: Scenario = {
  about: 'first query of an engine that holds nothing at 63 ms per request: rounds, requests, bytes, price',
  records: [100_000, 1_000_000],
  run: async (options, report, open) => {
    const data = open()
    const { directory, built } = await preparedStore(data, report.note, options.rebuild)
    const rows: Row[] = []
    for (const filter of [undefined, ...FILTERS]) {
      report.note(`filter ${filter?.name ?? 'none'}`)
      rows.push(await measure(directory, data, built.snapshotBytes, filter, options))
    }
    report.table(`First query over ${data.name}, ${options.delayMs} ms before each request`, rows)
  },
}

async function measure(
  directory: string,
  data: Dataset,
  snapshotBytes: number,
  filter: NamedFilter | undefined,
  { delayMs, k }: Options,
): Promise<Row> {
  const matching = filter && matchingRows(data, filter)
  const truth = exactTruth(data, matching && filter && { name: filterKey(filter), rows: matching })
  const parsed = filter && parseWhere(filter.where)
  const times: number[] = []
  const rounds: number[] = []
  const recalls: number[] = []
  const all: StoreCounts[] = []
  // Its id, so that the measured engines need no look-up by name.
  const first = await openEngine(directory)
  const { tenant, database, id } = (await first.use(COLLECTION)).collection.info
  await first.close()
  const untilMs = performance.now() + BUDGET_MS
  for (let i = 0; i < FRESH_ENGINES && performance.now() < untilMs; i++) {
    // A new engine has no block, manifest or pointer of the one before.
    const open = await openEngine(directory, { delayMs })
    const collection = await open.engine.collection(tenant, database, id)
    open.counting.takeCounts()
    open.rounds.takeRounds()
    const query = (i * 61) % data.queries.count
    const startedMs = performance.now()
    const { hits } = await collection.query({
      vectors: [data.queries.vector(query)],
      k,
      include: { documents: true, metadatas: true },
      ...(parsed && { filter: parsed }),
    })
    times.push(performance.now() - startedMs)
    rounds.push(open.rounds.takeRounds())
    all.push(open.counting.takeCounts())
    recalls.push(truth.recall(query, hits[0]?.ids.map(data.row) ?? [], k))
    await open.close()
  }
  const sum = all.reduce(addCounts)
  const bytes = sum.bytesOut / all.length
  return {
    filter: filter?.name ?? 'none',
    'p50 ms': median(times),
    'max ms': percentile(
      [...times].sort((a, b) => a - b),
      1,
    ),
    'rounds, p50': median(rounds),
    'rounds, max': Math.max(...rounds),
    'GET a query': (sum.get + sum.head) / all.length,
    'LIST a query': sum.list / all.length,
    'KB a query': bytes / 1e3,
    '% of the snapshot': (100 * bytes) / snapshotBytes,
    'S3 $ per 1,000': (requestsUsd(sum) / all.length) * 1_000,
    'recall@10': mean(recalls),
    queries: all.length,
  }
}
