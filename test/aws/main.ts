/** Installs and starts the servers, probes them, runs the suites, stops the servers. See `run.sh`. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CREDENTIALS, definitions, install, type RunningServer, start, type Target } from '@siltstone/emulated-aws'
import { probe } from './probe.ts'

const root = join(import.meta.dirname, '../..')
const running: RunningServer[] = []
let passed = 0
let failed = 0

async function targetsToUse(): Promise<Target[]> {
  const given = process.env['AWS_ENDPOINT_URL']
  if (given !== undefined && given !== '') return [{ name: given, endpoint: given }]
  if (process.env['SILTSTONE_TEST_AWS'] === 'real') return [{ name: 'AWS', endpoint: undefined }]
  Object.assign(process.env, CREDENTIALS)
  await Promise.all(definitions.map((definition) => install(definition)))
  for (const definition of definitions) running.push(await start(definition))
  return running.map(({ name, endpoint }) => ({ name, endpoint }))
}

async function runSuites(targets: readonly Target[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'siltstone-aws-'))
  const report = join(folder, 'vitest.json')
  const args = ['run', '--config', 'test/aws/vitest.config.ts', '--reporter=default', '--reporter=json']
  const child = spawn(
    process.execPath,
    [join(root, 'node_modules/vitest/vitest.mjs'), ...args, `--outputFile.json=${report}`, ...process.argv.slice(2)],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, SILTSTONE_TEST_TARGETS: JSON.stringify(targets) },
    },
  )
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  const json = JSON.parse(readFileSync(report, 'utf8')) as { numPassedTests: number; numFailedTests: number }
  rmSync(folder, { recursive: true, force: true })
  passed += json.numPassedTests
  failed += json.numFailedTests
  if (code !== 0 && json.numFailedTests === 0) failed++
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void Promise.all(running.map((server) => server.stop())).then(() => process.exit(1)))
try {
  const targets = await targetsToUse()
  for (const target of targets) {
    const problem = await probe(target)
    console.log(
      `${problem === undefined ? 'ok    ' : 'FAILED'} conditional puts of ${target.name}: ${problem ?? 'honoured'}`,
    )
    if (problem === undefined) passed++
    else throw new Error(`${target.name} loses updates, so nothing can be tested on it`)
  }
  await runSuites(targets)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  failed++
} finally {
  await Promise.all(running.map((server) => server.stop()))
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
