import { median, percentile } from './statistics.ts'

/** Of several rounds. */
export interface Timed {
  /** All rounds together. */
  count: number
  /** Median of the rounds' medians, and the lowest and the highest of them. */
  medianMs: number
  lowestMedianMs: number
  highestMedianMs: number
  /** Over all rounds together. */
  p99Ms: number
  /** Median of the rounds. */
  perSecond: number
}

export function summarise(rounds: readonly { timesMs: readonly number[]; seconds: number }[]): Timed {
  const all = rounds.flatMap(({ timesMs }) => timesMs).sort((a, b) => a - b)
  const medians = rounds.filter(({ timesMs }) => timesMs.length > 0).map(({ timesMs }) => median(timesMs))
  return {
    count: all.length,
    medianMs: median(medians),
    lowestMedianMs: Math.min(...medians),
    highestMedianMs: Math.max(...medians),
    p99Ms: percentile(all, 0.99),
    perSecond: median(rounds.map(({ timesMs, seconds }) => timesMs.length / seconds)),
  }
}

/** Runs `task` for every index, `clients` of them at a time, and times each; stops early after `budgetMs`. */
export async function timed(
  count: number,
  clients: number,
  task: (index: number) => Promise<void>,
  budgetMs = Number.POSITIVE_INFINITY,
): Promise<{ timesMs: number[]; seconds: number }> {
  const timesMs: number[] = []
  let next = 0
  const startedMs = performance.now()
  const client = async () => {
    while (next < count && performance.now() - startedMs < budgetMs) {
      const index = next++
      const beganMs = performance.now()
      await task(index)
      timesMs.push(performance.now() - beganMs)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return { timesMs, seconds: (performance.now() - startedMs) / 1000 }
}

export interface Runner {
  name: string
  run(index: number): Promise<void>
}

export interface Turns {
  rounds: number
  perRound: number
  clients: number
  warmUp: number
  /** For one turn of one runner. */
  budgetMs?: number
}

/** Takes turns: a round of each, then the next round, so that what else the machine does falls on all alike. */
export async function interleaved(runners: readonly Runner[], turns: Turns): Promise<Map<string, Timed>> {
  const { rounds, perRound, clients, warmUp, budgetMs } = turns
  for (const { run } of runners) await timed(warmUp, clients, (index) => run(index), budgetMs)
  const seen = runners.map(({ name, run }) => ({ name, run, rounds: [] as Awaited<ReturnType<typeof timed>>[] }))
  for (let round = 0; round < rounds; round++)
    for (const runner of seen)
      runner.rounds.push(await timed(perRound, clients, (index) => runner.run(index), budgetMs))
  return new Map(seen.map(({ name, rounds: done }) => [name, summarise(done)]))
}
