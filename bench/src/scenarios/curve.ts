/** Recall against latency in process, one thread, warm; and each library's memory during it. */
import { exactTruth } from '../data/exact.ts'
import { measureBandwidth } from '../measure/bandwidth.ts'
import { megabytes, type Row } from '../measure/report.ts'
import { casesOf, measureReaders, withReaders } from './readers.ts'
import type { Scenario } from './scenario.ts'

const TURN_MS = 6_000

export const curve: Scenario = {
  about: 'in process, one query at a time: recall against latency beside hnswlib, usearch and LanceDB; memory',
  records: [10_000, 100_000, 1_000_000],
  run: async (options, report, open) => {
    const data = open()
    const truth = exactTruth(data)
    await withReaders(options, data, report, async (readers) => {
      const opened = readers.map(({ process }) => process.usage())
      const defaults = readers.map(({ process }) => ({ name: process.name, value: undefined }))
      const limits = { budgetMs: TURN_MS }
      report.note('default settings')
      report.table(
        `Default settings, ${data.name}, k = ${options.k}`,
        await measureReaders(readers, defaults, truth, options, limits),
      )
      report.note('all settings')
      const cases = readers.flatMap(({ process }) => casesOf(process.name, options))
      const rows = await measureReaders(readers, cases, truth, options, limits)
      report.table(`Recall against latency, ${data.name}, k = ${options.k}`, rows)
      const memory = readers.map(({ process, openSeconds }, i): Row => {
        const usage = process.usage()
        return {
          library: process.name,
          'seconds to open': openSeconds,
          'RSS MB when opened': megabytes(opened[i]?.rssBytes ?? Number.NaN),
          'RSS MB after the queries': megabytes(usage.rssBytes),
          'peak RSS MB': megabytes(usage.peakRssBytes),
        }
      })
      report.table('Memory of the processes', memory)
    })
    const gigabytes = measureBandwidth()
    report.table('What one thread reads from memory', [
      { 'GB/s': gigabytes, 'ms for all vectors': (data.count * data.dimension * 4) / (gigabytes * 1e6) },
    ])
  },
}
