/**
 * The published packages, used from outside: built, packed, installed into a fresh project beside the compiler and the
 * `chromadb` client, and driven there by the files in `consumer/` on this Node. Ends with `N passed, N failed`.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../..')
const folder = mkdtempSync(join(tmpdir(), 'siltstone-package-'))
const project = join(folder, 'project')
/** npm and npx start `node` by name: it must be this one. */
const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)

interface Ran {
  code: number | null
  out: string
  err: string
}

function begin(command: string, args: readonly string[], cwd: string): ChildProcessWithoutNullStreams {
  const env = { ...process.env, PATH: path, npm_config_fund: 'false', npm_config_update_notifier: 'false' }
  return spawn(command, args, { cwd, env })
}

function run(command: string, args: readonly string[], cwd = project): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = begin(command, args, cwd)
    const ran: Ran = { code: null, out: '', err: '' }
    child.stdout.on('data', (chunk: Buffer) => (ran.out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (ran.err += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => resolve({ ...ran, code }))
    child.stdin.end()
  })
}

async function mustRun(command: string, args: readonly string[], cwd = project): Promise<string> {
  const { code, out, err } = await run(command, args, cwd)
  check(code === 0, `${command} ${args.join(' ')}: exit ${code}\n${out}\n${err}`)
  return out
}

function check(good: boolean, otherwise: string): asserts good {
  if (!good) throw new Error(otherwise)
}

interface Packed {
  name: string
  filename: string
  files: { path: string }[]
}

let packed: Packed[] = []

async function pack(): Promise<void> {
  await mustRun('npm', ['run', 'build'], root)
  const args = ['pack', '--json', '--pack-destination', folder, '-w', 'siltstone', '-w', '@siltstone/embedder-english']
  packed = Object.values(JSON.parse(await mustRun('npm', args, root)) as Record<string, Packed>)
  check(packed.length === 2, `npm pack made ${packed.length} packages`)
}

function contents(): void {
  for (const { name, files } of packed) {
    const paths = files.map((file) => file.path)
    for (const needed of ['LICENSE', 'README.md', 'package.json'])
      check(paths.includes(needed), `${name} comes without ${needed}`)
    const unwanted = paths.filter((one) =>
      /\.(test|contract|child|fuzz)\.|(^|\/)testing\/|^src\/|checks\.json/.test(one),
    )
    check(unwanted.length === 0, `${name} holds ${unwanted.join(', ')}`)
  }
}

function machinePaths(): void {
  const installed = packed.map(({ name }) => join(project, 'node_modules', name))
  const places = [root, folder, homedir()].filter((place) => place.length > 1)
  for (const directory of installed) {
    for (const file of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (!file.isFile() || !/\.(js|ts|map|json|md)$/.test(file.name)) continue
      const text = readFileSync(join(file.parentPath, file.name), 'utf8')
      const found = places.find((place) => new RegExp(`${place.replaceAll(/[.\\]/g, '\\$&')}[/"]`).test(text))
      check(found === undefined, `${file.parentPath}/${file.name} names ${found}`)
    }
  }
}

/** The versions that the repository itself is built and tested with. */
function pinned(name: string): string {
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
    version: string
  }
  return version
}

async function install(): Promise<void> {
  mkdirSync(project)
  const tarballs = Object.fromEntries(packed.map(({ name, filename }) => [name, `file:${join(folder, filename)}`]))
  const others = ['chromadb', 'typescript', '@types/node'].map((name) => [name, pinned(name)])
  const manifest = {
    name: 'consumer',
    private: true,
    type: 'module',
    dependencies: { ...tarballs, ...Object.fromEntries(others) },
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest))
  await mustRun('npm', ['install', '--no-audit', '--prefer-offline'])
  cpSync(join(here, 'consumer'), project, { recursive: true })
}

/** The declarations of `chromadb` name a package that it does not depend on, so they are not checked; ours are. */
async function types(): Promise<void> {
  for (const config of ['tsconfig.json', 'tsconfig.client.json'])
    await mustRun(process.execPath, ['node_modules/typescript/bin/tsc', '-p', config])
}

async function library(): Promise<void> {
  const out = await mustRun(process.execPath, ['library.ts', join(folder, 'library')])
  check(out.trim() === 'done', out)
}

async function commandLine(): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(root, 'packages/siltstone/package.json'), 'utf8')) as {
    version: string
  }
  const help = await mustRun('npx', ['--no-install', 'siltstone', '--help'])
  check(help.includes('serve') && help.includes('ingest'), help)
  check((await mustRun('npx', ['--no-install', 'siltstone', '--version'])).trim() === version, 'another version')
  const data = join(folder, 'command-line')
  const line = '{"id":"a","document":"Silt settles where water slows down."}\n'
  writeFileSync(join(folder, 'records.jsonl'), line)
  const common = ['--data', data, '--json']
  await mustRun('npx', ['siltstone', 'produce', 'notes', join(folder, 'records.jsonl'), '--create', ...common])
  await mustRun('npx', ['siltstone', 'compact', ...common])
  const found = await mustRun('npx', ['siltstone', 'query', 'notes', '--text', 'why do rivers drop mud?', ...common])
  check(found.includes('"a"'), found)
  await mustRun('npx', ['siltstone', 'verify', ...common])
}

async function server(): Promise<void> {
  const bin = join(project, 'node_modules/.bin/siltstone')
  const child = begin(bin, ['serve', '--port', '0', '--data', join(folder, 'served'), '--json'], project)
  try {
    let log = ''
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
    const exited = new Promise<number | null>((resolve) => child.on('close', resolve))
    let said = ''
    for await (const chunk of child.stdout) {
      said += String(chunk)
      if (said.includes('}')) break
    }
    check(said.includes('"url"'), `the server did not start: ${said}${log}`)
    const { url } = JSON.parse(said) as { url: string }
    check((await mustRun(process.execPath, ['client.ts', url])).trim() === 'done', 'the client did not end')
    child.kill('SIGTERM')
    check((await exited) === 0, `the server ended badly: ${log}`)
    check(!/"level":[56]0/.test(log), log)
  } finally {
    child.kill('SIGKILL')
  }
}

/** What users install has no known hole of some weight; silence of the registry is said, not hidden. */
async function audit(): Promise<void> {
  const { out, err } = await run('npm', ['audit', '--omit=dev', '--json'], root)
  let report: { metadata?: { vulnerabilities?: Record<string, number> } }
  try {
    report = JSON.parse(out) as typeof report
  } catch {
    report = {}
  }
  const found = report.metadata?.vulnerabilities
  if (found === undefined) {
    console.log(`audit not answered (${err.split('\n').find((line) => line.includes('audit')) ?? 'no reason given'})`)
    return
  }
  check((found['high'] ?? 0) + (found['critical'] ?? 0) === 0, out)
}

const steps: [string, () => void | Promise<void>][] = [
  ['builds and packs', pack],
  ['holds what it should', contents],
  ['installs into a fresh project', install],
  ['names no place of this machine', machinePaths],
  ['type-checks, declarations included', types],
  ['works as a library', library],
  ['works as a command', commandLine],
  ['serves the chromadb client', server],
  ['has no known hole', audit],
]
let passed = 0
let failed = 0
for (const [name, step] of steps) {
  const startedMs = performance.now()
  try {
    await step()
    passed++
    console.log(`ok     ${name} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`)
  } catch (error) {
    failed++
    console.log(`FAILED ${name}\n${error instanceof Error ? error.message : String(error)}`)
  }
}
rmSync(folder, { recursive: true, force: true })
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
