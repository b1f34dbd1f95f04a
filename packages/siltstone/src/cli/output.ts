import { silentLogger, type Logger, type LogFields } from '../ports/telemetry.ts'
import { askTerminal, errorTerminal, writeError, writeOut } from '../host/process.ts'

/** Writes a command's answer to stdout, as text or as one JSON value (`--json`). Notes go to stderr. */
export class Output {
  readonly json: boolean
  readonly logger: Logger

  constructor(options: { json?: boolean; debug?: boolean }) {
    this.json = options.json === true
    this.logger = options.debug === true ? debugLogger() : silentLogger
  }

  /** Writes the command's answer. */
  async answer(value: unknown, text: () => string): Promise<void> {
    await writeOut(this.json ? `${toJson(value)}\n` : text())
  }

  /** Writes a note to stderr; not with `--json`. */
  async note(text: string): Promise<void> {
    if (!this.json) await writeError(`${text}\n`)
  }

  /** Shows progress in one line of the terminal that is overwritten; writes nothing elsewhere. */
  async progress(text: string): Promise<void> {
    const terminal = errorTerminal()
    if (this.json || !terminal) return
    await writeError(`\r\u001b[K${text.slice(0, Math.max(0, terminal.columns - 1))}`)
  }

  /** Asks at the terminal. @returns undefined where there is none, with `--json`, or without an answer */
  async ask(question: string): Promise<string | undefined> {
    return this.json ? undefined : askTerminal(question)
  }

  async endProgress(): Promise<void> {
    await this.progress('')
  }
}

export function toJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_, item: unknown) => {
      // All digits, even if the program that reads them uses 64-bit floats.
      if (typeof item === 'bigint') return rawJson(item.toString())
      return item instanceof Float32Array ? Array.from(item) : item
    },
    2,
  )
}

/** ES2026; the compiler's library does not have it yet. */
const rawJson = (text: string): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)

function debugLogger(): Logger {
  const at =
    (level: string) =>
    (event: string, fields: LogFields = {}) =>
      void writeError(`${level} ${event} ${JSON.stringify(fields)}\n`)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
