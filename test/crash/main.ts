/**
 * Crash tests on a real directory: `npm run crash -- [--rounds N] [--seconds S] [--seed N] [--only NAME] [--keep]`.
 * Ends with `N passed, N failed`. A failure prints the seed and keeps the directory.
 *
 * | scenario | what |
 * |---|---|
 * | rounds | N times: kill -9, stop, set clocks back or copy the directory while processes of all kinds work |
 * | stops | a fifth of N times: SIGSTOP for longer than leases last and log entries are kept (short limits) |
 * | full-disk | no space left, or, if nothing can be mounted, a limit on the size of files |
 * | read-only | write permission is removed and restored |
 * | minutes | only with `--minutes M`: SIGSTOP of M minutes under the default limits |
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fillDisk } from './full-disk.ts'
import { takeRights } from './read-only.ts'
import { KINDS, runRounds } from './rounds.ts'
import { createThings } from './store.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '25' },
    seconds: { type: 'string', default: '86400' },
    minutes: { type: 'string' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    only: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})
interface Scenario {
  name: string
  /** @returns figures for the summary */
  run(directory: string): Promise<unknown>
}

const seed = Number(values.seed)
const folder = mkdtempSync(join(tmpdir(), 'siltstone-crash-'))
const say = (line: string) => console.log(`[${new Date().toISOString().slice(11, 19)}] ${line}`)

const rounds = Number(values.rounds)
const untilMs = performance.now() + Number(values.seconds) * 1_000
const all: Scenario[] = [
  {
    name: 'rounds',
    run: (directory) => runRounds({ directory, seed, rounds, untilMs, say }),
  },
  {
    name: 'stops',
    run: (directory) =>
      runRounds({
        directory,
        seed,
        rounds: Math.ceil(rounds / 5),
        untilMs,
        say,
        kinds: ['library', 'skewed', 'producer', 'compactor'],
        brisk: true,
        stops: [800, 4_500],
      }),
  },
  { name: 'full-disk', run: fillDisk },
  { name: 'read-only', run: takeRights },
]
if (values.minutes !== undefined) {
  const ms = Number(values.minutes) * 60_000
  all.push({
    name: 'minutes',
    run: (directory) =>
      runRounds({
        directory,
        seed,
        rounds: 1,
        untilMs: Infinity,
        say,
        // No client waits that long for a stopped server.
        kinds: ms < 240_000 ? KINDS : KINDS.filter((kind) => kind !== 'server'),
        stops: [ms, ms + 5_000],
        pauseMs: 2_000,
      }),
  })
}
const chosen = all.filter(({ name }) => values.only === undefined || values.only === name)
if (chosen.length === 0)
  throw new Error(`--only ${values.only}: choose one of ${all.map(({ name }) => name).join(', ')}`)

let passed = 0
let failed = 0
say(`seed ${seed}, in ${folder}`)
for (const { name, run } of chosen) {
  const directory = join(folder, name)
  const startedMs = performance.now()
  const took = () => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`
  try {
    mkdirSync(directory)
    await createThings(directory)
    const figures = await run(directory)
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
