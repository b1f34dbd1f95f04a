import { latencies, type Latencies } from './statistics.ts'

export interface Timed extends Latencies {
  seconds: number
  perSecond: number
}

/** Runs `task` for every index, `clients` of them at a time, and times each. */
export async function timed(
  count: number,
  clients: number,
  task: (index: number) => Promise<void>,
): Promise<{ timesMs: number[]; seconds: number }> {
  const timesMs: number[] = []
  let next = 0
  const startedMs = performance.now()
  const client = async () => {
    while (next < count) {
      const index = next++
      const beganMs = performance.now()
      await task(index)
      timesMs.push(performance.now() - beganMs)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return { timesMs, seconds: (performance.now() - startedMs) / 1000 }
}

export interface Candidate {
  name: string
  run(index: number): Promise<void>
}

/**
 * Takes turns: a round of each candidate, then the next round, so that what else the machine does falls on all alike.
 * Throughput is the median of the rounds, latencies are over all requests.
 */
export async function interleaved(
  candidates: readonly Candidate[],
  options: { rounds: number; perRound: number; clients: number; warmUp: number },
): Promise<Map<string, Timed>> {
  const { rounds, perRound, clients, warmUp } = options
  for (const { run } of candidates) await timed(warmUp, clients, (index) => run(index))
  const seen = candidates.map(({ name, run }) => ({ name, run, timesMs: [] as number[], rates: [] as number[] }))
  for (let round = 0; round < rounds; round++) {
    for (const candidate of seen) {
      const { timesMs, seconds } = await timed(perRound, clients, (index) => candidate.run(round * perRound + index))
      candidate.timesMs.push(...timesMs)
      candidate.rates.push(perRound / seconds)
    }
  }
  return new Map(
    seen.map(({ name, timesMs, rates }) => {
      const perSecond = latencies(rates).medianMs
      return [name, { ...latencies(timesMs), perSecond, seconds: timesMs.length / perSecond }]
    }),
  )
}
