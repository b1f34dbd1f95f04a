/** The report of a run. */
import type { Totals } from './batch.ts'
import type { Options } from './options.ts'
import { neverTaken } from './rare-paths.ts'

export interface Report {
  command: string
  histories: number
  violations: Totals['failures']
  /** Rare paths that a run of this length should have taken. */
  neverTaken: string[]
  elapsedMs: number
  workers: number
  historiesPerHour: number
  events: number
  simulatedMs: number
  marks: Record<string, number>
}

export function reportOf(totals: Totals, options: Options, elapsedMs: number): Report {
  const { seed, histories, lease, workers } = options
  const mode = lease === 'either' ? '' : lease === 'with' ? ' --lease' : ' --no-lease'
  return {
    command: `npm run simulate -- --seed ${seed} --histories ${histories}${mode}`,
    histories: totals.histories,
    violations: totals.failures,
    neverTaken: neverTaken(totals.marks, totals.histories, lease).map(({ what }) => what),
    elapsedMs: Math.round(elapsedMs),
    workers,
    historiesPerHour: Math.round((totals.histories / elapsedMs) * 3_600_000),
    events: totals.events,
    simulatedMs: totals.simulatedMs,
    marks: Object.fromEntries(Object.entries(totals.marks).sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}

export function isGood(report: Report): boolean {
  return report.violations.length === 0 && report.neverTaken.length === 0 && report.histories > 0
}

export function textOf(report: Report): string {
  const lines = [report.command, '']
  const width = Math.max(0, ...Object.values(report.marks).map((count) => String(count).length))
  for (const [name, count] of Object.entries(report.marks)) lines.push(`${String(count).padStart(width)}  ${name}`)
  lines.push('')
  for (const what of report.neverTaken)
    lines.push(`FAILURE: never taken in ${report.histories} histories: ${what}. The run proves nothing about it.`)
  for (const { seed, message } of report.violations.slice(0, 10))
    lines.push(`FAILURE: seed ${seed}: ${message.slice(0, 2_000)}`)
  if (report.violations.length > 10) lines.push(`FAILURE: … and ${report.violations.length - 10} more`)
  const seconds = report.elapsedMs / 1_000
  const days = report.simulatedMs / 86_400_000
  lines.push(
    `${report.histories} histories, ${report.violations.length} violations, ${report.events} events, ` +
      `${days.toFixed(1)} simulated days in ${seconds.toFixed(0)} s (${report.workers} workers, ` +
      `${report.historiesPerHour} histories an hour)`,
  )
  return lines.join('\n')
}

/** Prints everything that happens in one history. */
export function commandFor(seed: number, overrides: Options['overrides']): string {
  const sets = Object.entries(overrides).map(([name, value]) => ` --set ${name}=${value}`)
  return `npm run simulate -- --seed ${seed} --trace${sets.join('')}`
}
