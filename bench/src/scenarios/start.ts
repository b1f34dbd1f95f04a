/**
 * The first queries after a start: each server is started again on its loaded directory, in turns, and answers distinct
 * queries one at a time. Files are in the page cache: what is measured is what a new process has to read, parse and compile.
 */
import { exactTruth } from '../data/exact.ts'
import type { Row } from '../measure/report.ts'
import { timed } from '../measure/run.ts'
import { mean, median } from '../measure/statistics.ts'
import { onLoaded } from '../servers/targets.ts'
import { asking } from './asking.ts'
import type { Scenario } from './scenario.ts'

/** Each part begins with this query. */
const STARTS = [0, 1, 50, 250, 1_000]

export const start: Scenario = {
  about: 'the first queries after a start, by the chromadb client and raw, one at a time, each asked once',
  records: [100_000],
  run: async (options, report, open) => {
    const data = open()
    const truth = exactTruth(data)
    const ends = [...STARTS.slice(1), Math.min(2_000, data.queries.count)]
    const seen = new Map<string, { server: string; through: string; part: string; ms: number[]; cpu: number[] }>()
    const recalls = new Map<string, number[]>()
    for (let turn = 0; turn < options.repeat; turn++)
      for (const client of options.clients)
        for (const target of options.servers) {
          report.note(`turn ${turn + 1}: ${target}, ${client}`)
          await onLoaded(target, data, report, options.rebuild && turn === 0, async (loaded) => {
            const { server, through, ask, cpuSeconds } = await asking(loaded, data, client, { k: options.k })
            for (const [i, first] of STARTS.entries()) {
              const end = ends[i] as number
              if (end <= first) continue
              const key = `${server} ${through}`
              const part = `${first + 1} – ${end}`
              const one = seen.get(`${key} ${part}`) ?? { server, through, part, ms: [], cpu: [] }
              seen.set(`${key} ${part}`, one)
              const before = cpuSeconds()
              const { seconds } = await timed(end - first, 1, async (at) => {
                const ids = await ask(first + at)
                const found = recalls.get(key) ?? []
                recalls.set(key, found)
                found.push(truth.recall(first + at, ids.map(data.row), options.k))
              })
              one.ms.push((1_000 * seconds) / (end - first))
              one.cpu.push((1_000 * ((cpuSeconds() ?? Number.NaN) - (before ?? Number.NaN))) / (end - first))
            }
          })
        }
    const rows = [...seen.values()].map(
      ({ server, through, part, ms, cpu }): Row => ({
        server,
        through,
        queries: part,
        'ms a query': median(ms),
        'its CPU ms a query': median(cpu),
        'recall@10 of all': mean(recalls.get(`${server} ${through}`) ?? []),
      }),
    )
    report.table(`Queries after a start, medians of ${options.repeat} starts`, rows)
  },
}
