/** Runs each mutant until it is caught, from several start seeds, and reports the number of histories. */
import { type FarmOptions, runFarm } from './farm.ts'
import { runHistory } from './history.ts'
import { MUTANTS } from './mutants.ts'
import type { Options } from './options.ts'

export interface MutantResult {
  name: string
  breaks: string
  /** Histories until the first violation, one for each start seed; undefined: not caught. */
  caughtAfter: (number | undefined)[]
  median: number | undefined
  /** Seeds that caught it. */
  seeds: number[]
  /** Promises that were broken. */
  promises: string[]
}

/** The distance of start seeds, so large that no history is run twice. */
const APART = 1_000_000

export async function runMutants(options: Options, tell: (result: MutantResult) => void): Promise<MutantResult[]> {
  const results: MutantResult[] = []
  for (const { name, breaks, provokedBy } of MUTANTS.filter((one) => one.name.startsWith(options.only))) {
    const overrides = { ...provokedBy, ...options.overrides }
    const caughtAfter: MutantResult['caughtAfter'] = []
    const promises = new Set<string>()
    const seeds: number[] = []
    const starts = Array.from({ length: options.starts }, (_, i) => options.seed + i * APART)
    const serve = async () => {
      for (let firstSeed = starts.shift(); firstSeed !== undefined; firstSeed = starts.shift()) {
        const run: FarmOptions = {
          firstSeed,
          histories: options.histories,
          workers: 1,
          overrides,
          failureLimit: 1,
          mutant: name,
        }
        const [failure] = (await runFarm(run)).failures
        caughtAfter.push(failure && failure.seed - firstSeed + 1)
        if (!failure) continue
        await checkRealCode(failure.seed, overrides)
        seeds.push(failure.seed)
        promises.add(failure.promise)
      }
    }
    await Promise.all(Array.from({ length: options.workers }, serve))
    const result = { name, breaks, caughtAfter, median: medianOf(caughtAfter), seeds, promises: [...promises] }
    results.push(result)
    tell(result)
  }
  return results
}

/** A seed catches a mutant only if the real code passes it. @throws Error otherwise */
async function checkRealCode(seed: number, overrides: Options['overrides']): Promise<void> {
  const { violation } = await runHistory(seed, overrides)
  if (violation) throw new Error(`seed ${seed} fails without any mutant: ${violation.message}`)
}

export function isCaught({ caughtAfter }: MutantResult): boolean {
  return caughtAfter.length > 0 && caughtAfter.every((after) => after !== undefined)
}

function medianOf(values: readonly (number | undefined)[]): number | undefined {
  const sorted = values.map((value) => value ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b)
  const middle = sorted[sorted.length >> 1]
  return middle === Number.POSITIVE_INFINITY ? undefined : middle
}
