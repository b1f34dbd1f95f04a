/** How many requests were answered lately, by minute, for the health report. Kept in memory for a day. */
import type { Clock } from 'siltstone/internal'

interface Minute {
  total: number
  failed: number
  routes: Map<string, number>
  clients: Set<string>
}

const KEPT_MINUTES = 1_440
const MAX_CLIENTS = 1_000
const MINUTE_MS = 60_000

export interface TrafficSummary {
  total: number
  failed: number
  perRoute: Record<string, number>
  clients: number
  /** Oldest first; minutes without requests are left out. */
  timeline: { atMs: number; total: number }[]
}

export class Traffic {
  readonly #clock: Clock
  readonly #minutes = new Map<number, Minute>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  count(route: string, status: number, client: string): void {
    const minute = Math.floor(this.#clock.nowMs() / MINUTE_MS)
    const now = this.#minutes.get(minute) ?? { total: 0, failed: 0, routes: new Map(), clients: new Set() }
    this.#minutes.set(minute, now)
    now.total++
    if (status >= 500) now.failed++
    now.routes.set(route, (now.routes.get(route) ?? 0) + 1)
    if (now.clients.size < MAX_CLIENTS) now.clients.add(client)
    for (const oldest of this.#minutes.keys()) if (oldest <= minute - KEPT_MINUTES) this.#minutes.delete(oldest)
  }

  of(windowMinutes: number): TrafficSummary {
    const from = Math.floor(this.#clock.nowMs() / MINUTE_MS) - windowMinutes
    const clients = new Set<string>()
    const summary: TrafficSummary = { total: 0, failed: 0, perRoute: {}, clients: 0, timeline: [] }
    for (const [minute, { total, failed, routes, clients: seen }] of this.#minutes) {
      if (minute <= from) continue
      summary.total += total
      summary.failed += failed
      for (const [route, count] of routes) summary.perRoute[route] = (summary.perRoute[route] ?? 0) + count
      for (const client of seen) clients.add(client)
      summary.timeline.push({ atMs: minute * MINUTE_MS, total })
    }
    return { ...summary, clients: clients.size }
  }
}
