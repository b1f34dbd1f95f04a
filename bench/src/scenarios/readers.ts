/** Every library with the same data, each in its own process, ready for queries in turns. */
import { type CandidateProcess, KNOBS, startCandidate } from '../candidates/start.ts'
import { candidateOptions, preparedPeer } from '../candidates/prepared.ts'
import { type Dataset, queriesFile } from '../data/dataset.ts'
import type { Truth } from '../data/exact.ts'
import { preparedFullStore, preparedStore } from '../inprocess/store.ts'
import type { Report, Row } from '../measure/report.ts'
import { timedCells } from '../measure/rows.ts'
import { type Round, summarise } from '../measure/run.ts'
import { mean } from '../measure/statistics.ts'
import type { Options } from '../options.ts'
import type { FilterSpec } from '../candidates/candidate.ts'

export interface Reader {
  process: CandidateProcess
  openSeconds: number
}

export async function withReaders(
  options: Options,
  data: Dataset,
  report: Report,
  use: (readers: readonly Reader[]) => Promise<void>,
): Promise<void> {
  const readers: Reader[] = []
  const queries = queriesFile(data)
  try {
    for (const name of options.peers) {
      const place = await placeOf(name, options, data, report)
      const process = await startCandidate(name, place)
      report.note(`${name}: opening`)
      readers.push({ process, openSeconds: (await process.open(queries)).seconds })
    }
    await use(readers)
  } finally {
    for (const { process } of readers) await process.close()
  }
}

async function placeOf(name: string, { rebuild }: Options, data: Dataset, { note }: Report) {
  if (name === 'siltstone') return candidateOptions(name, data, (await preparedStore(data, note, rebuild)).directory)
  if (name === 'siltstone-full')
    return candidateOptions(name, data, (await preparedFullStore(data, note, rebuild)).directory)
  return (await preparedPeer(name, data, note)).options
}

export interface Case {
  name: string
  /** Undefined: the library's default. */
  value: number | undefined
}

export function casesOf(name: string, { values }: Options): Case[] {
  return (values.get(name) ?? KNOBS[name]?.values ?? []).map((value) => ({ name, value }))
}

/** One query at a time, all cases in turns. */
export async function measureReaders(
  readers: readonly Reader[],
  cases: readonly Case[],
  truth: Truth,
  { rounds, queries, k }: Options,
  limits: { budgetMs: number; filter?: { name: string; spec: FilterSpec } },
): Promise<Row[]> {
  const seen = cases.map((one) => ({
    ...one,
    turns: [] as Round[],
    recalls: [] as number[],
  }))
  for (let round = 0; round < rounds; round++) {
    for (const one of seen) {
      const reader = readers.find(({ process }) => process.name === one.name)
      if (!reader) continue
      const { timesMs, found, cpuSeconds } = await reader.process.run({
        value: one.value,
        filter: limits.filter?.spec,
        filterName: limits.filter?.name ?? 'none',
        k,
        count: queries,
        warmUp: round === 0 ? Math.ceil(queries / 2) : 20,
        budgetMs: limits.budgetMs,
      })
      one.turns.push({ timesMs, seconds: timesMs.reduce((sum, ms) => sum + ms, 0) / 1000, cpuSeconds })
      found.forEach((rows, query) => one.recalls.push(truth.recall(query, rowsOf(rows, truth), k)))
    }
  }
  return seen.map(({ name, value, turns, recalls }) => ({
    library: name,
    ...(value !== undefined && { knob: `${KNOBS[name]?.name ?? ''} ${value === 0 ? 'all' : value}` }),
    'recall@10': mean(recalls),
    ...timedCells(summarise(turns)),
    queries: recalls.length,
  }))
}

function rowsOf(found: readonly number[] | readonly string[], { rowOf }: Truth): number[] {
  return found.map((one) => (typeof one === 'string' ? rowOf(one) : one))
}
