/** A measured server in its own process on 127.0.0.1. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { processUsage, type ProcessUsage } from '../measure/process-usage.ts'
import { CHROMA, SCRATCH, SILTSTONE_MAIN } from '../places.ts'
import { freePort } from './free-port.ts'
import { HttpClient } from './http-client.ts'

const START_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 60_000

export interface Server {
  name: string
  url: string
  client: HttpClient
  /** Directory of its data; undefined for a server that runs elsewhere. */
  directory: string | undefined
  /** Undefined for a server that runs elsewhere. */
  usage(): ProcessUsage | undefined
  /** Kills it like a crash, without waiting or flushing. */
  kill(): Promise<void>
  stop(): Promise<void>
}

export interface StartOptions {
  directory: string
  name?: string
  /** Further arguments to the program. */
  args?: readonly string[]
  nodeArgs?: readonly string[]
}

export async function startSiltstone({
  directory,
  name = 'siltstone',
  args = [],
  nodeArgs = [],
}: StartOptions): Promise<Server> {
  const port = await freePort()
  return start(name, directory, port, process.execPath, [
    ...nodeArgs,
    SILTSTONE_MAIN,
    'serve',
    '--data',
    directory,
    '--port',
    String(port),
    '--log-level',
    'warn',
    ...args,
  ])
}

/** @throws Error if bench/setup.sh was not run */
export async function startChroma({ directory, name = 'chroma' }: StartOptions): Promise<Server> {
  if (!existsSync(CHROMA)) throw new Error('Run bench/setup.sh first: it installs Chroma’s own server.')
  const port = await freePort()
  return start(name, directory, port, CHROMA, [
    'run',
    '--path',
    directory,
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
  ])
}

/** A server that was started elsewhere. */
export function elsewhere(url: string): Server {
  const client = new HttpClient(url)
  const stop = async () => client.close()
  return { name: url, url, client, directory: undefined, usage: () => undefined, kill: stop, stop }
}

async function start(
  name: string,
  directory: string,
  port: number,
  command: string,
  args: readonly string[],
): Promise<Server> {
  mkdirSync(directory, { recursive: true })
  mkdirSync(join(SCRATCH, 'logs'), { recursive: true })
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  // The server ends with this process, for any reason.
  process.once('exit', () => child.kill('SIGKILL'))
  const log = createWriteStream(join(SCRATCH, 'logs', `${name}.log`), { flags: 'a' })
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  const exited = once(child, 'exit').then(() => log.end())
  const url = `http://127.0.0.1:${port}`
  const client = new HttpClient(url)
  await untilUp(name, child, client)
  const end = async (signal: NodeJS.Signals) => {
    client.close()
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    const forced = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
    await exited
    clearTimeout(forced)
  }
  return {
    name,
    url,
    client,
    directory,
    usage: () => processUsage(child.pid as number),
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  }
}

async function untilUp(name: string, child: ChildProcess, client: HttpClient): Promise<void> {
  const startedMs = performance.now()
  while (!(await client.isUp())) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${name} ended before it answered; see bench/.data/logs/${name}.log`)
    if (performance.now() - startedMs > START_WITHIN_MS) {
      child.kill('SIGKILL')
      throw new Error(`${name} did not answer within ${START_WITHIN_MS / 1000} s; see bench/.data/logs/${name}.log`)
    }
    await sleep(50)
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Total size of the files below a directory. */
export function directoryBytes(directory: string): number {
  let total = 0
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    // A server may delete files during the walk.
    if (entry.isFile()) total += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0
  }
  return total
}
