/** Writes RESULTS.md and the plots from bench/results/*.json alone, so that every figure was measured. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { footer, markdown, type Result } from '../measure/report.ts'
import { BENCH, RESULTS } from '../places.ts'
import { scenarios } from '../scenarios/index.ts'
import { goalsTable } from './goals.ts'
import { plotsOf } from './plots.ts'

const PREFACE = `# Results

\`npm run bench -- report\` writes this page from the JSON files in [results/](results/). The footer of each table gives the
command, date, commit and machine, and the load during the measurement. Times on a shared machine differ by a third from
run to run, so compare only figures of one table, whose candidates took turns within one run. Where other programs used most
of both processors, every p50 includes waiting for a processor; \`its CPU ms\` (processor time of the answering process, all its
threads, per query) is then the more stable measure. Recall@10 is the share of the exact ten nearest neighbours found. The
queries are short texts that are not among the records, unless the records were generated.
`

export function writeReport(): void {
  const results = readResults()
  const plots = plotsOf(results)
  const directory = join(BENCH, 'plots')
  mkdirSync(directory, { recursive: true })
  for (const { name, svg } of plots) writeFileSync(join(directory, `${name}.svg`), svg)
  const text = [
    PREFACE,
    `## Goals\n\n${goalsTable(results)}`,
    ...plots.map(({ name, title }) => `![${title}](plots/${name}.svg)\n`),
    ...Object.entries(scenarios).flatMap(([name, { about }]) => {
      const here = results.filter(({ scenario }) => scenario === name)
      return here.length === 0 ? [] : [`## ${name}\n\n${sentence(about)}\n`, ...here.map(section)]
    }),
  ]
  writeFileSync(join(BENCH, 'RESULTS.md'), text.join('\n'))
  console.log(`${results.length} results, ${plots.length} plots`)
}

function readResults(): Result[] {
  if (!existsSync(RESULTS)) return []
  return readdirSync(RESULTS)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(join(RESULTS, file), 'utf8')) as Result)
    .sort((a, b) => a.records - b.records || (a.label ?? '').localeCompare(b.label ?? ''))
}

function section(result: Result): string {
  const label = result.label === undefined ? '' : ` (${result.label})`
  const title = `### ${result.scenario}, ${result.records.toLocaleString('en')} records${label}`
  const tables = result.tables.map(({ title: about, rows }) => `${sentence(about)}\n\n${markdown(rows)}`)
  return `${title}\n\n${tables.join('\n')}\n${footer(result)}\n`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`
}
