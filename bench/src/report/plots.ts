/** The plots: recall against latency at each size, and latency against the number of records. */
import type { Result, Row } from '../measure/report.ts'
import { chart, type Series } from './svg.ts'

export interface Plot {
  name: string
  title: string
  svg: string
}

const COLOURS: Record<string, string> = {
  siltstone: '#b4532a',
  'siltstone-full': '#e0913c',
  hnswlib: '#2b6ca3',
  usearch: '#3b8f5a',
  lancedb: '#7a4fa0',
}
const WANTED_RECALL = 0.95

export function plotsOf(results: readonly Result[]): Plot[] {
  const curves = results.filter(({ scenario, label }) => scenario === 'curve' && label === undefined)
  return [...curves.map(recallPlot), ...(curves.length > 1 ? [growthPlot(curves)] : [])]
}

function recallPlot(result: Result): Plot {
  const title = `Recall against latency, ${result.records.toLocaleString('en')} × 384, in process, one query at a time`
  const series = librariesOf(result).map(
    (name): Series => ({
      name,
      colour: COLOURS[name] ?? '#555555',
      points: settingsOf(result, name).map((row) => ({ x: number(row, 'recall@10'), y: number(row, 'p50 ms') })),
    }),
  )
  const svg = chart({
    title,
    x: { label: 'recall@10', log: false },
    y: { label: 'p50, milliseconds', log: true },
    series,
  })
  return { name: `recall-${result.records}`, title, svg }
}

/** Each library at its cheapest setting that reaches the recall. */
function growthPlot(curves: readonly Result[]): Plot {
  const title = `Latency at a recall of at least ${WANTED_RECALL} against the number of records`
  const names = [...new Set(curves.flatMap(librariesOf))]
  const series = names.map(
    (name): Series => ({
      name,
      colour: COLOURS[name] ?? '#555555',
      points: curves.flatMap((result) => {
        const enough = settingsOf(result, name).filter((row) => number(row, 'recall@10') >= WANTED_RECALL)
        if (enough.length === 0) return []
        return [{ x: result.records, y: Math.min(...enough.map((row) => number(row, 'p50 ms'))) }]
      }),
    }),
  )
  const limit = (limitName: string, share: number): Series => ({
    name: limitName,
    colour: '#777777',
    dashed: true,
    points: curves.flatMap((result) => {
      const row = result.tables.find(({ title: about }) => about.startsWith('What one thread reads'))?.rows[0]
      return row ? [{ x: result.records, y: number(row, 'ms for all vectors') * share }] : []
    }),
  })
  // A code of one bit per dimension and two numbers, against 384 numbers of four bytes.
  const limits = [limit('memory limit, all f32', 1), limit('memory limit, all 1-bit', 56 / 1_536)]
  const svg = chart({
    title,
    x: { label: 'records', log: true },
    y: { label: 'p50, milliseconds', log: true },
    series: [...series, ...limits],
  })
  return { name: 'growth', title, svg }
}

function tableOf({ tables }: Result): Row[] {
  return tables.find(({ title }) => title.startsWith('Recall against latency'))?.rows ?? []
}

function librariesOf(result: Result): string[] {
  return [...new Set(tableOf(result).map(({ library }) => String(library)))]
}

function settingsOf(result: Result, name: string): Row[] {
  return tableOf(result).filter(({ library }) => library === name)
}

function number(row: Row, column: string): number {
  return Number(row[column])
}
