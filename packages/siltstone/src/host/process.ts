/** This process: its arguments, environment, streams, signals and end. */
import { createInterface } from 'node:readline'

export function environmentVariables(): Readonly<Record<string, string | undefined>> {
  return process.env
}

/** Without the program itself. */
export function commandLineArguments(): string[] {
  return process.argv.slice(2)
}

export function processId(): number {
  return process.pid
}

/** Resolves when the text was accepted, so that a slow reader of a pipe slows this process down. */
export function writeOut(text: string | Uint8Array): Promise<void> {
  return write(process.stdout, text)
}

export function writeError(text: string): Promise<void> {
  return write(process.stderr, text)
}

/** Writes before the call returns, where the system allows it. */
export function writeErrorNow(text: string): void {
  process.stderr.write(text)
}

function write(stream: NodeJS.WriteStream, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      // The reader of the pipe has ended (`… | head`).
      if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') reject(error)
      else resolve()
    })
  })
}

/** Terminals that were given no size, as those of some multiplexers and containers, say 0. */
const widthOf = ({ columns }: { columns?: number }): number => columns || 80

/** Whether stdout is a terminal, and its width. */
export function outTerminal(): { columns: number } | undefined {
  return process.stdout.isTTY ? { columns: widthOf(process.stdout) } : undefined
}

export function errorTerminal(): { columns: number } | undefined {
  return process.stderr.isTTY ? { columns: widthOf(process.stderr) } : undefined
}

/** Asks who sits at the terminal. @returns the line; undefined where no terminal is, or after Ctrl-C or Ctrl-D */
export async function askTerminal(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await new Promise((resolve) => {
      lines.once('close', () => resolve(undefined))
      lines.once('SIGINT', () => lines.close())
      lines.question(question, resolve)
    })
  } finally {
    lines.close()
  }
}

/** A reader that closes the pipe early ends this process silently, as with other tools. */
export function endWhenOutputCloses(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      process.exit(0)
    })
}

/** The exit code of the process when it ends by itself. */
export function setExitCode(code: number): void {
  process.exitCode = code
}

/** Ends the process at once. */
export function exitNow(code: number): never {
  process.exit(code)
}

/**
 * Calls `run` at the first SIGTERM or SIGINT; the second one ends the process, as without a listener.
 * @returns a function that stops listening
 */
export function onStopSignal(run: (signal: 'SIGTERM' | 'SIGINT') => void): () => void {
  const names = ['SIGTERM', 'SIGINT'] as const
  const listeners = names.map((name) => () => {
    stop()
    run(name)
  })
  const stop = () => names.forEach((name, i) => process.off(name, listeners[i] as () => void))
  names.forEach((name, i) => process.on(name, listeners[i] as () => void))
  return stop
}

/**
 * Calls `run` at each SIGHUP, which would else end the process.
 * @returns a function that stops listening
 */
export function onReloadSignal(run: () => void): () => void {
  process.on('SIGHUP', run)
  return () => void process.off('SIGHUP', run)
}
