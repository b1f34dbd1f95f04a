/** A process on a store, as the driver of a test sees it: started, asked, killed, stopped for a while. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../packages/siltstone/src/cli/main.ts', import.meta.url))

/** The process ended before it answered: its operation took effect or not. */
export class Gone extends Error {}
/** The process refused: nothing was done, unless the kind is `unknown`. */
export class Refused extends Error {
  readonly kind: string
  readonly code: string

  constructor(kind: string, code: string, message: string) {
    super(`${kind} ${code}: ${message}`)
    this.kind = kind
    this.code = code
  }
}

export type Variables = Readonly<Record<string, string | undefined>>

/** Root may write to read-only directories, which would hide that they are read-only. */
const canDrop = process.getuid?.() === 0 && spawnSync('setpriv', ['--version']).status === 0
const unprivileged = canDrop ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : []

/** Processes start twice as fast with a shared compile cache. */
const compileCache = mkdtempSync(join(tmpdir(), 'siltstone-test-cache-'))
process.on('exit', () => rmSync(compileCache, { recursive: true, force: true }))

const ENDED = 'ended by '
/** Used in the message of `Gone`. */
export const KILLED = `${ENDED}SIGKILL`

export interface ProcessOptions {
  /** A program, with its arguments, that starts Node. */
  before?: readonly string[]
  /** Variables of its environment besides PATH. */
  env?: Variables
}

/** A program of Node. */
export class Process {
  readonly child: ChildProcessWithoutNullStreams
  readonly exited: Promise<number | null>
  /** The end of its stderr, and the signal that ended it. */
  log = ''

  constructor(args: readonly string[], { before = [], env = {} }: ProcessOptions = {}) {
    const [program = '', ...rest] = [...before, ...unprivileged, process.execPath, ...args]
    this.child = spawn(program, rest, {
      env: { PATH: process.env['PATH'] ?? '', NODE_COMPILE_CACHE: compileCache, ...env },
    })
    this.child.stderr.on('data', (chunk: Buffer) => (this.log = (this.log + chunk.toString()).slice(-20_000)))
    // The pipe to a killed process breaks; only the exit of the process matters.
    this.child.stdin.on('error', () => {})
    this.exited = once(this.child, 'close').then(([code, signal]) => {
      if (signal !== null) this.log += `${ENDED}${String(signal)}`
      return code as number | null
    })
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }
}

/** A process of the command line. */
export function siltstone(args: readonly string[], env: Variables = {}): Process {
  return new Process([MAIN, ...args], { env })
}

export interface Ran {
  /** null: it was killed. */
  code: number | null
  out: string
  err: string
}

/** One run of the command line. */
export function command(
  args: readonly string[],
  { env = {}, input = '' }: { env?: Variables; input?: string } = {},
): { process: { kill(): Promise<void>; pid: number }; done: Promise<Ran> } {
  const process = siltstone(args, env)
  let out = ''
  process.child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  process.child.stdin.end(input)
  return { process, done: process.exited.then((code) => ({ code, out, err: process.log })) }
}
