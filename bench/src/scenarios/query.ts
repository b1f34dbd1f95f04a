/** k = 10, documents and metadata included, warm, by one client and by four. */
import { megabytes, type Report } from '../measure/report.ts'
import { openDataset, type Options } from '../options.ts'
import { openEngine } from '../inprocess/open.ts'
import type { Server } from '../servers/server-process.ts'
import { COLLECTION, loadedServer } from '../servers/targets.ts'
import type { Dataset } from '../data/dataset.ts'
import { type Asking, compare, expectedIds, K, overClient, overHttp } from './queries.ts'
import type { Scenario } from './scenario.ts'

export const query: Scenario = {
  about: 'k = 10 over 100,000 records: raw HTTP, chromadb client, in process; 1 and 4 clients; recall@10',
  run: async (options, report) => {
    const data = openDataset(options, options.records ?? 100_000)
    const expected = expectedIds(data, Math.min(options.queries, data.queries.count))
    await withServers(options, data, report, async (servers) => {
      const askings: Asking[] = []
      for (const { server, id } of servers) askings.push(overHttp(server, id, data), await overClient(server, data))
      for (const clients of [1, 4])
        report.table(
          `Queries over ${data.name}, ${clients} at a time, taking turns in ${options.rounds} rounds`,
          await compare(askings, expected, { rounds: options.rounds, clients }),
        )
      report.table(
        'Memory of the servers after it',
        servers.map(({ server }) => memoryOf(server)),
      )
      const inProcess = await openInProcess(servers, data)
      if (!inProcess) return
      const rows = await compare([inProcess.asking], expected, { rounds: options.rounds, clients: 1 })
      report.table('The same in process, one thread, strong reads', rows)
      await inProcess.close()
    })
  },
}

/** Our server's own directory, opened beside it: processes share a directory safely. */
async function openInProcess(servers: readonly Loaded[], data: Dataset) {
  const directory = servers.find(({ server }) => server.name === 'siltstone')?.server.directory
  if (directory === undefined) return undefined
  const open = await openEngine(directory)
  const { collection } = await open.use(COLLECTION)
  const include = { documents: true, metadatas: true }
  const asking: Asking = {
    name: 'siltstone, in process',
    ask: async (index) =>
      (await collection.query({ vectors: [data.queries.vector(index)], k: K, include })).hits[0]?.ids ?? [],
  }
  return { asking, close: open.close }
}

function memoryOf(server: Server) {
  const usage = server.usage()
  return {
    server: server.name,
    'RSS MB': megabytes(usage?.rssBytes ?? 0),
    'peak RSS MB': megabytes(usage?.peakRssBytes ?? 0),
  }
}

export interface Loaded {
  server: Server
  id: string
}

export async function withServers(
  options: Options,
  data: Dataset,
  report: Report,
  use: (servers: readonly Loaded[]) => Promise<void>,
): Promise<void> {
  const servers: Loaded[] = []
  try {
    for (const target of options.servers) servers.push(await loadedServer(target, data, report))
    await use(servers)
  } finally {
    await Promise.all(servers.map(({ server }) => server.stop()))
  }
}
