/** Filters in process with default settings, one thread, warm: correlated with the vectors, and independent of them. */
import { exactTruth } from '../data/exact.ts'
import { FILTERS, filterKey, matchingRows } from '../data/filters.ts'
import type { Row } from '../measure/report.ts'
import { measureReaders, withReaders } from './readers.ts'
import type { Scenario } from './scenario.ts'

const TURN_MS = 4_000

export const filters: Scenario = {
  about: 'in process with default settings: filters of 10 % and 1 %, correlated with the vectors and not',
  records: [100_000, 1_000_000],
  run: async (given, report, open) => {
    const data = open()
    // usearch's Node binding has no filters.
    const options = { ...given, peers: given.peers.filter((name) => name !== 'usearch') }
    await withReaders(options, data, report, async (readers) => {
      const rows: Row[] = []
      const cases = readers.map(({ process }) => ({ name: process.name, value: undefined }))
      const add = (filter: string, admitted: number, measured: Row[]) => {
        rows.push(...measured.map((row) => ({ filter, 'records admitted': admitted, ...row })))
      }
      const limits = { budgetMs: TURN_MS }
      add('none', data.count, await measureReaders(readers, cases, exactTruth(data), options, limits))
      for (const filter of FILTERS) {
        report.note(`filter ${filter.name}`)
        const matching = matchingRows(data, filter)
        const spec = { where: filter.where, sql: filter.sql, rows: matching }
        const truth = exactTruth(data, { name: filterKey(filter), rows: matching })
        const filterLimits = { ...limits, filter: { name: filter.name, spec } }
        add(filter.name, matching.length, await measureReaders(readers, cases, truth, options, filterLimits))
      }
      report.table(`Filters, ${data.name}, default settings`, rows)
    })
  },
}
