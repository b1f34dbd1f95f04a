/** Queries through HTTP: the unchanged JavaScript client, and raw requests. */
import { ChromaClient, type Where } from 'chromadb'
import type { Dataset } from '../data/dataset.ts'
import type { Truth } from '../data/exact.ts'
import type { Row } from '../measure/report.ts'
import { timedCells } from '../measure/rows.ts'
import { interleaved, type Runner, type Turns } from '../measure/run.ts'
import { mean } from '../measure/statistics.ts'
import { COLLECTION } from '../servers/collection-name.ts'
import type { Server } from '../servers/server-process.ts'
import type { Loaded } from '../servers/targets.ts'

/** Returns the found ids, best first. */
export interface Asking {
  server: string
  through: string
  ask(index: number): Promise<readonly string[]>
  cpuSeconds(): number | undefined
}

export interface What {
  k: number
  where?: Where
  /** Recall to ask Siltstone's server for, in thousandths: undefined is its default, 0 measures every record. */
  perMille?: number | undefined
}

export async function asking({ server, id }: Loaded, data: Dataset, client: string, what: What): Promise<Asking> {
  const name = what.perMille === undefined ? server.name : `${server.name} (${searchOf(what)})`
  const cpuSeconds = () => server.usage()?.cpuSeconds
  if (client === 'raw') return { server: name, through: 'raw HTTP', ask: raw(server, id, data, what), cpuSeconds }
  if (client === 'chromadb')
    return { server: name, through: 'chromadb client', ask: await viaClient(server, data, what), cpuSeconds }
  throw new Error(`--clients ${client}: give chromadb or raw`)
}

function searchOf({ perMille }: What): string | undefined {
  if (perMille === undefined) return undefined
  return perMille === 0 ? 'exact' : `recall=${perMille / 1_000}`
}

function raw(server: Server, id: string, data: Dataset, what: What): Asking['ask'] {
  const { k, where } = what
  const search = searchOf(what)
  return async (index) => {
    const query = { vector: data.queries.vector(index), k, where, ...(search !== undefined && { search }) }
    return (await server.client.query(id, query)).ids[0] ?? []
  }
}

async function viaClient(server: Server, data: Dataset, what: What): Promise<Asking['ask']> {
  const { hostname, port } = new URL(server.url)
  const { k, where } = what
  const search = searchOf(what)
  const client = new ChromaClient({
    host: hostname,
    port: Number(port),
    ...(search !== undefined && { headers: { 'x-siltstone-search': search } }),
  })
  const collection = await client.getCollection({ name: COLLECTION })
  return async (index) => {
    const queryEmbeddings = [Array.from(data.queries.vector(index))]
    return (await collection.query({ queryEmbeddings, nResults: k, ...(where && { where }) })).ids[0] ?? []
  }
}

/** Runs all of them in turns, and computes their recall. */
export async function compare(
  askings: readonly Asking[],
  data: Dataset,
  truth: Truth,
  { k, queries, ...turns }: Turns & { k: number; queries: number },
): Promise<Row[]> {
  const found = askings.map(() => [] as { query: number; ids: readonly string[] }[])
  const runners: Runner[] = askings.map(({ ask, cpuSeconds }, i) => ({
    name: String(i),
    cpuSeconds,
    run: async (index) => {
      const query = index % queries
      found[i]?.push({ query, ids: await ask(query) })
    },
  }))
  const results = await interleaved(runners, turns)
  return askings.map(({ server, through }, i) => {
    const timed = results.get(String(i))
    if (!timed) throw new Error(`no result for ${server}`)
    const recalls = found[i]?.map(({ query, ids }) => truth.recall(query, ids.map(data.row), k)) ?? []
    return { server, through, ...timedCells(timed), 'recall@10': mean(recalls) }
  })
}
