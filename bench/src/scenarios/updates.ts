/**
 * 10,000 changes into a compacted collection, from the first write to the published snapshot. The pipeline that Siltstone
 * replaces took hours for this, because it moved the whole dataset for every ten messages.
 */
import { rmSync } from 'node:fs'
import type { Collection, RecordOp } from 'siltstone/internal'
import type { Dataset } from '../data/dataset.ts'
import { SeededRandom } from '../data/random.ts'
import { openEngine, type OpenEngine } from '../inprocess/open.ts'
import { copyStore, preparedStore } from '../inprocess/store.ts'
import { megabytes, type Report, type Row } from '../measure/report.ts'
import { lambdaUsd, requestsUsd, storageCells } from '../measure/rows.ts'
import type { Options } from '../options.ts'
import { COLLECTION } from '../servers/collection-name.ts'
import type { Scenario } from './scenario.ts'

const CHANGES = 10_000

export const updates: Scenario = {
  about: '10,000 scattered upserts, metadata updates and deletes, from the first write to the published snapshot',
  records: [100_000, 1_000_000],
  run: async (options, report, load) => {
    const data = load()
    const original = await preparedStore(data, report.note, options.rebuild)
    report.note('copying the store')
    const directory = copyStore(original.directory, 'updates')
    const open = await openEngine(directory)
    const { collection, path } = await open.use(COLLECTION)
    const rows: Row[] = []
    const random = new SeededRandom(options.seed)
    for (let turn = 0; turn < options.repeat; turn++) {
      for (const [name, change] of Object.entries(KINDS)) {
        const operations = scattered(data, random).map((row) => change(data, row, turn))
        rows.push(await publish(name, operations, { open, collection, path }, options, report))
      }
    }
    report.table(
      `${CHANGES} scattered changes into ${data.name}, in process, from the first write to the snapshot`,
      rows,
    )
    await open.close()
    if (!options.keep) rmSync(directory, { recursive: true, force: true })
  },
}

const KINDS: Record<string, (data: Dataset, row: number, turn: number) => RecordOp> = {
  'metadata only': (data, row, turn) => ({
    ...nothing,
    id: data.id(row),
    metadata: JSON.stringify({ reviewed: turn }),
  }),
  'whole records': (data, row, turn) => ({
    op: 'upsert',
    id: data.id(row),
    vector: data.vector((row + 1) % data.count),
    document: `${data.document(row)} (${turn})`,
    metadata: data.metadata(row),
    uri: null,
  }),
  deletes: (data, row) => ({ ...nothing, op: 'delete', id: data.id(row) }),
}

const nothing = { op: 'update', vector: null, document: null, metadata: null, uri: null } as const

function scattered(data: Dataset, random: SeededRandom): number[] {
  const rows = new Set<number>()
  while (rows.size < Math.min(CHANGES, data.count)) rows.add(random.below(data.count))
  return [...rows]
}

interface Place {
  open: OpenEngine
  collection: Collection
  path: string
}

async function publish(
  name: string,
  operations: readonly RecordOp[],
  { open, collection, path }: Place,
  { batch }: Options,
  report: Report,
): Promise<Row> {
  const snapshots = await collection.snapshots()
  const snapshotBytes = snapshots.find(({ current }) => current)?.sizeBytes ?? Number.NaN
  open.counting.takeCounts()
  const startedMs = performance.now()
  for (let start = 0; start < operations.length; start += batch)
    await collection.write(operations.slice(start, start + batch))
  const writtenMs = performance.now()
  const outcome = await open.engine.compact(path, { merge: false })
  const publishedMs = performance.now()
  const counts = open.counting.takeCounts()
  // Not part of the measured time: the changes are in the snapshot already.
  const merged = await open.engine.compact(path)
  const mergedMs = performance.now()
  open.counting.takeCounts()
  report.note(`${name}: ${((publishedMs - startedMs) / 1000).toFixed(2)} s`)
  return {
    changes: name,
    seconds: (publishedMs - startedMs) / 1000,
    'of it writing': (writtenMs - startedMs) / 1000,
    folds: outcome.folds,
    'snapshot MB': megabytes(snapshotBytes),
    'read, % of it': (100 * counts.bytesOut) / snapshotBytes,
    'written, % of it': (100 * counts.bytesIn) / snapshotBytes,
    ...storageCells(counts),
    'Lambda $': lambdaUsd((publishedMs - startedMs) / 1000),
    '$ in all': requestsUsd(counts) + lambdaUsd((publishedMs - startedMs) / 1000),
    'merges due after it': merged.merges,
    'their seconds': merged.merges === 0 ? 0 : (mergedMs - publishedMs) / 1000,
  }
}
