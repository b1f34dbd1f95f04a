/** Queries through HTTP and the unchanged JavaScript client, and in process, taking turns on the same data. */
import { ChromaClient, type Where } from 'chromadb'
import type { Dataset } from '../data/dataset.ts'
import { exactNeighbours, recall } from '../data/exact.ts'
import type { Row } from '../measure/report.ts'
import { latencyCells } from '../measure/rows.ts'
import { type Candidate, interleaved } from '../measure/run.ts'
import type { Server } from '../servers/server-process.ts'
import { COLLECTION } from '../servers/targets.ts'

export const K = 10

/** Answers the ids found, best first. */
export type Ask = (index: number) => Promise<readonly string[]>

export interface Asking {
  name: string
  ask: Ask
}

export function overHttp(server: Server, collection: string, data: Dataset, where?: unknown): Asking {
  return {
    name: `${server.name}, raw HTTP`,
    ask: async (index) => {
      const query = { vector: data.queries.vector(index), k: K, ...(where !== undefined && { where }) }
      return (await server.client.query(collection, query)).ids[0] ?? []
    },
  }
}

export async function overClient(server: Server, data: Dataset, where?: Where): Promise<Asking> {
  const { hostname, port } = new URL(server.url)
  const client = new ChromaClient({ host: hostname, port: Number(port) })
  const collection = await client.getCollection({ name: COLLECTION })
  return {
    name: `${server.name}, chromadb client`,
    ask: async (index) => {
      const queryEmbeddings = [Array.from(data.queries.vector(index))]
      const found = await collection.query({ queryEmbeddings, nResults: K, ...(where && { where }) })
      return found.ids[0] ?? []
    },
  }
}

/** Exact answers for the first `count` queries, among the rows that `only` names. */
export function expectedIds(data: Dataset, count: number, only?: readonly number[]): string[][] {
  const vectors = Array.from({ length: count }, (_, index) => data.queries.vector(index))
  return exactNeighbours(data, vectors, K, only).map((rows) => rows.map((row) => data.id(row)))
}

export async function compare(
  askings: readonly Asking[],
  expected: readonly string[][],
  options: { rounds: number; clients: number },
): Promise<Row[]> {
  const hits = new Map(askings.map(({ name }) => [name, [] as number[]]))
  const candidates: Candidate[] = askings.map(({ name, ask }) => ({
    name,
    run: async (index) => {
      const query = index % expected.length
      const found = await ask(query)
      hits.get(name)?.push(recall(found, expected[query] as string[]))
    },
  }))
  const { rounds, clients } = options
  const perRound = Math.ceil(expected.length / rounds)
  const results = await interleaved(candidates, { rounds, perRound, clients, warmUp: Math.min(50, expected.length) })
  return askings.map(({ name }) => {
    const timed = results.get(name)
    if (!timed) throw new Error(`no result for ${name}`)
    const recalls = hits.get(name) as number[]
    return {
      through: name,
      clients,
      'queries/s': timed.perSecond,
      ...latencyCells(timed),
      'recall@10': recalls.reduce((sum, x) => sum + x, 0) / recalls.length,
    }
  })
}
