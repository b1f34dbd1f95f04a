/** A folder outside the repository with the packed packages, and the programs that run there. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const here = dirname(fileURLToPath(import.meta.url))
export const root = join(here, '../..')
export const folder = mkdtempSync(join(tmpdir(), 'siltstone-package-'))
/** npm and npx start `node` by name, which must be the Node that runs this. */
const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)

export interface Ran {
  code: number | null
  out: string
  err: string
}

export function begin(
  command: string,
  args: readonly string[],
  cwd: string,
  variables: Readonly<Record<string, string>> = {},
): ChildProcessWithoutNullStreams {
  const env = {
    ...process.env,
    ...variables,
    PATH: path,
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  }
  return spawn(command, args, { cwd, env })
}

export function run(command: string, args: readonly string[], cwd: string): Promise<Ran> {
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

/** @returns its output */
export async function mustRun(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, out, err } = await run(command, args, cwd)
  check(code === 0, `${command} ${args.join(' ')}: exit ${code}\n${out}\n${err}`)
  return out
}

export function check(good: boolean, otherwise: string): asserts good {
  if (!good) throw new Error(otherwise)
}

/** An npm project with these dependencies installed, without their install scripts. @returns its directory */
export async function install(name: string, dependencies: Readonly<Record<string, string>>): Promise<string> {
  const directory = join(folder, name)
  mkdirSync(directory)
  const manifest = { name: 'consumer', private: true, type: 'module', dependencies }
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
  await mustRun('npm', ['install', '--no-audit', '--prefer-offline', '--ignore-scripts'], directory)
  return directory
}

/** Size of an installation: folders with a `package.json`, and megabytes on disk. */
export function weigh(directory: string): { packages: number; megabytes: number } {
  const modules = join(directory, 'node_modules')
  let packages = 0
  let bytes = 0
  for (const file of readdirSync(modules, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue
    const inside = join(file.parentPath, file.name)
    // Blocks of 512 bytes, as du counts them.
    bytes += statSync(inside).blocks * 512
    if (/node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(inside.replaceAll('\\', '/'))) packages++
  }
  return { packages, megabytes: bytes / 1024 / 1024 }
}

/** The version that the repository itself is built and tested with. */
export function pinned(name: string): string {
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
    version: string
  }
  return version
}
