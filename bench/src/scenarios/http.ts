/** Queries for the ten nearest through HTTP, with documents and metadata, warm, without and with filters. */
import { exactTruth } from '../data/exact.ts'
import { FILTERS, filterKey, matchingRows } from '../data/filters.ts'
import type { Dataset } from '../data/dataset.ts'
import { megabytes, type Report, type Row } from '../measure/report.ts'
import type { Options } from '../options.ts'
import { type Loaded, withServers } from '../servers/targets.ts'
import { asking, type Asking, compare, type What } from './asking.ts'
import type { Scenario } from './scenario.ts'

/** Time limit for one turn of one server, because some of Chroma's answers are slow. */
const TURN_MS = 5_000

export const http: Scenario = {
  about: 'queries through HTTP by the chromadb client and raw, 1 and 4 at a time, without and with filters',
  records: [100_000],
  run: async (options, report, open) => {
    const data = open()
    const truth = exactTruth(data)
    const queries = Math.min(options.queries, data.queries.count)
    const turns = {
      k: options.k,
      queries,
      rounds: options.rounds,
      perRound: Math.ceil(queries / options.rounds),
      warmUp: 400,
      budgetMs: TURN_MS,
    }
    await withServers(options, data, report, async (servers) => {
      const askings = await everyone(servers, data, options)
      for (const clients of [1, 4]) {
        const title = `Queries over ${data.name}, ${clients} at a time, in ${options.rounds} turns of ${turns.perRound}`
        report.table(title, await compare(askings, data, truth, { ...turns, clients }))
      }
      await filtered(servers, data, options, report, turns)
      const memory = servers.map(({ server }): Row => {
        const usage = server.usage()
        return {
          server: server.name,
          'RSS MB': megabytes(usage?.rssBytes ?? Number.NaN),
          'peak RSS MB': megabytes(usage?.peakRssBytes ?? Number.NaN),
        }
      })
      report.table('Memory of the servers after it', memory)
    })
  },
}

/** Every server with every client; Siltstone's also with each of the `--values`. */
async function everyone(servers: readonly Loaded[], data: Dataset, options: Options): Promise<Asking[]> {
  const askings: Asking[] = []
  for (const client of options.clients)
    for (const loaded of servers) {
      const recalls = loaded.server.name === 'siltstone' ? (options.values.get('siltstone') ?? []) : []
      for (const value of [undefined, ...recalls])
        askings.push(await asking(loaded, data, client, { k: options.k, perMille: value }))
    }
  return askings
}

async function filtered(
  servers: readonly Loaded[],
  data: Dataset,
  { k, clients: [client = 'chromadb'] }: Options,
  report: Report,
  turns: Omit<Parameters<typeof compare>[3], 'clients'>,
): Promise<void> {
  const cases: { name: string; rows: readonly number[] | undefined; what: What; truthName: string }[] = [
    { name: 'none', rows: undefined, what: { k }, truthName: '' },
    ...FILTERS.map((filter) => ({
      name: filter.name,
      rows: matchingRows(data, filter),
      what: { k, where: filter.where },
      truthName: filterKey(filter),
    })),
  ]
  const rows: Row[] = []
  const unfiltered = new Map<string, number>()
  for (const { name, rows: matching, what, truthName } of cases) {
    report.note(`filter ${name}`)
    const truth = exactTruth(data, matching && { name: truthName, rows: matching })
    const askings = await Promise.all(servers.map((loaded) => asking(loaded, data, client, what)))
    for (const row of await compare(askings, data, truth, { ...turns, clients: 1 })) {
      const server = row['server'] as string
      const p50 = row['p50 ms'] as number
      if (matching === undefined) unfiltered.set(server, p50)
      const records = matching?.length ?? data.count
      const times = p50 / (unfiltered.get(server) as number)
      rows.push({ filter: name, 'records admitted': records, ...row, 'times unfiltered': times })
    }
  }
  report.table('With filters, one query at a time', rows)
}
