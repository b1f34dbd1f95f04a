import type { LogFields, Logger, Metrics } from '../ports/telemetry.ts'

/** Records logs and metrics. */
export class Recorder implements Logger, Metrics {
  readonly events: { level: string; event: string; fields: LogFields }[] = []
  readonly counters = new Map<string, number>()
  readonly #note =
    (level: string) =>
    (event: string, fields: LogFields = {}) =>
      void this.events.push({ level, event, fields })
  readonly debug = this.#note('debug')
  readonly info = this.#note('info')
  readonly warn = this.#note('warn')
  readonly error = this.#note('error')

  count(name: string, amount = 1): void {
    this.counters.set(name, (this.counters.get(name) ?? 0) + amount)
  }

  gauge(name: string, value: number): void {
    this.counters.set(name, value)
  }

  observe(name: string): void {
    this.count(`${name}:observations`)
  }

  eventsNamed(event: string): LogFields[] {
    return this.events.filter((entry) => entry.event === event).map((entry) => entry.fields)
  }
}
