/** The runtimes that the library is tested on. Each is an npm package with the program, for one kind of machine. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { check, install, mustRun } from './project.ts'

export interface Runtime {
  name: string
  /** The command that runs a TypeScript module, without its path. */
  command: readonly [string, ...string[]]
}

const { platform, arch } = process
const NODE_22 = `node-${platform}-${arch}`
const BUN = `@oven/bun-${platform}-${arch === 'arm64' ? 'aarch64' : arch}`
const DENO = `@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`

/** The oldest supported Node, and current versions of Bun and Deno; Node 18 must be refused with one sentence. */
const NODE_18 = `${NODE_22}-18`
const VERSIONS = {
  [NODE_22]: '22.16.0',
  [NODE_18]: `npm:${NODE_22}@18.20.8`,
  [BUN]: '1.4.5',
  [DENO]: '2.9.6',
}

/** @throws Error if a runtime cannot be installed or does not start */
export async function installRuntimes(): Promise<{ runtimes: Runtime[]; oldNode: string }> {
  const modules = join(await install('runtimes', VERSIONS), 'node_modules')
  const program = (...parts: string[]) => {
    const path = join(modules, ...parts)
    check(existsSync(path), `${path} is not there: this machine's ${platform}-${arch} has no such package`)
    return path
  }
  const stripTypes = ['--experimental-strip-types', '--disable-warning=ExperimentalWarning']
  const runtimes: Runtime[] = [
    { name: 'Node 24', command: [process.execPath] },
    { name: 'Node 22', command: [program(NODE_22, 'bin/node'), ...stripTypes] },
    { name: 'Bun', command: [program(BUN, 'bin/bun')] },
    { name: 'Deno', command: [program(DENO, 'deno'), 'run', '--allow-all'] },
  ]
  for (const { command } of runtimes) await mustRun(command[0], ['--version'], modules)
  return { runtimes, oldNode: program(NODE_18, 'bin/node') }
}
