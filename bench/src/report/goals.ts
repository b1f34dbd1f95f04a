/** The goals, and the stored results for them. A goal without a result is shown as not yet measured. */
import { markdown, number, type Result, type Row } from '../measure/report.ts'

interface Goal {
  what: string
  goal: string
  /** Undefined: not measured. */
  reached(find: Find): string | undefined
}

/** Rows of a table of a scenario at a size; the table's title begins with `title`. */
type Find = (scenario: string, records: number, title: string, label?: string) => readonly Row[]

/** Of `http`: the run in which no query is asked twice. */
const DISTINCT = 'distinct'

const GOALS: readonly Goal[] = [
  {
    what: 'ingest through HTTP until durable, 100 k',
    goal: '10 × Chroma’s rate',
    reached: (find) => {
      const rows = find('ingest', 100_000, 'Medians')
      const ours = rows.find(({ server }) => server === 'siltstone')
      return (
        ours &&
        `${shown(ours['times chroma'])} × (${shown(ours['records/s'])} records/s), with ${shown(ours['share of its CPU'])} of its CPU time`
      )
    },
  },
  ...[1, 4].map(
    (clients): Goal => ({
      what: `chromadb client, 100 k, ${clients} at a time: queries/s`,
      goal: '2 × Chroma’s at equal recall, ≤ 1 ms of CPU a query',
      reached: (find) => {
        const rows = find('http', 100_000, `Queries over 100000 passages, ${clients}`, DISTINCT)
        const through = rows.filter((row) => row['through'] === 'chromadb client')
        const theirs = through.find(({ server }) => server === 'chroma')
        const candidates = through.filter(({ server }) => String(server).startsWith('siltstone'))
        // The first setting with equal recall, within the precision of a few hundred queries.
        const ours = candidates.find((row) => Number(row['recall@10']) >= Number(theirs?.['recall@10']) - 0.003)
        if (!ours || !theirs) return undefined
        const times = Number(ours['per second']) / Number(theirs['per second'])
        return (
          `${shown(ours['server'])}: ${number(times)} × with ${shown(ours['its CPU ms'])} ms of CPU (Chroma: ${shown(theirs['its CPU ms'])}) ` +
          `(recall ${shown(ours['recall@10'])} against ${shown(theirs['recall@10'])})`
        )
      },
    }),
  ),
  {
    what: 'chromadb client, 100 k: the first 250 queries after a start',
    goal: '≤ 1.5 × steady',
    reached: (find) => {
      const rows = find('start', 100_000, 'Queries after a start').filter(
        ({ server, through }) => server === 'siltstone' && through === 'chromadb client',
      )
      const timeOf = (queries: string) => Number(rows.find((row) => row['queries'] === queries)?.['ms a query'])
      if (rows.length === 0) return undefined
      const first = (timeOf('1 – 1') + 49 * timeOf('2 – 50') + 200 * timeOf('51 – 250')) / 250
      return `${number(first / timeOf('1001 – 2000'))} × (${number(first)} ms against ${number(timeOf('1001 – 2000'))})`
    },
  },
  {
    what: 'the same with filters: p50 of the slowest',
    goal: '≤ 2 × the unfiltered',
    reached: (find) => {
      const rows = find('http', 100_000, 'With filters', DISTINCT)
      const worst = (name: string) =>
        largest(
          rows.filter(({ server }) => server === name),
          'times unfiltered',
        )
      return rows.length === 0 ? undefined : `${worst('siltstone')} × (Chroma: ${worst('chroma')} ×)`
    },
  },
  ...[100_000, 1_000_000].flatMap((records): Goal[] => [
    {
      what: `recall@10 by default, ${size(records)}: without a filter, lowest of four filters`,
      goal: '≥ 0.95',
      reached: (find) => {
        const rows = find('filters', records, 'Filters').filter(({ library }) => library === 'siltstone')
        const plain = rows.find(({ filter }) => filter === 'none')
        const lowest = Math.min(...rows.filter((row) => row !== plain).map((row) => Number(row['recall@10'])))
        return plain && `${shown(plain['recall@10'])}, ${number(lowest)}`
      },
    },
    {
      what: `warm, one thread, at recall ≥ 0.95, ${size(records)}: p50`,
      goal: records === 100_000 ? '≤ 0.3 ms' : '≤ 1 ms',
      reached: (find) => {
        const rows = find('curve', records, 'Recall against latency')
        const at = (name: string) => {
          const [best] = rows
            .filter((row) => row['library'] === name && Number(row['recall@10']) >= 0.95)
            .toSorted((a, b) => Number(a['p50 ms']) - Number(b['p50 ms']))
          return best ? `${shown(best['p50 ms'])} ms, CPU ${shown(best['its CPU ms'])}` : 'not reached'
        }
        if (!rows.some(({ library }) => library === 'siltstone')) return undefined
        const others = [...new Set(rows.map(({ library }) => String(library)))].filter(
          (name) => !name.startsWith('siltstone'),
        )
        return `${at('siltstone')}, merged into one segment ${at('siltstone-full')} (${others.map((name) => `${name} ${at(name)}`).join('; ')})`
      },
    },
  ]),
  {
    what: 'cold, 63 ms a request, 1 M: p50, rounds, share of the snapshot',
    goal: '≤ 400 ms, ≤ 5, ≤ 1 %',
    reached: (find) => {
      const row = find('cold', 1_000_000, 'First query').find(({ filter }) => filter === 'none')
      return row && `${shown(row['p50 ms'])} ms, ${shown(row['rounds, max'])}, ${shown(row['% of the snapshot'])} %`
    },
  },
  ...['whole records', 'metadata only'].map(
    (kind): Goal => ({
      what: `10,000 updates into 1 M, ${kind}: seconds, read, written`,
      goal: '≤ 15 s, ≤ 5 %',
      reached: (find) => {
        const row = find('updates', 1_000_000, '10000').find(({ changes }) => changes === kind)
        return (
          row && `${shown(row['seconds'])} s, ${shown(row['read, % of it'])} %, ${shown(row['written, % of it'])} %`
        )
      },
    }),
  ),
  {
    what: 'memory of a reader, 1 M',
    goal: '≤ 512 MB RSS',
    reached: (find) => {
      const row = find('curve', 1_000_000, 'Memory').find(({ library }) => library === 'siltstone')
      return row && `${shown(row['RSS MB after the queries'])} MB`
    },
  },
  {
    what: 'memory of the compactor, 1 M',
    goal: '< 1 GB RSS',
    reached: (find) => {
      const [row] = find('build', 1_000_000, 'Compaction in all')
      return row && `${shown(row['peak RSS MB of the compactor'])} MB`
    },
  },
  {
    what: 'storage of the index over the raw f32 vectors, 1 M',
    goal: '≤ 15 %',
    reached: (find) => {
      const rows = find('build', 1_000_000, 'What the snapshot').filter(({ section }) =>
        String(section).startsWith('ivf-'),
      )
      return rows.length === 0
        ? undefined
        : `${number(rows.reduce((sum, row) => sum + Number(row['% of the raw f32 vectors']), 0))} %`
    },
  },
  {
    what: 'default embedder, one thread',
    goal: '≥ 40,000 passages/s',
    reached: (find) => {
      const [row] = find('embedder', 100_000, 'Default embedder')
      return (
        row &&
        `${shown(row['passages/s (median slice)'])} passages/s (${shown(row['passages per CPU second'])} per CPU second)`
      )
    },
  },
]

export function goalsTable(results: readonly Result[]): string {
  const find: Find = (scenario, records, title, label) =>
    results
      .find((result) => result.scenario === scenario && result.records === records && result.label === label)
      ?.tables.find((table) => table.title.startsWith(title))?.rows ?? []
  return markdown(
    GOALS.map(({ what, goal, reached }) => ({ what, goal, measured: reached(find) ?? 'not yet measured' })),
  )
}

function largest(rows: readonly Row[], column: string): string {
  return number(Math.max(...rows.map((row) => Number(row[column]))))
}

function size(records: number): string {
  return records >= 1_000_000 ? `${records / 1_000_000} M` : `${records / 1_000} k`
}

function shown(cell: string | number | undefined): string {
  return typeof cell === 'number' ? number(cell) : (cell ?? '–')
}
