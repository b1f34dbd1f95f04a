import { median, percentile } from './statistics.ts'

/** Result over several rounds. */
export interface Timed {
  /** All rounds together. */
  count: number
  /** Median, lowest and highest of the rounds' medians. */
  medianMs: number
  lowestMedianMs: number
  highestMedianMs: number
  /** Over all rounds together. */
  p99Ms: number
  /** Median of the rounds. */
  perSecond: number
  /** Processor time of the answering process over all rounds; NaN if unknown. Other programs hardly affect it. */
  cpuMs: number
}

export interface Round {
  timesMs: number[]
  seconds: number
  cpuSeconds?: number | undefined
}

export function summarise(rounds: readonly Round[]): Timed {
  const all = rounds.flatMap(({ timesMs }) => timesMs).sort((a, b) => a - b)
  const medians = rounds.filter(({ timesMs }) => timesMs.length > 0).map(({ timesMs }) => median(timesMs))
  return {
    count: all.length,
    medianMs: median(medians),
    lowestMedianMs: Math.min(...medians),
    highestMedianMs: Math.max(...medians),
    p99Ms: percentile(all, 0.99),
    perSecond: median(rounds.map(({ timesMs, seconds }) => timesMs.length / seconds)),
    cpuMs: (1_000 * rounds.reduce((sum, { cpuSeconds = Number.NaN }) => sum + cpuSeconds, 0)) / all.length,
  }
}

/** Runs `task` for every index, `clients` of them at a time, and times each; stops early after `budgetMs`. */
export async function timed(
  count: number,
  clients: number,
  task: (index: number) => Promise<void>,
  budgetMs = Number.POSITIVE_INFINITY,
): Promise<Round> {
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
  /** Processor time so far of the answering process. */
  cpuSeconds?(): number | undefined
}

export interface Turns {
  rounds: number
  perRound: number
  clients: number
  warmUp: number
  /** Time limit of one turn of one runner. */
  budgetMs?: number
}

/** Runs one round of each in turn, so that other load of the machine affects all alike. */
export async function interleaved(runners: readonly Runner[], turns: Turns): Promise<Map<string, Timed>> {
  const { rounds, perRound, clients, warmUp, budgetMs } = turns
  for (const { run } of runners) await timed(warmUp, clients, (index) => run(index), budgetMs)
  const seen = runners.map((runner) => ({ runner, done: [] as Round[] }))
  for (let round = 0; round < rounds; round++)
    for (const { runner, done } of seen) {
      const before = runner.cpuSeconds?.()
      const times = await timed(perRound, clients, (index) => runner.run(index), budgetMs)
      const after = runner.cpuSeconds?.()
      done.push({ ...times, cpuSeconds: before === undefined || after === undefined ? undefined : after - before })
    }
  return new Map(seen.map(({ runner, done }) => [runner.name, summarise(done)]))
}
