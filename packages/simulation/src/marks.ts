/** Counts how often each path was taken. A batch in which a rare path was never taken proves nothing about it. */
import type { Metrics } from 'siltstone/internal'

export class Marks {
  readonly counts = new Map<string, number>()

  hit(name: string, amount = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + amount)
  }

  add(other: Marks): void {
    for (const [name, count] of other.counts) this.hit(name, count)
  }

  /** Turns the engine's own counters into marks. */
  get metrics(): Metrics {
    return {
      count: (name, amount = 1) => this.hit(`engine: ${name}`, amount),
      gauge: () => {},
      observe: () => {},
    }
  }
}
