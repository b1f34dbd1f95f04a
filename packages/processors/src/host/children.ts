/**
 * Programs that a processor starts. A process that is killed leaves them running, so a caller that may kill it is told of them.
 */
import { spawn } from 'node:child_process'

export interface ChildWatcher {
  started(pid: number): void
  ended(pid: number): void
}

let watcher: ChildWatcher | undefined

/** Reports every program that this process starts from now on. */
export function watchChildren(to: ChildWatcher): void {
  watcher = to
}

/** Ends a child process; one that has ended already is no error. */
export function killChild(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

export interface ChildResult {
  code: number | null
  /** The last 64 KiB of what it wrote to its standard error. */
  errors: string
}

const KEPT_CHARACTERS = 64 * 1024

/**
 * Runs a program and hands its output over, piece by piece; the program waits while a piece is taken.
 * @throws the reason of `signal`; the error of `take`; Error if the program cannot be started
 */
export async function runChild(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  take: (bytes: Uint8Array) => Promise<void> | void,
): Promise<ChildResult> {
  signal.throwIfAborted()
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const { pid } = child
  if (pid !== undefined) watcher?.started(pid)
  const stop = () => child.kill('SIGKILL')
  signal.addEventListener('abort', stop)
  let errors = ''
  child.stderr.on('data', (bytes: Buffer) => {
    errors = (errors + bytes.toString('latin1')).slice(-KEPT_CHARACTERS)
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  ended.catch(() => undefined)
  try {
    for await (const bytes of child.stdout) await take(bytes as Uint8Array)
    const code = await ended
    signal.throwIfAborted()
    return { code, errors }
  } finally {
    stop()
    signal.removeEventListener('abort', stop)
    if (pid !== undefined) watcher?.ended(pid)
  }
}
