/**
 * `npm test`: format, lint, types, layers, dead code, kernels and all tests, on the pinned Node. `npm test -- --only vitest`
 * runs one part; arguments after `--` are passed to it (`npm test -- --only vitest -- src/log`). `npm run test:slow` runs the
 * tests that `vitest.config.ts` lists as slow, and nothing else. Ends with `N passed, N failed`.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name: string) => join(root, 'node_modules/.bin', name)
const folder = mkdtempSync(join(tmpdir(), 'siltstone-check-'))
const report = join(folder, 'vitest.json')

interface Check {
  name: string
  command: string
  args: string[]
}

const quick: Check[] = [
  { name: 'format', command: bin('biome'), args: ['format', '.'] },
  { name: 'lint', command: bin('oxlint'), args: ['--type-aware', '--deny-warnings', '--disable-nested-config'] },
  { name: 'types', command: bin('tsc'), args: ['--noEmit', '-p', 'tsconfig.json'] },
  { name: 'types of the element', command: bin('tsc'), args: ['--noEmit', '-p', 'packages/reader/tsconfig.json'] },
  { name: 'types of the console', command: bin('tsc'), args: ['--noEmit', '-p', 'packages/console/tsconfig.json'] },
  { name: 'layers', command: process.execPath, args: ['scripts/layers/main.ts'] },
  { name: 'dead code', command: bin('knip'), args: [] },
  { name: 'wasm', command: process.execPath, args: ['scripts/build-wasm.ts', '--check'] },
]
const slow = process.argv.includes('--slow')
const vitest: Check = {
  name: 'vitest',
  command: bin('vitest'),
  args: [
    'run',
    ...(slow ? ['--config', 'vitest.slow.config.ts'] : []),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ],
}

interface Outcome {
  passed: number
  failed: number
}

async function run({ name, command, args }: Check, live: boolean): Promise<boolean> {
  const startedMs = Date.now()
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', live ? 'inherit' : 'pipe', live ? 'inherit' : 'pipe'],
    env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0' },
  })
  const output: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => output.push(chunk))
  const code = await new Promise<number>((resolve) => {
    child.on('error', (error) => {
      output.push(Buffer.from(`${String(error)}\n`))
      resolve(1)
    })
    child.on('close', (exit) => resolve(exit ?? 1))
  })
  if (code !== 0 && !live) process.stdout.write(Buffer.concat(output))
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`)
  return code === 0
}

async function runTests(extra: readonly string[]): Promise<Outcome> {
  const good = await run({ ...vitest, args: [...vitest.args, ...extra] }, true)
  try {
    const json = JSON.parse(readFileSync(report, 'utf8')) as {
      numPassedTests: number
      numFailedTests: number
      numFailedTestSuites: number
    }
    const failed = json.numFailedTests + (good || json.numFailedTests > 0 ? 0 : Math.max(1, json.numFailedTestSuites))
    return { passed: json.numPassedTests, failed: json.numPassedTests === 0 ? Math.max(1, failed) : failed }
  } catch (error) {
    console.error(`vitest left no report: ${String(error)}`)
    return { passed: 0, failed: 1 }
  }
}

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined
const rest = process.argv.includes('--') ? process.argv.slice(process.argv.lastIndexOf('--') + 1) : []
const total: Outcome = { passed: 0, failed: 0 }
const chosen = quick.filter(({ name }) => !slow && (only === undefined || name === only))
if (only !== undefined && chosen.length === 0 && only !== 'vitest') {
  console.error(
    `error: there is no check ${JSON.stringify(only)}; choose one of ${[...quick, vitest].map(({ name }) => name).join(', ')}`,
  )
  process.exit(2)
}
for (let i = 0; i < chosen.length; i += 2) {
  for (const good of await Promise.all(chosen.slice(i, i + 2).map((check) => run(check, false))))
    total[good ? 'passed' : 'failed']++
}
if (only === undefined || only === 'vitest') {
  const tests = await runTests(rest)
  total.passed += tests.passed
  total.failed += tests.failed
}
rmSync(folder, { recursive: true, force: true })
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 ? 0 : 1
