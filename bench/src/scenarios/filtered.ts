/** Queries with a filter: one that fits 9 % of the passages and one that fits 0.9 %. */
import type { Where } from 'chromadb'
import type { Dataset } from '../data/dataset.ts'
import { openDataset } from '../options.ts'
import { compare, expectedIds, overHttp } from './queries.ts'
import { withServers } from './query.ts'
import type { Scenario } from './scenario.ts'

interface Metadata {
  section?: string
  installed_kb?: number
}

const FILTERS: { name: string; where: Where; matches(metadata: Metadata): boolean }[] = [
  { name: 'section = perl', where: { section: 'perl' }, matches: ({ section }) => section === 'perl' },
  {
    name: 'games of more than 2 MB',
    where: { $and: [{ section: 'games' }, { installed_kb: { $gt: 2048 } }] },
    matches: ({ section, installed_kb: kb }) => section === 'games' && kb !== undefined && kb > 2048,
  },
]

export const filtered: Scenario = {
  about: 'the same with a filter of 9 % and of 0.9 %, against exact answers among the matching records',
  run: async (options, report) => {
    const data = openDataset(options, options.records ?? 100_000)
    const count = Math.min(options.queries, data.queries.count)
    await withServers(options, data, report, async (servers) => {
      for (const { name, where, matches } of FILTERS) {
        const rows = matching(data, matches)
        const expected = expectedIds(data, count, rows)
        const askings = servers.map(({ server, id }) => overHttp(server, id, data, where))
        report.table(
          `Filter ${name}: ${rows.length} of ${data.count} records (${((100 * rows.length) / data.count).toFixed(1)} %)`,
          await compare(askings, expected, { rounds: options.rounds, clients: 1 }),
        )
      }
    })
  },
}

function matching(data: Dataset, matches: (metadata: Metadata) => boolean): number[] {
  const rows: number[] = []
  for (let row = 0; row < data.count; row++) if (matches(JSON.parse(data.metadata(row)) as Metadata)) rows.push(row)
  return rows
}
