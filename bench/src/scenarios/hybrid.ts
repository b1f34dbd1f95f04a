/**
 * Meaning, words and both at once through HTTP, each over every query: time of a query, and processor time of the server
 * beside it. By the unchanged JavaScript client, and raw: the client does not know texts whose words are looked for.
 */
import { ChromaClient, Knn, type RankInput, Search } from 'chromadb'
import { questionsOf } from '../data/questions.ts'
import type { Row } from '../measure/report.ts'
import { timedCells } from '../measure/rows.ts'
import { interleaved, type Runner } from '../measure/run.ts'
import { COLLECTION } from '../servers/collection-name.ts'
import { onLoaded } from '../servers/targets.ts'
import type { Scenario } from './scenario.ts'

const FIRST = 'meaning, query'
const CLIENTS = ['chromadb client', 'raw HTTP'] as const
const SELECTED = ['#document', '#metadata', '#score']

export const hybrid: Scenario = {
  about: 'queries by meaning, by words and by both through HTTP, with the CPU time of the server',
  records: [100_000],
  run: async (options, report, open) => {
    if (options.data === undefined) throw new Error('the texts of queries are needed; give --data')
    const data = open()
    const texts = questionsOf(options.data).map(({ text }) => text)
    const count = Math.min(options.queries, data.queries.count, texts.length)
    const { k, rounds } = options
    await onLoaded('siltstone', data, report, options.rebuild, async ({ server, id }) => {
      const { hostname, port } = new URL(server.url)
      const client = new ChromaClient({ host: hostname, port: Number(port) })
      const collection = await client.getCollection({ name: COLLECTION })
      const vectors = Array.from({ length: count }, (_, i) => Array.from(data.queries.vector(i)))
      const viaClient = (rank: (i: number) => RankInput) => (i: number) =>
        collection.search(
          new Search()
            .rank(rank(i))
            .limit(k)
            .select(...SELECTED),
        )
      const raw = (rank: (i: number) => unknown) => (i: number) =>
        server.client.search(id, { rank: rank(i), limit: { limit: k }, select: { keys: SELECTED } })
      const both = (i: number) => ({ $hybrid: { query: texts[i], vector: vectors[i] } })
      const askings: [through: (typeof CLIENTS)[number], what: string, ask: (i: number) => Promise<unknown>][] = [
        [CLIENTS[0], FIRST, (i) => collection.query({ queryEmbeddings: [vectors[i] as number[]], nResults: k })],
        [CLIENTS[0], 'meaning, search', viaClient((i) => Knn({ query: vectors[i] as number[], limit: k }))],
        [CLIENTS[0], 'both, search by $hybrid', viaClient(both)],
        [CLIENTS[1], FIRST, (i) => server.client.query(id, { vector: data.queries.vector(i), k })],
        [CLIENTS[1], 'meaning, search', raw((i) => ({ $knn: { query: vectors[i], limit: k } }))],
        [CLIENTS[1], 'words, search', raw((i) => ({ $knn: { query: texts[i], key: '#document', limit: k } }))],
        [CLIENTS[1], 'both, search by $hybrid', raw(both)],
      ]
      const runners = askings.map(([, , ask], name): Runner => {
        let next = 0
        return {
          name: String(name),
          cpuSeconds: () => server.usage()?.cpuSeconds,
          // Every query is asked once while the server warms up, and once after it.
          run: async () => void (await ask(next++ % count)),
        }
      })
      const results = await interleaved(runners, {
        rounds,
        perRound: Math.ceil(count / rounds),
        clients: 1,
        warmUp: count,
      })
      report.table(
        `The ${k} best of ${data.name}, ${count} different queries, one at a time, in ${rounds} turns`,
        askings.map(([through, what], name): Row => {
          const timed = results.get(String(name))
          const first = results.get(String(askings.findIndex((one) => one[0] === through && one[1] === FIRST)))
          if (!timed || !first) throw new Error(`no result for ${what}`)
          return {
            through,
            what,
            ...timedCells(timed),
            'p50, times the query': timed.medianMs / first.medianMs,
            'CPU, times the query': timed.cpuMs / first.cpuMs,
          }
        }),
      )
    })
  },
}
