/** `npm run simulate`: histories from seeds, in one process for each core. */
import { writeFileSync } from 'node:fs'
import type { Failure } from './batch.ts'
import { runFarm } from './farm.ts'
import { runHistory } from './history.ts'
import { type Options, parseOptions, USAGE } from './options.ts'
import { isCaught, runMutants } from './run-mutants.ts'
import { commandFor, isGood, reportOf, textOf } from './report.ts'
import { shrink } from './shrink.ts'

const FAILURE_LIMIT = 20
const SHRINK_MS = 60_000
const SUMMARY_EVERY_MS = 30_000

async function main(): Promise<number> {
  if (process.argv.includes('--help')) {
    console.log(USAGE)
    return 0
  }
  const options = parseOptions(process.argv.slice(2))
  if (options.trace) return trace(options)
  if (options.mutants) return mutants(options)
  const startedMs = performance.now()
  let writtenMs = startedMs
  const report = (totals: Parameters<typeof reportOf>[0]) => reportOf(totals, options, performance.now() - startedMs)
  const totals = await runFarm({
    firstSeed: options.seed,
    histories: options.histories,
    workers: options.workers,
    overrides: options.overrides,
    failureLimit: FAILURE_LIMIT,
    ...(options.budgetMs !== undefined && { budgetMs: options.budgetMs }),
    onProgress: (soFar) => {
      if (options.summary === undefined || performance.now() - writtenMs < SUMMARY_EVERY_MS) return
      writtenMs = performance.now()
      writeFileSync(options.summary, `${JSON.stringify(report(soFar), null, 2)}\n`)
    },
  })
  const done = report(totals)
  if (options.summary !== undefined) writeFileSync(options.summary, `${JSON.stringify(done, null, 2)}\n`)
  console.log(options.json ? JSON.stringify(done, null, 2) : textOf(done))
  const [first] = totals.failures
  if (first && !options.json) await explain(first, options)
  return isGood(done) ? 0 : 1
}

async function mutants(options: Options): Promise<number> {
  const results = await runMutants(options, ({ name, breaks, caughtAfter, promises }) => {
    if (options.json) return
    const after = caughtAfter.map((count) => count ?? `not in ${options.histories}`).join(', ')
    console.log(`${name}: caught after ${after} histories (${promises.join(', ')}); ${breaks}`)
  })
  const missed = results.filter((result) => !isCaught(result))
  if (options.json) console.log(JSON.stringify(results, null, 2))
  else console.log(`${results.length - missed.length} of ${results.length} mutants caught`)
  for (const { name } of missed)
    console.error(`FAILURE: ${name} was not caught each time: a fault or a check is lacking`)
  return missed.length === 0 && results.length > 0 ? 0 : 1
}

/** Prints each line of one history. */
async function trace({ seed, overrides }: Options): Promise<number> {
  const outcome = await runHistory(seed, overrides, true)
  console.log(JSON.stringify(outcome.plan, null, 2))
  for (const line of outcome.lines ?? []) console.log(line)
  console.log(`seed ${seed}, trace ${outcome.traceHash}: ${outcome.violation?.message ?? 'no violation'}`)
  return outcome.violation ? 1 : 0
}

/** Replays the history exactly, then makes it as small as possible. */
async function explain(failure: Failure, { overrides, shrink: small }: Options): Promise<void> {
  const { seed, promise, traceHash } = failure
  const again = await runHistory(seed, overrides)
  if (again.traceHash !== traceHash)
    console.log(
      `FAILURE: seed ${seed} gave trace ${traceHash}, then ${again.traceHash}: the simulation is not deterministic`,
    )
  console.log(`\nseed ${seed} again: ${commandFor(seed, overrides)}`)
  if (!small) return
  const { overrides: least, tried } = await shrink(seed, overrides, promise, SHRINK_MS)
  const outcome = await runHistory(seed, least)
  console.log(
    `smallest of ${tried} tries (${outcome.events} events instead of ${again.events}): ${commandFor(seed, least)}`,
  )
  console.log(outcome.violation?.message.slice(0, 2_000))
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error))
    process.exitCode = 2
  },
)
