/** Prints figures as Markdown, and writes them as JSON into bench/results, from which RESULTS.md and the plots are made. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, isAbsolute, join } from 'node:path'
import { RESULTS } from '../places.ts'
import { type Conditions, conditions, load, processorSeconds } from './machine.ts'

export type Cell = string | number
export type Row = Record<string, Cell>

export interface Table {
  title: string
  rows: Row[]
}

export interface Result extends Conditions {
  scenario: string
  records: number
  /** Label of a run with special settings, which does not replace the usual result. */
  label?: string
  command: string
  at: string
  seconds: number
  loadAfter: number
  /** Shares of all processors during the run, 0 to 1: used by this run with its servers, and by other programs. */
  ownShare: number
  otherShare: number
  tables: Table[]
}

export class Report {
  readonly scenario: string
  readonly records: number
  readonly #label: string | undefined
  readonly #tables: Table[] = []
  readonly #startedMs = performance.now()
  readonly #conditions = conditions()
  readonly #before = processorSeconds()

  constructor(scenario: string, records: number, label?: string) {
    this.scenario = scenario
    this.records = records
    this.#label = label
  }

  table(title: string, rows: Row[]): void {
    this.#tables.push({ title, rows })
    console.log(`\n### ${title}\n\n${markdown(rows)}`)
  }

  /** Prints progress. */
  note = (text: string): void => {
    console.error(`[${((performance.now() - this.#startedMs) / 1000).toFixed(1)} s] ${text}`)
  }

  close(): Result {
    const seconds = (performance.now() - this.#startedMs) / 1000
    const now = processorSeconds()
    const own = now.own - this.#before.own
    const available = this.#conditions.threads * seconds
    const result: Result = {
      scenario: this.scenario,
      records: this.records,
      ...(this.#label !== undefined && { label: this.#label }),
      command: `npm run bench -- ${process.argv.slice(2).map(withoutPlace).join(' ')}`,
      at: new Date().toISOString(),
      ...this.#conditions,
      seconds,
      loadAfter: load(),
      ownShare: Math.min(1, own / available),
      otherShare: Math.max(0, (now.busy - this.#before.busy - own) / available),
      tables: this.#tables,
    }
    mkdirSync(RESULTS, { recursive: true })
    const name = [this.scenario, this.records, this.#label].filter((part) => part !== undefined).join('-')
    writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(result, null, 1)}\n`)
    console.log(`\n${footer(result)}`)
    return result
  }
}

/** Paths of this machine do not belong into results. */
function withoutPlace(argument: string): string {
  return isAbsolute(argument) ? basename(argument) : argument
}

/** Command, date, commit, machine and load. */
export function footer(result: Result): string {
  const { command, at, seconds, cpu, threads, memoryGb, node, commit, dirty, loadBefore, loadAfter } = result
  const share = (x: number) => `${Math.round(100 * x)} %`
  return (
    `\`${command}\`, ${at.slice(0, 16).replace('T', ' ')} UTC, commit ${commit}${dirty ? ' and uncommitted changes' : ''}, ` +
    `${cpu} with ${threads} threads and ${memoryGb} GB, Node ${node}; ${Math.round(seconds)} s, load ${loadBefore.toFixed(1)} before and ` +
    `${loadAfter.toFixed(1)} after; processors: this run ${share(result.ownShare)}, other programs ${share(result.otherShare)}`
  )
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

function shown(cell: Cell | undefined | null): string {
  if (cell === undefined || cell === null) return ''
  return typeof cell === 'number' ? number(cell) : cell
}

/** Three or four significant digits, the precision of a measurement. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 1_000) return Math.round(value).toLocaleString('en')
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0)
  return size < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(3)))
}

export function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10
}
