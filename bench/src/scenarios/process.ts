/** Files into records, in processes as the object service runs them: the first file of a new process, and the following ones. */
import { accessBytes, collectRecords, isolatedProcessors } from '@siltstone/processors'
import { pageOfText, writePdf } from '@siltstone/processors/testing'
import type { Row } from '../measure/report.ts'
import { median, percentile } from '../measure/statistics.ts'
import type { Scenario } from './scenario.ts'

const RUNS = 30
const LINES = 46

const sentence = (k: number) =>
  `Line ${k} tells how rivers carry sand and clay down to the sea, where both of them settle`
const pdf = (pages: number) =>
  writePdf(
    Array.from({ length: pages }, (_, page) =>
      pageOfText([
        `# Chapter ${page + 1} of rivers`,
        ...Array.from({ length: LINES }, (_, k) => sentence(page * LINES + k)),
      ]),
    ),
  )
const text = (lines: number) => Array.from({ length: lines }, (_, k) => (k % 8 === 7 ? '' : sentence(k))).join('\n')
const page = (lines: number) =>
  `<!doctype html><title>Rivers</title><nav>Home</nav><main><h1>Rivers</h1>${Array.from({ length: lines }, (_, k) => `<p>${sentence(k)}. ${sentence(k)}.</p>`).join('')}</main>`
const bytes = (content: string) => new TextEncoder().encode(content)

export const processFiles: Scenario = {
  about:
    'files into records without vectors, one after the other, in processes: the first of a new process, and the following ones',
  records: [0],
  run: async (_options, report) => {
    const files: [string, Uint8Array][] = [
      ['PDF, 10 pages', pdf(10)],
      ['PDF, 100 pages', pdf(100)],
      ['web page, 1,000 paragraphs', bytes(page(1_000))],
      ['text, 1 MB', bytes(text(12_000))],
    ]
    const rows: Row[] = []
    for (const [name, file] of files) {
      report.note(name)
      rows.push(await measure(name, file))
    }
    report.table(`Files into records, ${RUNS} runs of each`, rows)
  },
}

async function measure(name: string, file: Uint8Array): Promise<Row> {
  await using processes = await isolatedProcessors()
  const source = accessBytes(file)
  let records = 0
  const run = async () => {
    const startedMs = performance.now()
    records = (await collectRecords(processes.processors, source)).records.length
    return performance.now() - startedMs
  }
  const firstMs = await run()
  const times: number[] = []
  for (let k = 0; k < RUNS; k++) times.push(await run())
  const sorted = times.toSorted((a, b) => a - b)
  return {
    file: name,
    kB: Math.round(file.length / 1_000),
    records,
    'first ms': firstMs,
    'p50 ms': median(times),
    'p99 ms': percentile(sorted, 0.99),
  }
}
