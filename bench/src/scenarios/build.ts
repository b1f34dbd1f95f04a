/**
 * From vectors to an index. Siltstone's figure covers everything from the first write to the compacted snapshot, with
 * documents and metadata; the peers' covers only their index. Also memory of the compactor and bytes on disk.
 */
import { type Built, preparedPeer } from '../candidates/prepared.ts'
import type { Compacted } from '../inprocess/compactor.ts'
import { type BuiltStore, preparedFullStore, preparedStore } from '../inprocess/store.ts'
import { megabytes, type Row } from '../measure/report.ts'
import { addCounts, storageCells } from '../measure/rows.ts'
import type { Dataset } from '../data/dataset.ts'
import type { Scenario } from './scenario.ts'

export const build: Scenario = {
  about: 'building the index beside hnswlib, usearch and LanceDB; memory of compaction, storage, bytes moved',
  records: [100_000, 1_000_000],
  run: async (options, report, open) => {
    const data = open()
    const rows: Row[] = []
    for (const name of options.peers) {
      if (name === 'siltstone-full') {
        const { built } = await preparedFullStore(data, report.note, options.rebuild)
        report.table(`Merging ${data.name} into one segment afterwards`, [
          { ...rowOf(built.compaction), 'snapshot MB': megabytes(built.snapshotBytes) },
        ])
        continue
      }
      if (name !== 'siltstone') {
        rows.push(peerRow(name, (await preparedPeer(name, data, report.note, options.rebuild)).built, data))
        continue
      }
      const { built } = await preparedStore(data, report.note, options.rebuild)
      rows.push(ourRow(built, data))
      report.table(
        `Compactions of ${data.name}, each time the log was full and at the end`,
        built.compactions.map(rowOf),
      )
      report.table('Compaction in all', [totalRow(built, data)])
      report.table('What the snapshot consists of', sectionRows(built, data))
    }
    report.table(`Building the index of ${data.name}`, rows)
  },
}

function ourRow(built: BuiltStore, data: Dataset): Row {
  const seconds = built.compactSeconds
  return {
    library: 'siltstone',
    seconds,
    'records/s': data.count / seconds,
    'of it': 'compactions: log to indexed snapshot',
    'before it, s': built.writeSeconds,
    'CPU s': built.cpuSeconds,
    'peak RSS MB': megabytes(built.peakRssBytes),
    'disk MB': megabytes(built.snapshotBytes),
    ...whenBuilt(built),
  }
}

function peerRow(name: string, built: Built, data: Dataset): Row {
  return {
    library: name,
    seconds: built.seconds,
    'records/s': data.count / built.seconds,
    'of it': 'index alone',
    'before it, s': built.steps['write s'] ?? 0,
    'CPU s': built.cpuSeconds,
    'peak RSS MB': megabytes(built.peakRssBytes),
    'disk MB': megabytes(built.bytes),
    ...whenBuilt(built),
  }
}

function whenBuilt({ at, loadBefore, loadAfter }: { at: string; loadBefore: number; loadAfter: number }): Row {
  return { 'built at': at.slice(0, 16).replace('T', ' '), load: `${loadBefore.toFixed(1)} – ${loadAfter.toFixed(1)}` }
}

function rowOf({ outcome, seconds, counts, peakRssBytes }: Compacted): Row {
  return {
    'records folded': outcome.recordsFolded,
    folds: outcome.folds,
    merges: outcome.merges,
    seconds,
    ...storageCells(counts),
    'peak RSS MB': megabytes(peakRssBytes),
  }
}

function totalRow(built: BuiltStore, data: Dataset): Row {
  const counts = built.compactions.map((done) => done.counts).reduce(addCounts)
  return {
    records: data.count,
    'write records/s': data.count / built.writeSeconds,
    'compacted records/s': data.count / built.compactSeconds,
    'log MB': megabytes(built.writerCounts.bytesIn),
    ...storageCells(counts),
    'written per byte of log': counts.bytesIn / built.writerCounts.bytesIn,
    'CPU s': built.cpuSeconds,
    'peak RSS MB of the compactor': megabytes(built.peakRssBytes),
    segments: built.segments,
    'snapshot MB': megabytes(built.snapshotBytes),
  }
}

function sectionRows({ sections }: BuiltStore, data: Dataset): Row[] {
  const raw = data.count * data.dimension * 4
  return sections
    .toSorted((a, b) => b.bytes - a.bytes)
    .map(({ name, bytes }) => ({
      section: name,
      MB: megabytes(bytes),
      '% of the raw f32 vectors': (100 * bytes) / raw,
    }))
}
