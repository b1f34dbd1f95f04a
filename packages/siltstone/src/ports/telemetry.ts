/** Structured logs and metrics. The server implements them with pino and OpenMetrics. */
export type LogFields = Readonly<Record<string, unknown>>

export interface Logger {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

export interface Metrics {
  /** Adds to a counter. */
  count(name: string, amount?: number, labels?: Readonly<Record<string, string>>): void
  /** Sets a gauge. */
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void
  /** Adds an observation to a histogram; durations in milliseconds. */
  observe(name: string, value: number, labels?: Readonly<Record<string, string>>): void
}

const nothing = () => {}
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
export const noMetrics: Metrics = { count: nothing, gauge: nothing, observe: nothing }
