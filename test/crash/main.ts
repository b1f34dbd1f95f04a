/**
 * Crash tests on a real directory. `node test/crash/main.ts [--rounds N] [--seconds S] [--seed N] [--only NAME]
 * [--keep]`. Ends with `N passed, N failed`. A failure prints the seed and keeps the directory.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runRounds } from './rounds.ts'
import { createThings } from './store.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '25' },
    seconds: { type: 'string', default: '40' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    only: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)
const folder = mkdtempSync(join(tmpdir(), 'siltstone-crash-'))
const say = (line: string) => console.log(`[${new Date().toISOString().slice(11, 19)}] ${line}`)

const scenarios: { [name: string]: (directory: string) => Promise<unknown> } = {
  rounds: (directory) =>
    runRounds({
      directory,
      seed,
      rounds: Number(values.rounds),
      untilMs: performance.now() + Number(values.seconds) * 1_000,
      say,
    }),
}

let passed = 0
let failed = 0
say(`seed ${seed}, in ${folder}`)
for (const [name, scenario] of Object.entries(scenarios)) {
  if (values.only !== undefined && values.only !== name) continue
  const directory = join(folder, name)
  const startedMs = performance.now()
  const took = () => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`
  try {
    mkdirSync(directory)
    await createThings(directory)
    const figures = await scenario(directory)
    passed++
    say(`ok     ${name} (${took()}) ${JSON.stringify(figures)}`)
  } catch (error) {
    failed++
    say(`FAILED ${name} (${took()}), seed ${seed}, left in ${directory}`)
    console.log(error)
  }
}
if (failed === 0 && !values.keep) rmSync(folder, { recursive: true, force: true })
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
