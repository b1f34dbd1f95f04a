/** Ratings for people and for the REST contract. */
import { DEVICES, type Measurement, METRICS } from './measurement.ts'
import type { Rating } from './rating.ts'

/** One line per number, and one per reason under it. */
export function explain(rating: Rating): string {
  const lines: string[] = []
  const add = (name: string, { value, status, reasons }: Measurement) => {
    lines.push(`${name} ${value.toFixed(2)} (${status.replace('_', ' ')})`)
    for (const { text, source, points } of reasons) {
      lines.push(`  ${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(3)} ${text} [${source}]`)
    }
  }
  add('net_score', rating.netScore)
  for (const name of METRICS) add(name, rating.metrics[name])
  return lines.join('\n')
}

/** The contract's `ModelRating`: 26 properties, latencies in seconds. */
export function toModelRating(rating: Rating, name: string, category: string): Record<string, unknown> {
  const seconds = (ms: number) => Math.round(ms) / 1_000
  const body: Record<string, unknown> = {
    name,
    category,
    net_score: rating.netScore.value,
    net_score_latency: seconds(rating.latencyMs.net_score),
  }
  for (const metric of METRICS) {
    const { value, devices } = rating.metrics[metric]
    body[metric] =
      metric === 'size_score' ? Object.fromEntries(DEVICES.map((device) => [device, devices?.[device] ?? 0])) : value
    body[`${metric}_latency`] = seconds(rating.latencyMs[metric])
  }
  return body
}
