/**
 * Recall and work by default and for other recalls, on vectors of several kinds: with filters, for other numbers of neighbours, over
 * several segments, after changes and with records in the log, beside the best fixed number of clusters for each corpus and each
 * recall, and after real queries corrected the calibration. All figures are counts, so they do not depend on the machine's load.
 */
import { parseWhere } from 'siltstone/internal'
import { KINDS } from '../data/kinds.ts'
import { realKinds } from '../data/real-kinds.ts'
import type { Row } from '../measure/report.ts'
import { mean } from '../measure/statistics.ts'
import type { Areas } from './recall-areas.ts'
import { type Asked, Asking, bestFixed, type FilterOf } from './recall-asking.ts'
import { type Corpus, corpusOf, type Loaded, loaded, passagesOf, title } from './recall-corpus.ts'
import type { Scenario } from './scenario.ts'

const RECALLS = [0.9, 0.95, 0.99]
/** Real queries that correct the calibration. */
const SAMPLED = 400
/** Of a store in several segments. */
const SEGMENTS = 4

/** The filters that queries ask with, by name. */
function filtersFor({ near, far }: Areas): Record<string, FilterOf> {
  const always = (where: Parameters<typeof parseWhere>[0]) => {
    const filter = parseWhere(where)
    return () => filter
  }
  return {
    none: () => undefined,
    '10 % random': always({ group: { $lt: 10 } }),
    '1 % random': always({ group: 7 }),
    '10 % near a row': always({ place: { $lt: 10 } }),
    '1 % near a row': always({ place: 0 }),
    '10 % beyond a plane': always({ side: { $gte: 90 } }),
    '10 % near the query': (query) => parseWhere({ area: { $in: near(query, 0.1) } }),
    '10 % far from the query': (query) => parseWhere({ area: { $in: far(query, 0.1) } }),
  }
}

export const recall: Scenario = {
  about: 'recall and work by default and for other recalls, on vectors of several kinds, beside the best fixed setting',
  records: [100_000],
  run: async (options, report, open) => {
    const { values, seed } = options
    const count = report.records
    const chosen = values.get('kinds')
    const makers = [
      ...(options.data === undefined ? [] : [() => passagesOf(open(), count)]),
      ...[...KINDS, ...realKinds()].map((kind) => () => corpusOf(kind, count, seed)),
    ].filter((_, i) => chosen === undefined || chosen.includes(i))
    const summary: Row[] = []
    for (const make of makers) {
      const corpus = make()
      const rows: Row[] = []
      const states = values.get('states')
      const wanted = { queries: options.queries, ks: values.get('k') ?? [options.k] }
      for (const [number, state] of STATES.entries()) {
        if (!(states ?? DEFAULT_STATES).includes(number)) continue
        report.note(`${corpus.name}: ${state.name}`)
        await state.measure(corpus, wanted, rows)
      }
      report.table(`Recall, ${title(corpus)}`, rows)
      summary.push(...rows)
    }
    report.table('Lowest recall, and work beside the best fixed setting, of all', worst(summary))
  },
}

interface Wanted {
  queries: number
  ks: readonly number[]
}

/** Of `STATES`. */
const DEFAULT_STATES = [0, 1, 2]

/** Numbered as in `--values states=`. */
const STATES: { name: string; measure(corpus: Corpus, wanted: Wanted, rows: Row[]): Promise<void> }[] = [
  {
    name: 'in one segment, then after changes and with records in the log',
    measure: async (corpus, { queries, ks }, rows) =>
      using(await loaded(corpus), async (store) => {
        for (const k of ks) await measure(store, corpus, { state: 'one segment', queries, k, besideFixed: true }, rows)
        const [k = 10] = ks
        await store.change()
        await measure(store, corpus, { state: 'after changes', queries, k }, rows)
        await store.append()
        await measure(store, corpus, { state: 'with a log', queries, k, withLog: true }, rows)
      }),
  },
  {
    name: `after ${SAMPLED} real queries`,
    measure: async (corpus, { queries, ks: [k = 10] }, rows) =>
      using(await loaded(corpus), async (store) => {
        const sampled = new Asking(store.collection, corpus, { queries: SAMPLED, k })
        for (let i = 0; i < SAMPLED; i++) await store.sampled(() => sampled.plainly(queries + i))
        await measure(store, corpus, { state: `after ${SAMPLED} real queries`, queries, k, besideFixed: true }, rows)
      }),
  },
  {
    name: `in ${SEGMENTS} segments`,
    measure: async (corpus, { queries, ks: [k = 10] }, rows) =>
      using(await loaded(corpus, SEGMENTS), (store) =>
        measure(store, corpus, { state: `${SEGMENTS} segments`, queries, k }, rows),
      ),
  },
  {
    name: 'in one segment',
    measure: async (corpus, { queries, ks }, rows) =>
      using(await loaded(corpus), async (store) => {
        for (const k of ks) await measure(store, corpus, { state: 'one segment', queries, k, besideFixed: true }, rows)
      }),
  },
]
async function using(store: Loaded, use: (store: Loaded) => Promise<void>): Promise<void> {
  try {
    await use(store)
  } finally {
    await store.close()
  }
}

interface Measuring {
  state: string
  queries: number
  k: number
  withLog?: boolean
  besideFixed?: boolean
}

async function measure(
  { collection, areas }: Loaded,
  corpus: Corpus,
  { state, queries, k, withLog = false, besideFixed = false }: Measuring,
  rows: Row[],
): Promise<void> {
  const asking = new Asking(collection, corpus, { queries, k, withLog })
  for (const [name, filter] of Object.entries(filtersFor(areas))) {
    const truth = await asking.truth(filter)
    const curve = besideFixed && name === 'none' ? await asking.curve(truth, Math.max(...RECALLS)) : undefined
    for (const asked of RECALLS) {
      const found = await asking.ask({ recall: asked }, filter, truth)
      rows.push({ corpus: title(corpus), state, k, filter: name, asked, ...shown(found, curve, asked) })
    }
  }
}

function shown(
  { recall: share, worstTenth, clusters, entries, measured }: Asked,
  curve: Asked[] | undefined,
  asked: number,
) {
  const best = curve && bestFixed(curve, asked)
  return {
    recall: share,
    'worst tenth': worstTenth,
    clusters,
    entries,
    measured,
    'best fixed: clusters': best?.clusters ?? '',
    'best fixed: entries': best?.entries ?? '',
    ratio: best ? entries / best.entries : '',
  }
}

/** For each state, number of neighbours, filter and recall: over all corpora. */
function worst(rows: readonly Row[]): Row[] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = `${row['state']}/${row['k']}/${row['filter']}/${row['asked']}`
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return Array.from(groups.values(), (some) => {
    const { state, k, filter, asked } = some[0] as Row as Record<string, string>
    const recalls = some.map((row) => Number(row['recall']))
    const lowest = some[recalls.indexOf(Math.min(...recalls))] as Row
    const ratios = some.flatMap(({ ratio }) => (typeof ratio === 'number' ? [ratio] : []))
    return {
      state: state as string,
      k: k as string,
      filter: filter as string,
      asked: asked as string,
      'lowest recall': Math.min(...recalls),
      of: lowest['corpus'] as string,
      'highest recall': Math.max(...recalls),
      'mean ratio': ratios.length === 0 ? '' : mean(ratios),
      'highest ratio': ratios.length === 0 ? '' : Math.max(...ratios),
    }
  })
}
