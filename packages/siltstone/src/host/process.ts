/** This process: its arguments, environment, streams, signals and end. */

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

/** Resolves when the text has been taken over, so that a slow reader of a pipe slows us down. */
export function writeOut(text: string): Promise<void> {
  return write(process.stdout, text)
}

export function writeError(text: string): Promise<void> {
  return write(process.stderr, text)
}

/** Writes before the call returns, where the system allows it. */
export function writeErrorNow(text: string): void {
  process.stderr.write(text)
}

function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      // Who reads us has gone away (`… | head`): there is nobody to tell.
      if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') reject(error)
      else resolve()
    })
  })
}

/** Whether a person looks at stdout, and how wide. */
export function outTerminal(): { columns: number } | undefined {
  return process.stdout.isTTY ? { columns: process.stdout.columns } : undefined
}

export function errorTerminal(): { columns: number } | undefined {
  return process.stderr.isTTY ? { columns: process.stderr.columns } : undefined
}

/** A reader that goes away early ends the process in silence, as with any other tool. */
export function endWhenOutputCloses(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      process.exit(0)
    })
}

/** What the process answers when it ends by itself. */
export function setExitCode(code: number): void {
  process.exitCode = code
}

/** Ends the process at once. */
export function exitNow(code: number): never {
  process.exit(code)
}

/**
 * Calls `run` at the first SIGTERM or SIGINT; the second one ends the process as if nobody listened.
 * @returns stops listening
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
