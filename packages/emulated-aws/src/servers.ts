/** The servers that emulate AWS: what to install, how to start them, and when they are ready. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

export const folder = join(import.meta.dirname, '../.venv')
/** Both servers accept these; MiniStack accepts no others. */
export const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' }

const READY_WITHIN_MS = 30_000

interface Definition {
  name: string
  packages: readonly string[]
  /** The program in the `bin/` of the Python environment. */
  program: string
  args(port: number): string[]
  variables(port: number): Record<string, string>
  readyPath: string
}

/** MiniStack refuses wrong signatures with AUTH. Two programs that share no code. */
export const definitions: readonly Definition[] = [
  {
    name: 'MiniStack 1.5.33',
    packages: ['ministack==1.5.33'],
    program: 'ministack',
    args: () => [],
    variables: (port) => ({ AUTH: 'true', GATEWAY_PORT: String(port), BIND_HOST: '127.0.0.1', ...CREDENTIALS }),
    readyPath: '/_ministack/ready',
  },
  {
    name: 'moto 5.2.5',
    packages: ['moto[s3,dynamodb]==5.2.5', 'flask==3.1.2', 'flask-cors==6.0.1'],
    program: 'moto_server',
    args: (port) => ['-H', '127.0.0.1', '-p', String(port)],
    variables: () => CREDENTIALS,
    readyPath: '/moto-api/',
  },
]

export interface RunningServer {
  name: string
  endpoint: string
  stop(): Promise<void>
}

const placeOf = ({ program }: Definition) => join(folder, program)

/** Installs into a separate Python environment, unless that was done before. @throws Error with the output of pip */
export async function install(definition: Definition): Promise<void> {
  const place = placeOf(definition)
  const stamp = definition.packages.join('\n')
  const stampFile = join(place, 'stamp')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  rmSync(place, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await run('python3', ['-m', 'venv', place])
  await run(join(place, 'bin/python'), [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    ...definition.packages,
  ])
  writeFileSync(stampFile, stamp)
}

/** @throws Error with the end of the server's log if it does not answer */
export async function start(definition: Definition): Promise<RunningServer> {
  const port = await freePort()
  const logFile = join(folder, `${definition.program}.log`)
  const log = openSync(logFile, 'w')
  const child = spawn(join(placeOf(definition), 'bin', definition.program), definition.args(port), {
    stdio: ['ignore', log, log],
    cwd: folder,
    env: { ...process.env, ...definition.variables(port) },
  })
  const endpoint = `http://127.0.0.1:${port}`
  try {
    await ready(child, endpoint + definition.readyPath)
  } catch (error) {
    await stop(child)
    throw new Error(
      `${definition.name} did not start: ${String(error)}\n${readFileSync(logFile, 'utf8').slice(-2_000)}`,
      {
        cause: error,
      },
    )
  }
  return { name: definition.name, endpoint, stop: () => stop(child) }
}

async function ready(child: ChildProcess, url: string): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`)
    const status = await fetch(url).then(
      (answer) => answer.status,
      (error: unknown) => String(error),
    )
    if (status === 200) return
    if (performance.now() > deadline) throw new Error(`not ready after ${READY_WITHIN_MS} ms: ${status}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 3_000)
  await ended
  clearTimeout(timer)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${code}\n${Buffer.concat(said).toString()}`)
}
