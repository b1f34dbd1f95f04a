/**
 * Runs every folder of `examples/` as its README says, in a copy outside the repository, and compares what it prints with the
 * README's block `text output`. Each example gets an empty directory (`DATA`) and, if it is in Python, an empty server
 * (`SILTSTONE_URL`). Ends with `N passed, N failed`.
 *
 * The packages of this repository are linked, the others installed. An example with a script `example` is built by a framework,
 * which may refuse links: its packages are built and installed as a user installs them. An example whose README has no such
 * block fails, and so does one that prints something else.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { blocksOf } from '../docs/page.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const examples = join(root, 'examples')
const python = process.env['EXAMPLES_PYTHON'] ?? 'python3'
const cli = `${process.execPath} ${join(root, 'packages/siltstone/src/cli/main.ts')}`
const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)
const folder = mkdtempSync(join(tmpdir(), 'siltstone-examples-'))
const TIMEOUT_MS = 240_000

const INSTALL = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']

interface Example {
  name: string
  kind: 'node' | 'installed' | 'python'
  expected: string | undefined
}

function examplesIn(): Example[] {
  const wanted = process.argv.slice(2)
  return readdirSync(examples, { withFileTypes: true })
    .filter(
      (entry) =>
        entry.isDirectory() && !entry.name.startsWith('.') && (wanted.length === 0 || wanted.includes(entry.name)),
    )
    .map(({ name }) => ({
      name,
      kind: kindOf(name),
      expected: expectedOf(join(examples, name, 'README.md')),
    }))
}

function kindOf(name: string): Example['kind'] {
  if (!existsSync(join(examples, name, 'package.json'))) return 'python'
  return manifestOf(name).scripts?.['example'] === undefined ? 'node' : 'installed'
}

function manifestOf(name: string): { scripts?: Record<string, string>; dependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(join(examples, name, 'package.json'), 'utf8')) as ReturnType<typeof manifestOf>
}

function expectedOf(readme: string): string | undefined {
  const blocks = existsSync(readme) ? blocksOf(readFileSync(readme, 'utf8')) : []
  return blocks.find(({ words }) => words.includes('output'))?.text
}

/** Installs what the examples in JavaScript need and this repository lacks, and links the rest. */
async function installNode(names: readonly string[]): Promise<void> {
  const wanted: Record<string, string> = {}
  for (const name of names) {
    for (const [one, range] of Object.entries(manifestOf(name).dependencies ?? {}))
      if (!existsSync(join(root, 'node_modules', one))) wanted[one] = range
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies: wanted }))
  if (Object.keys(wanted).length > 0) await run('npm', INSTALL, folder, {})
  link(join(root, 'node_modules'), join(folder, 'node_modules'))
}

/** Links every entry that is not there. */
function link(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const name of readdirSync(from)) {
    const target = join(to, name)
    if (name.startsWith('.')) continue
    if (name.startsWith('@')) link(join(from, name), target)
    else if (!existsSync(target)) symlinkSync(join(from, name), target)
  }
}

/** @returns its output. @throws Error with all that it wrote when it fails */
function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, PATH: path, NO_COLOR: '1', FORCE_COLOR: undefined, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
    })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(out)
      else reject(new Error(`${command} ${args.join(' ')}: ${signal ?? `exit ${code}`}\n${out}${err}`))
    })
  })
}

async function startServer(data: string): Promise<{ url: string; child: ChildProcess }> {
  const [command = '', ...args] = cli.split(' ')
  const child = spawn(command, [...args, 'serve', '--data', data, '--port', '0', '--json', '--log-level', 'error'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  for await (const chunk of child.stdout) {
    out += String(chunk)
    if (/^\}/m.test(out)) return { url: (JSON.parse(out) as { url: string }).url, child }
  }
  throw new Error(`the server ended: ${out}`)
}

async function runExample({ name, kind }: Example): Promise<string> {
  const copy = join(folder, name)
  cpSync(join(examples, name), copy, { recursive: true })
  const data = join(folder, `${name}-data`)
  const env = {
    DATA: data,
    SILTSTONE: cli,
    PYTHONDONTWRITEBYTECODE: '1',
    ANONYMIZED_TELEMETRY: 'False',
    NEXT_TELEMETRY_DISABLED: '1',
  }
  if (kind === 'node') return run('npm', ['start', '--silent'], copy, env)
  if (kind === 'installed') {
    const built = ['siltstone/dist', 'embedder-english'].map((one) => join(root, 'packages', one))
    await run('npm', [...INSTALL, '--install-links', ...built], copy, {})
    await run('npm', ['run', 'build', '--silent'], copy, env)
    return run('npm', ['run', 'example', '--silent'], copy, env)
  }
  const { url, child } = await startServer(data)
  try {
    const script = existsSync(join(copy, 'main.py')) ? 'main.py' : 'run.py'
    return await run(python, [script], copy, { ...env, SILTSTONE_URL: url })
  } finally {
    child.kill('SIGTERM')
  }
}

const normal = (text: string) => text.replaceAll(/[ \t]+$/gm, '').trim()
let passed = 0
let failed = 0
try {
  const all = examplesIn()
  if (all.some(({ kind }) => kind === 'installed')) await run('npm', ['run', 'build', '--silent'], root, {})
  await installNode(all.filter(({ kind }) => kind === 'node').map(({ name }) => name))
  for (const example of all) {
    const startedMs = Date.now()
    try {
      const printed = normal(await runExample(example))
      if (example.expected === undefined) throw new Error(`its README shows no output; it prints:\n${printed}`)
      if (printed !== normal(example.expected)) throw new Error(`it prints something else:\n${printed}`)
      passed++
      console.log(`ok     ${example.name} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`)
    } catch (error) {
      failed++
      console.log(`FAILED ${example.name}: ${(error as Error).message}`)
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
