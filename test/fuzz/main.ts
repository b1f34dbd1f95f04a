/**
 * Fuzzing for a given time: `npm run fuzz -- [--minutes N] [--seed N] [--only NAME] [--iterations N]
 * [--replay ITERATION]`. The targets take turns in a separate process; if it ends, or hangs for 30 s on an input, that is
 * a finding. A finding prints the command that repeats it. Ends with `N passed, N failed`.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    only: { type: 'string', default: '' },
    replay: { type: 'string' },
  },
})
const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url))
const HANGS_MS = 30_000

let skip = 0
let failed = 0
let passed = 0
const untilMs = performance.now() + Number(values.minutes) * 60_000

/** Runs one process from round `first` onwards. @returns the round to continue with if it ended early */
async function run(first: number): Promise<number | undefined> {
  const minutes = String(Math.max(0, untilMs - performance.now()) / 60_000)
  const args = [WORKER, minutes, values.seed, String(first), values.only, values.replay ?? '']
  const child = spawn(process.execPath, ['--max-old-space-size=1024', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let at = { target: 'the start', iteration: first }
  let timer: NodeJS.Timeout | undefined
  let hung = false
  const watch = () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      hung = true
      child.kill('SIGKILL')
    }, HANGS_MS)
  }
  watch()
  createInterface({ input: child.stdout }).on('line', (line) => {
    watch()
    const message = JSON.parse(line) as { target: string; iteration: number; finding?: string; summary?: object }
    if (message.finding !== undefined) {
      failed++
      console.log(`FAILED ${message.finding}`)
    } else if (message.summary !== undefined) {
      passed++
      console.log(`ok     ${message.target} ${JSON.stringify(message.summary)}`)
    } else at = message
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  if (code === 0) return undefined
  failed++
  const what = hung ? `hangs for ${HANGS_MS} ms` : `ends the process (${code})`
  console.log(`FAILED ${at.target}, seed ${values.seed}, near iteration ${at.iteration}: ${what}`)
  return at.target === 'the start' ? undefined : at.iteration + 1
}

console.log(`seed ${values.seed}, ${values.minutes} minutes`)
for (let next: number | undefined = skip; next !== undefined && failed < 20; ) {
  skip = next
  next = await run(skip)
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
