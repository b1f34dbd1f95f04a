/** The logger port over pino: one JSON object a line, `msg` is the event. */
import { type DestinationStream, destination, type LevelWithSilent, pino, stdSerializers } from 'pino'
import type { Logger } from '../ports/telemetry.ts'

export interface LoggerOptions {
  /** Default info. */
  level?: LevelWithSilent
  /** Default: the process's error stream, written before the call returns, so that a crash loses no line. */
  stream?: DestinationStream
}

const STDERR = 2

export function pinoLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', stream = destination({ dest: STDERR, sync: true }) } = options
  const serializers = { error: stdSerializers.errWithCause, cause: stdSerializers.errWithCause }
  const log = pino({ level, base: { name: 'siltstone' }, serializers }, stream)
  return {
    debug: (event, fields = {}) => log.debug(fields, event),
    info: (event, fields = {}) => log.info(fields, event),
    warn: (event, fields = {}) => log.warn(fields, event),
    error: (event, fields = {}) => log.error(fields, event),
  }
}
