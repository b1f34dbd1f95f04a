/** Spreads histories over processes, in small batches, by ascending seed. */
import { type ChildProcess, fork } from 'node:child_process'
import { addTotals, type Failure, noTotals, type Totals } from './batch.ts'
import { MUTANT_VARIABLE } from './load-mutant.ts'
import type { PlanNumbers } from './plan.ts'

export interface FarmOptions {
  firstSeed: number
  histories: number
  workers: number
  overrides: Partial<PlanNumbers>
  /** No new batch starts after this number of violations. */
  failureLimit: number
  /** The name of a mutant: see `mutants.ts`. */
  mutant?: string
  /** No new batch starts after this time. */
  budgetMs?: number
  onProgress?: (totals: Totals) => void
}

const BATCH = 20

/** @throws Error if a worker dies, or fails for another reason than a violation */
export async function runFarm(options: FarmOptions): Promise<Totals> {
  const totals = noTotals()
  const end = options.firstSeed + options.histories
  const deadlineMs = performance.now() + (options.budgetMs ?? Number.POSITIVE_INFINITY)
  let next = options.firstSeed
  const take = () => {
    if (next >= end || totals.failures.length >= options.failureLimit || performance.now() > deadlineMs)
      return undefined
    const firstSeed = next
    next = Math.min(end, next + BATCH)
    return { firstSeed, histories: next - firstSeed }
  }
  const serve = async () => {
    const worker = startWorker(options.mutant)
    try {
      for (let batch = take(); batch; batch = take()) {
        const { overrides, failureLimit } = options
        addTotals(totals, await ask(worker, { ...batch, overrides, stopAtFailure: failureLimit === 1 }))
        options.onProgress?.(totals)
      }
    } finally {
      worker.kill()
    }
  }
  const workers = Math.max(1, Math.min(options.workers, Math.ceil(options.histories / BATCH)))
  await Promise.all(Array.from({ length: workers }, serve))
  totals.failures.sort((a: Failure, b: Failure) => a.seed - b.seed)
  return totals
}

function startWorker(mutant: string | undefined): ChildProcess {
  const path = (name: string) => new URL(name, import.meta.url)
  const env = mutant === undefined ? process.env : { ...process.env, [MUTANT_VARIABLE]: mutant }
  // Stacks matter only when one seed is replayed; a larger nursery saves garbage collections of V8, and threads of its own for them cost more than they save beside other workers.
  const execArgv = ['--stack-trace-limit=0', '--max-semi-space-size=64', '--single-threaded-gc']
  if (mutant !== undefined) execArgv.push('--import', path('load-mutant-hook.ts').href)
  return fork(path('worker.ts'), [], { env, execArgv, serialization: 'advanced' })
}

function ask(worker: ChildProcess, batch: object): Promise<Totals> {
  return new Promise((resolve, reject) => {
    const end = () => {
      worker.off('message', onMessage)
      worker.off('exit', onExit)
    }
    const onMessage = (answer: { totals?: Totals; error?: string }) => {
      end()
      if (answer.totals) resolve(answer.totals)
      else reject(new Error(answer.error))
    }
    const onExit = (code: number | null, signal: string | null) => {
      end()
      reject(new Error(`a worker ended with ${signal ?? code} in the middle of ${JSON.stringify(batch)}`))
    }
    worker.on('message', onMessage)
    worker.on('exit', onExit)
    worker.send(batch)
  })
}
