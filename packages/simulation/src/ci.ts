/**
 * `npm run simulate:ci`: fixed seeds and new seeds, with leases and without, and a few mutants that must be caught soon.
 * About a minute on two cores. Ends with `N passed, N failed`.
 */
import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { runFarm } from './farm.ts'
import { commandFor, reportOf, textOf } from './report.ts'
import { parseOptions } from './options.ts'

import { isCaught, runMutants } from './run-mutants.ts'

const FIXED = 250
const FRESH_MS = 8_000
const MANY = 1_000_000
const MUTANTS = [
  'watermark-too-high',
  'pointer-before-manifest',
  'no-compare-and-swap',
  'ambiguous-412',
  'catalog-without-compare-and-swap',
]

let passed = 0
let failed = 0

for (const mode of ['--lease', '--no-lease'])
  for (const kind of ['fixed', 'fresh']) {
    const firstSeed = kind === 'fixed' ? 1 : randomInt(2 ** 30, 2 ** 31)
    const histories = kind === 'fixed' ? FIXED : MANY
    const options = parseOptions([mode, '--seed', String(firstSeed), '--histories', String(histories)])
    const startedMs = performance.now()
    const totals = await runFarm({
      firstSeed,
      histories,
      workers: availableParallelism(),
      overrides: options.overrides,
      failureLimit: 3,
      ...(kind === 'fresh' && { budgetMs: FRESH_MS }),
    })
    const report = reportOf(totals, { ...options, histories: totals.histories }, performance.now() - startedMs)
    console.log(`== ${kind} seeds, ${mode.slice(2)}`)
    console.log(textOf(report))
    for (const { seed } of report.violations) console.log(commandFor(seed, options.overrides))
    passed += report.histories - report.violations.length
    failed += report.violations.length + report.neverTaken.length + (report.histories === 0 ? 1 : 0)
  }

for (const only of MUTANTS) {
  const options = parseOptions(['--seed', '1', '--histories', '200', '--only', only, '--starts', '1'])
  const results = await runMutants(options, ({ name, caughtAfter }) =>
    console.log(`mutant ${name}: caught after ${caughtAfter.join()} histories`),
  )
  if (results.length > 0 && results.every(isCaught)) passed++
  else {
    failed++
    console.log(`FAILURE: ${only} was not caught`)
  }
}

console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
