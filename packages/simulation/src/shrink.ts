/**
 * Makes a failing history smaller: fewer actors, operations and faults, as long as the same promise is broken. A smaller
 * number changes all later random decisions, so each smaller plan is tried with several salts.
 */
import { runHistory } from './history.ts'
import { drawPlan, FAULTS, type Plan, type PlanNumbers, SHRINKABLE } from './plan.ts'

type Numbers = Partial<PlanNumbers>

const SALTS = 12
const LEAST: Partial<Record<keyof Plan, number>> = { servers: 1, sessions: 1, operations: 1, deltas: 1, ids: 1 }

export async function shrink(
  seed: number,
  from: Numbers,
  promise: string,
  budgetMs: number,
): Promise<{ overrides: Numbers; tried: number }> {
  const deadlineMs = performance.now() + budgetMs
  let overrides = from
  let tried = 0
  const fails = async (numbers: Numbers): Promise<Numbers | undefined> => {
    for (let salt = 0; salt < SALTS && performance.now() < deadlineMs; salt++) {
      const salted = { ...numbers, salt: ((numbers['salt'] ?? 0) + salt) % 1_000 }
      tried++
      if ((await runHistory(seed, salted)).violation?.promise === promise) return salted
    }
    return undefined
  }
  for (let changed = true; changed && performance.now() < deadlineMs; ) {
    changed = false
    for (const candidates of smaller(seed, overrides))
      for (const numbers of candidates) {
        const found = await fails({ ...overrides, ...numbers })
        if (!found) continue
        overrides = found
        changed = true
        break
      }
  }
  return { overrides, tried }
}

/** The smaller values to try for each number of the plan, the smallest first. */
function* smaller(seed: number, overrides: Numbers): Generator<Numbers[]> {
  for (const name of SHRINKABLE) {
    const now = drawPlan(seed, overrides)[name] as number
    const least = LEAST[name] ?? 0
    const values = [least, (now + least) >> 1, now - 1].filter((value) => value >= least && value < now)
    yield [...new Set(values)].map((value) => ({ [name]: value }))
  }
  for (const fault of FAULTS) if (drawPlan(seed, overrides).faults[fault] > 0) yield [{ [`faults.${fault}`]: 0 }]
}
