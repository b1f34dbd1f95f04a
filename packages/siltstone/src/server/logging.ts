/**
 * The logger port as JSON lines in pino's format, which log collectors know: numeric levels, `time` in milliseconds since
 * 1970, `msg` is the event. The format is made by pino's own serializers; pino itself is not needed to write a line.
 */
import serializers from 'pino-std-serializers'
import { configure } from 'safe-stable-stringify'
import { writeErrorNow } from '../host/process.ts'
import { systemClock } from '../host/system-clock.ts'
import type { LogFields, Logger } from '../ports/telemetry.ts'

const LEVELS = { debug: 20, info: 30, warn: 40, error: 50, silent: Number.POSITIVE_INFINITY } as const

export interface LoggerOptions {
  /** Default info. */
  level?: keyof typeof LEVELS
  /** Default: the process's error stream, written before the call returns, so that a crash loses no line. */
  stream?: { write(line: string): void }
}

/** For values that JSON does not have: big integers become numbers, circles are cut. The bounds are pino's. */
const stringifyAny = configure({ circularValue: '[Circular]', maximumDepth: 5, maximumBreadth: 100 })

export function jsonLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', stream = { write: writeErrorNow } } = options
  const at =
    (name: keyof Logger) =>
    (event: string, fields: LogFields = {}) => {
      if (LEVELS[name] < LEVELS[level]) return
      const head = `{"level":${LEVELS[name]},"time":${systemClock.nowMs()},"name":"siltstone"`
      stream.write(`${head}${fieldsText(fields)},"msg":${JSON.stringify(event)}}\n`)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function fieldsText(fields: LogFields): string {
  let text = ''
  for (const [name, given] of Object.entries(fields)) {
    const value = name === 'error' || name === 'cause' ? serializers.errWithCause(given as Error) : given
    const json = jsonText(value)
    if (json !== undefined) text += `,${JSON.stringify(name)}:${json}`
  }
  return text
}

/** Undefined for a value that JSON leaves out. */
function jsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value) as string | undefined
  } catch {
    return stringifyAny(value)
  }
}
