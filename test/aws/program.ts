/** The product as users start it: the command line in a separate process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const PROGRAM = join(import.meta.dirname, '../../packages/siltstone/src/cli/main.ts')

type Variables = Record<string, string | undefined>

/** Runs one command to its end. @throws Error when it fails */
export async function runCommand(args: readonly string[], env: Variables): Promise<string> {
  const { code, out, err } = await tryCommand(args, env)
  if (code !== 0) throw new Error(`siltstone ${args.join(' ')}: exit ${code}\n${out}\n${err}`)
  return out
}

export async function tryCommand(
  args: readonly string[],
  env: Variables,
): Promise<{ code: number | null; out: string; err: string }> {
  const child = begin(args, env)
  const said = { out: '', err: '' }
  child.stdout?.on('data', (chunk: Buffer) => (said.out += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (said.err += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...said }
}

export interface Server {
  url: string
  /** Of the S3 face, if it was asked for. */
  objectsUrl: string | undefined
  /** Ends it like a power failure. */
  kill(): Promise<void>
  /** Ends it as an operator would. */
  stop(): Promise<number | null>
}

/** @throws Error with its output if it ends instead of serving */
export async function startServer(place: string, env: Variables, more: readonly string[] = []): Promise<Server> {
  const child = begin(['serve', '--data', place, '--port', '0', '--json', '--log-level', 'warn', ...more], env)
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const answered = new Promise<Answer>((resolve) => {
    let out = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      const answer = answerIn(out)
      if (answer !== undefined) resolve(answer)
    })
  })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the server exited with code ${String(code)}: ${said}`)
  })
  ended.catch(() => undefined)
  const { url, objects } = await Promise.race([answered, ended])
  const end = async (signal: NodeJS.Signals) => {
    const exited = once(child, 'exit')
    child.kill(signal)
    const [code] = (await exited) as [number | null]
    return code
  }
  return {
    url,
    objectsUrl: objects?.url,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  }
}

interface Answer {
  url: string
  objects?: { url: string }
}

/** Undefined while it is not complete. */
function answerIn(out: string): Answer | undefined {
  try {
    return JSON.parse(out) as Answer
  } catch {
    return undefined
  }
}

function begin(args: readonly string[], env: Variables): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env })
}
