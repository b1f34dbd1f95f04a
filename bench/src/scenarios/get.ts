/** Reads without ranking: by ids, by filter, pages near the start and far from it, and the count. */
import type { Dataset } from '../data/dataset.ts'
import { SeededRandom } from '../data/random.ts'
import type { Report, Row } from '../measure/report.ts'
import { timedCells } from '../measure/rows.ts'
import { interleaved } from '../measure/run.ts'
import type { Options } from '../options.ts'
import { type Loaded, withServers } from '../servers/targets.ts'
import type { Scenario } from './scenario.ts'

export const get: Scenario = {
  about: 'get by 10 ids, by filter, near and far pages; count',
  records: [100_000],
  run: async (options, report, open) => {
    const data = open()
    await withServers(options, data, report, async (servers) => {
      for (const [title, body] of Object.entries(kindsOf(data, options.seed)))
        report.table(`get: ${title}`, await measure(servers, body, options))
      report.table('count', await measure(servers, undefined, options))
      if (data.count > 50_000) await pages(servers, data, report)
    })
  },
}

function kindsOf(data: Dataset, seed: number): Record<string, (index: number) => object> {
  const include = ['documents', 'metadatas']
  const random = new SeededRandom(seed)
  const picked = Array.from({ length: 4_000 }, () => data.id(random.below(data.count)))
  return {
    '10 ids': (index) => ({
      ids: [...new Set(picked.slice((index * 10) % 3_990, ((index * 10) % 3_990) + 10))],
      include,
    }),
    '10 ids with embeddings': (index) => ({
      ids: [...new Set(picked.slice((index * 10) % 3_990, ((index * 10) % 3_990) + 10))],
      include: [...include, 'embeddings'],
    }),
    'section = perl, limit 100': () => ({ where: { section: 'perl' }, limit: 100, include }),
    'document contains "library", limit 100': () => ({ where_document: { $contains: 'library' }, limit: 100, include }),
    'limit 100, offset half of all': () => ({ limit: 100, offset: data.count >>> 1, include }),
  }
}

async function measure(
  servers: readonly Loaded[],
  body: ((index: number) => object) | undefined,
  { rounds }: Options,
): Promise<Row[]> {
  const candidates = servers.map(({ server, id }) => ({
    name: server.name,
    run: async (index: number) => {
      if (body) await server.client.get(id, body(index))
      else await server.client.count(id)
    },
  }))
  const results = await interleaved(candidates, { rounds, perRound: 10, clients: 1, warmUp: 5, budgetMs: 5_000 })
  return [...results].map(([server, timed]) => ({ server, ...timedCells(timed) }))
}

/** Reads everything in pages of 1,000, as an export does. */
async function pages(servers: readonly Loaded[], data: Dataset, report: Report): Promise<void> {
  const rows: Row[] = []
  for (const { server, id } of servers) {
    const startedMs = performance.now()
    let seen = 0
    for (let offset = 0; offset < data.count; offset += 1_000)
      seen += (await server.client.get(id, { limit: 1_000, offset, include: ['documents', 'metadatas'] })).ids.length
    const seconds = (performance.now() - startedMs) / 1000
    rows.push({ server: server.name, records: seen, seconds, 'records/s': seen / seconds })
  }
  report.table('get of everything in pages of 1,000', rows)
}
