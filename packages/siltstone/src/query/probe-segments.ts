/**
 * Nearest neighbours among the rows of segments that have an inverted file: the lists of the most promising clusters
 * are estimated from their codes, and whoever may be among the k nearest is measured exactly.
 */
import type { Space } from '../model/collection.ts'
import type { SearchStats } from '../model/read.ts'
import { Estimates, type Survivor } from '../ivf/estimates.ts'
import { type Ivf, workspace } from '../ivf/ivf.ts'
import { prepareQuery, type PreparedQuery } from '../ivf/prepared-query.ts'
import type { Probe } from '../ivf/probe.ts'
import { type ScanItem, scanLists } from '../ivf/scan-lists.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import type { Candidates } from './candidates.ts'
import type { SearchRecorder } from './explain.ts'
import type { ColumnsAhead } from './column-prefetch.ts'
import { chooseClusters } from './choose-clusters.ts'
import type { Indexed } from './exact-or-probe.ts'
import { rankRows } from './exact-scan.ts'
import type { Effort } from './effort.ts'
import type { Ranked } from './rank.ts'

/** Survivors come likeliest first: among so many times as many as are wanted lie nearly all that will be answered. */
const LIKELIEST = 2

export async function probeSegments(
  parts: readonly Indexed[],
  candidates: Candidates,
  segments: readonly OpenSegment[],
  space: Space,
  ranked: Ranked,
  k: number,
  effort: Effort,
  ahead: ColumnsAhead,
  recorder: SearchRecorder,
): Promise<void> {
  const { stats } = recorder
  const prepared = new Map<string, PreparedQuery>()
  const estimates = new Estimates(k)
  // What is known exactly bounds what is looked for. The index measures cosine as the squared distance of unit vectors.
  const scale = space === 'cosine' ? 2 : 1
  for (const { distance, tag } of ranked.nearest.sorted()) estimates.known(tag, distance * scale)
  const choices = chooseClusters(
    parts.map((part) => ({ part, query: preparedFor(part, ranked, prepared) })),
    k,
    effort,
  )
  const total = choices.reduce((sum, { probes }) => sum + probes.length, 0)
  const items = new Array<ScanItem & { query: PreparedQuery }>(total)
  await Promise.all(
    choices.map(async ({ part, query, probes, places }) => {
      const rows = part.count === part.segment.rows ? undefined : part.rows
      for (const [i, list] of (await listsOf(part.ivf, probes, stats)).entries())
        items[places[i] as number] = { query, probe: probes[i] as Probe, list, firstTag: part.start, rows }
    }),
  )
  stats.clusters += total
  recorder.lap('lists')
  for (const query of prepared.values())
    stats.entries += scanLists(
      workspace(),
      query,
      prepared.size === 1 ? items : items.filter((item) => item.query === query),
      effort.deviations,
      estimates,
    )
  stats.candidates += estimates.size
  recorder.lap('estimate')
  const survivors = estimates.survivors(effort.rerank)
  const measure = (some: readonly Survivor[]) =>
    measureExactly(some.map(tagOf), candidates, segments, space, ranked, stats)
  if (parts.every(({ segment }) => segment.reader.source.isNear)) {
    // How far away the likeliest are tells which of the others are worth reading.
    const likeliest = LIKELIEST * k
    await measure(survivors.slice(0, likeliest))
    const bound = ranked.nearest.bound * scale
    const least = ({ lower, upper }: Survivor) => (lower + upper - effort.laterWidth * (upper - lower)) / 2
    await measure(survivors.slice(likeliest).filter((one) => least(one) <= bound))
    return
  }
  const isCold = stats.listsRead > 0
  const winners = isCold ? survivors.slice(0, LIKELIEST * k).map(tagOf) : []
  await Promise.all([measure(survivors), readColumns(winners, candidates, segments, ahead)])
}

const tagOf = ({ tag }: Survivor): number => tag

/** One preparation for all segments that are rotated alike. */
function preparedFor(
  { ivf: { directory } }: Indexed,
  ranked: Ranked,
  prepared: Map<string, PreparedQuery>,
): PreparedQuery {
  const name = `${directory.seed}/${directory.dimension}`
  let query = prepared.get(name)
  if (!query) {
    query = prepareQuery(workspace(), ranked.query, directory)
    prepared.set(name, query)
  }
  return query
}

async function listsOf(ivf: Ivf, probes: readonly Probe[], stats: SearchStats) {
  const lists = probes.map(({ cluster }) => ivf.lists.cached(cluster))
  const missing = new Map<number, number>()
  lists.forEach((list, i) => {
    if (!list) missing.set((probes[i] as Probe).cluster, i)
  })
  if (missing.size > 0) {
    stats.listsRead += missing.size
    const ascending = [...missing.keys()].sort((a, b) => a - b)
    await ivf.lists.read(ascending, (cluster, list) => {
      lists[missing.get(cluster) as number] = list
    })
  }
  return lists as Exclude<(typeof lists)[number], undefined>[]
}

async function readColumns(
  tags: readonly number[],
  candidates: Candidates,
  segments: readonly OpenSegment[],
  ahead: ColumnsAhead,
): Promise<void> {
  await Promise.all(
    [...bySegment(tags, candidates)].map(([index, rows]) => ahead.rows(segments[index] as OpenSegment, rows)),
  )
}

/** Rows of each segment, ascending. */
function bySegment(tags: readonly number[], candidates: Candidates): Map<number, number[]> {
  const found = new Map<number, number[]>()
  for (const tag of tags) {
    const { segment, row } = candidates.row(tag)
    const rows = found.get(segment)
    if (rows) rows.push(row)
    else found.set(segment, [row])
  }
  for (const rows of found.values()) rows.sort((a, b) => a - b)
  return found
}

async function measureExactly(
  tags: readonly number[],
  candidates: Candidates,
  segments: readonly OpenSegment[],
  space: Space,
  ranked: Ranked,
  stats: SearchStats,
): Promise<void> {
  stats.measured += tags.length
  await Promise.all(
    [...bySegment(tags, candidates)].map(([index, rows]) => {
      const start = candidates.tagOf(index)
      return rankRows(segments[index] as OpenSegment, rows, start, space, [ranked])
    }),
  )
}
