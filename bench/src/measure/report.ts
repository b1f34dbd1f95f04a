/** Figures as Markdown for people, and as JSON lines in bench/.data/results.jsonl for later comparisons. */
import { appendFileSync, mkdirSync } from 'node:fs'
import { SCRATCH } from '../places.ts'
import { conditions, machineTimes } from './machine.ts'

export type Cell = string | number
export type Row = Record<string, Cell>

export class Report {
  readonly #scenario: string
  readonly #tables: { title: string; rows: Row[] }[] = []
  readonly #startedMs = performance.now()
  readonly #conditions = conditions()
  readonly #before = machineTimes()
  readonly #quiet: boolean

  constructor(scenario: string, options: { quiet?: boolean } = {}) {
    this.#scenario = scenario
    this.#quiet = options.quiet ?? false
  }

  table(title: string, rows: Row[]): void {
    this.#tables.push({ title, rows })
    if (!this.#quiet) console.log(`\n### ${title}\n\n${markdown(rows)}`)
  }

  /** For progress: what is being done. */
  note(text: string): void {
    if (!this.#quiet) console.error(`[${((performance.now() - this.#startedMs) / 1000).toFixed(1)} s] ${text}`)
  }

  close(): void {
    const after = machineTimes()
    const wallSeconds = (performance.now() - this.#startedMs) / 1000
    const busy = after.busySeconds - this.#before.busySeconds
    const used = process.cpuUsage()
    const line = {
      scenario: this.#scenario,
      at: new Date().toISOString(),
      arguments: process.argv.slice(2),
      ...this.#conditions,
      wallSeconds,
      machineBusySeconds: busy,
      ownCpuSeconds: (used.user + used.system) / 1e6,
      tables: this.#tables,
    }
    mkdirSync(SCRATCH, { recursive: true })
    appendFileSync(`${SCRATCH}/results.jsonl`, `${JSON.stringify(line)}\n`)
    if (this.#quiet) return
    const { cpu, threads, node, loadBefore } = this.#conditions
    console.log(
      `\n${this.#scenario}: ${wallSeconds.toFixed(0)} s on ${cpu} (${threads} threads), Node ${node}, load before ${loadBefore.toFixed(2)}, ` +
        `processors busy ${((100 * busy) / (threads * wallSeconds)).toFixed(0)} %`,
    )
  }
}

export function markdown(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(names),
    line(names.map(() => '---')),
    ...rows.map((row) => line(names.map((name) => shown(row[name])))),
    '',
  ].join('\n')
}

function shown(cell: Cell | undefined): string {
  if (cell === undefined) return ''
  return typeof cell === 'number' ? number(cell) : cell
}

/** Three or four significant digits are all that a measurement has. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 1_000) return Math.round(value).toLocaleString('en')
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0)
  return size >= 10 ? value.toFixed(1) : value.toFixed(size >= 1 ? 2 : 4)
}

export function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10
}
