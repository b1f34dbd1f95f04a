/** Many histories, one after another, and their outcomes. */
import { runHistory } from './history.ts'
import { Marks } from './marks.ts'
import type { PlanNumbers } from './plan.ts'

/** A request to a worker. */
export interface Batch {
  firstSeed: number
  histories: number
  overrides: Partial<PlanNumbers>
  /** End at the first violation. */
  stopAtFailure: boolean
}

export interface Failure {
  seed: number
  /** Which promise was broken. */
  promise: string
  message: string
  traceHash: string
}

export interface Totals {
  histories: number
  events: number
  simulatedMs: number
  marks: Record<string, number>
  failures: Failure[]
}

export function noTotals(): Totals {
  return { histories: 0, events: 0, simulatedMs: 0, marks: {}, failures: [] }
}

export async function runBatch({ firstSeed, histories, overrides, stopAtFailure }: Batch): Promise<Totals> {
  const totals = noTotals()
  const marks = new Marks()
  for (let seed = firstSeed; seed < firstSeed + histories; seed++) {
    const outcome = await runHistory(seed, overrides)
    totals.histories++
    totals.events += outcome.events
    totals.simulatedMs += outcome.simulatedMs
    marks.add(outcome.marks)
    const { violation, traceHash } = outcome
    if (!violation) continue
    totals.failures.push({ seed, promise: violation.promise, message: violation.message, traceHash })
    if (stopAtFailure) break
  }
  totals.marks = Object.fromEntries(marks.counts)
  return totals
}

export function addTotals(to: Totals, from: Totals): void {
  to.histories += from.histories
  to.events += from.events
  to.simulatedMs += from.simulatedMs
  to.failures.push(...from.failures)
  for (const [name, count] of Object.entries(from.marks)) to.marks[name] = (to.marks[name] ?? 0) + count
}
