/** Reads what a static host serves in each runtime, with the same bundle. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startHost } from '../reader/static-host.ts'
import { makeWorld, pageModules } from '../reader/world.ts'
import { expectedAnswers, type Outcome } from './outcome.ts'

const INSTALLED = fileURLToPath(new URL('node_modules', import.meta.url))
const run = promisify(execFile)

const world = await makeWorld()
const folder = await mkdtemp(join(tmpdir(), 'siltstone-runtimes-'))
const modules = await pageModules({
  command: fileURLToPath(new URL('command.ts', import.meta.url)),
  worker: fileURLToPath(new URL('worker.ts', import.meta.url)),
})
for (const [name, bytes] of modules) await writeFile(join(folder, name), bytes)
await writeFile(join(folder, 'package.json'), '{"type":"module"}')
const command = join(folder, 'command.js')

/** The packages of a runtime differ by machine. */
async function binary(scope: string, path: string): Promise<string> {
  const [name] = await readdir(join(INSTALLED, scope))
  return join(INSTALLED, scope, name ?? '', path)
}

const printed = async (program: string, args: string[], origin: string): Promise<Outcome> => {
  const { stdout } = await run(program, [...args, origin], { maxBuffer: 1 << 24 })
  return JSON.parse(stdout) as Outcome
}

interface Miniflare {
  dispatchFetch(url: string): Promise<{ json(): Promise<unknown> }>
  dispose(): Promise<void>
}

async function inWorkerd(origin: string): Promise<Outcome> {
  const { Miniflare } = (await import(join(INSTALLED, 'miniflare/dist/src/index.js'))) as {
    Miniflare: new (options: object) => Miniflare
  }
  const worker = new Miniflare({
    compatibilityDate: '2026-04-01',
    modulesRoot: '/',
    // The first is the entry.
    modules: modules
      .toSorted(([a], [b]) => Number(b === 'worker.js') - Number(a === 'worker.js'))
      .filter(([name]) => name !== 'command.js')
      .map(([name, bytes]) => ({ type: 'ESModule', path: `/${name}`, contents: new TextDecoder().decode(bytes) })),
  })
  try {
    const answer = await worker.dispatchFetch(`http://worker/?origin=${encodeURIComponent(origin)}`)
    return (await answer.json()) as Outcome
  } finally {
    await worker.dispose()
  }
}

const RUNTIMES: Record<string, (origin: string) => Promise<Outcome>> = {
  Node: (origin) => printed(process.execPath, [command], origin),
  Deno: async (origin) =>
    printed(await binary('@deno', 'deno'), ['run', '--no-prompt', '--allow-net=127.0.0.1', command], origin),
  Bun: async (origin) => printed(await binary('@oven', 'bin/bun'), [command], origin),
  workerd: inWorkerd,
}

let passed = 0
let failed = 0
function note(name: string, problem: string | undefined): void {
  if (problem === undefined) passed++
  else failed++
  console.log(problem === undefined ? `ok      ${name}` : `FAILED  ${name}\n${problem}`)
}

for (const traits of [{}, { ranges: 'truncated' }] as const)
  for (const [runtime, read] of Object.entries(RUNTIMES)) {
    const host = await startHost(world.read, traits)
    const where = `${runtime}, host ${JSON.stringify(traits)}`
    try {
      const { checks, answers } = await read(host.origin)
      assert.ok(checks.length > 0)
      for (const { title, problem } of checks) note(`${where}: ${title}`, problem)
      assert.deepEqual(answers.toSpliced(2, 1), expectedAnswers)
      note(`${where}: answers texts by meaning and by words`, undefined)
      assert.deepEqual([...new Set(host.requests.map(({ method }) => method))], ['GET'])
      note(`${where}: sends GET alone`, undefined)
    } catch (error) {
      note(`${where}: runs`, String(error instanceof Error ? error.stack : error))
    }
    await host.close()
  }
await world.close()
await rm(folder, { recursive: true })
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
