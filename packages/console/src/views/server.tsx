/** The whole server: what it holds, what it does now, and what it costs. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { ours, ROOT, sendForText } from '../api.ts'
import { Chart } from '../chart.tsx'
import { ago, bytes, count, duration, places } from '../format.ts'
import { type LoadPoint, loadBetween, type Look } from '../load.ts'
import { type Metrics, parseMetrics, total } from '../metrics-text.ts'
import { loadOverview, type Overview, sumOf } from '../overview.ts'
import { Code, Figure, Problem } from '../parts.tsx'
import type { Call } from '../snippets.ts'
import { about, seesWholeServer, sentenceOf, useLoaded } from '../state.ts'
import { HoldingsTable } from './server-holdings.tsx'
import { CostCard, FaultsCard, GarbageCard, LeasesCard, OperationsTable } from './server-state.tsx'

const LOOK_EACH_MS = 2_000
const COUNT_EACH_MS = 10_000
const SPAN_MS = 5 * 60_000
const LEAST_SPAN_MS = 60_000
/** With more collections, their logs are counted only when the page is opened or asked to. */
const MAX_COUNTED = 100

export const METRICS: Call = { method: 'GET', path: '/metrics', isText: true }

export function ServerView() {
  const overview = useLoaded(loadOverview, [])
  const { value: holdings } = overview
  const logOps = holdings && sumOf(collectionsOf(holdings), (one) => one.indexing.unindexedOps)
  const isWhole = seesWholeServer()
  const { points, metrics, problem } = useLoad(isWhole, logOps)
  const few = holdings !== undefined && collectionsOf(holdings).length <= MAX_COUNTED
  useEach(few ? COUNT_EACH_MS : undefined, overview.reload)
  return (
    <>
      <div class="row head">
        <h1>Server</h1>
        <Figure name="version">{about.value?.version}</Figure>
        {metrics === undefined ? null : <ProcessFigures metrics={metrics} />}
        {holdings === undefined ? null : (
          <>
            <Figure name="collections">{more(collectionsOf(holdings).length, holdings.hasMore)}</Figure>
            <Figure name="records">{count(sumOf(collectionsOf(holdings), (one) => one.records))}</Figure>
            <Figure name="size">{bytes(sumOf(collectionsOf(holdings), (one) => one.sizeBytes))}</Figure>
          </>
        )}
        <button type="button" class="end" disabled={overview.loading} onClick={overview.reload}>
          Refresh
        </button>
      </div>
      <Problem text={overview.problem ?? problem} />
      {isWhole ? (
        <Charts points={points} />
      ) : (
        <p class="note">Load, leases and cost are of all tenants: they need a token for all tenants and databases.</p>
      )}
      {holdings === undefined ? null : <HoldingsTable overview={holdings} />}
      {metrics === undefined ? null : (
        <>
          <FaultsCard metrics={metrics} />
          <OperationsTable metrics={metrics} />
        </>
      )}
      <div class="halves">
        {about.value?.maintenance === true && holdings !== undefined ? <GarbageCard overview={holdings} /> : null}
        {isWhole && metrics !== undefined ? <CostCard /> : null}
      </div>
      {isWhole && about.value?.maintenance === true ? <LeasesCard /> : null}
      <Code
        calls={[
          { method: 'GET', path: `${ROOT}/tenants` },
          { method: 'GET', path: ours({ tenant: 'default_tenant', database: 'default_database' }) },
          ...(isWhole ? [METRICS, { method: 'GET', path: `${ROOT}/cost` }] : []),
        ]}
      />
    </>
  )
}

export const collectionsOf = ({ databases }: Overview) => databases.flatMap(({ collections }) => collections)

const more = (value: number, hasMore: boolean) => (hasMore ? `${count(value)} or more` : count(value))

function ProcessFigures({ metrics }: { metrics: Metrics }) {
  const startedS = total(metrics, 'siltstone_process_start_time_seconds')
  const cpuS = total(metrics, 'siltstone_process_cpu_seconds_total')
  return (
    <>
      {startedS === undefined ? null : <Figure name="started">{ago(startedS * 1_000, Date.now())}</Figure>}
      {cpuS === undefined ? null : <Figure name="processor time">{duration(cpuS * 1_000)}</Figure>}
    </>
  )
}

/** Looks at the counters while the page is open and seen. */
function useLoad(isAllowed: boolean, logOps: number | undefined) {
  const [state, setState] = useState<{ points: LoadPoint[]; metrics?: Metrics; problem?: string }>({ points: [] })
  const last = useRef<Look>(undefined)
  const counted = useRef(logOps)
  counted.current = logOps
  const look = async () => {
    try {
      const { value } = await sendForText(METRICS)
      const now: Look = { atMs: Date.now(), metrics: parseMetrics(value), logOps: counted.current }
      const point = last.current && loadBetween(last.current, now)
      last.current = now
      setState(({ points }) => ({
        points: point === undefined ? [] : [...points.filter(({ atMs }) => now.atMs - atMs < SPAN_MS), point],
        metrics: now.metrics,
      }))
    } catch (error) {
      setState(({ points }) => ({ points, problem: sentenceOf(error) }))
    }
  }
  useEffect(() => {
    if (isAllowed) void look()
  }, [isAllowed])
  useEach(isAllowed ? LOOK_EACH_MS : undefined, look)
  return state
}

/** Runs while the page is seen, one at a time. */
function useEach(eachMs: number | undefined, run: () => unknown) {
  const current = useRef(run)
  current.current = run
  useEffect(() => {
    if (eachMs === undefined) return undefined
    let isRunning = false
    const timer = setInterval(() => {
      if (document.hidden || isRunning) return
      isRunning = true
      void Promise.resolve(current.current()).finally(() => (isRunning = false))
    }, eachMs)
    return () => clearInterval(timer)
  }, [eachMs])
}

function Charts({ points }: { points: readonly LoadPoint[] }) {
  const times = points.map(({ atMs }) => atMs)
  const values = (name: Exclude<keyof LoadPoint, 'atMs'>) => points.map((point) => point[name])
  const elapsedMs = (times.at(-1) ?? 0) - (times[0] ?? 0)
  const shared = {
    times,
    spanMs: Math.max(LEAST_SPAN_MS, elapsedMs),
    empty: 'Waiting for the second look at the counters …',
  }
  const ms = (value: number) => `${places(value)} ms`
  return (
    <div class="charts">
      <Chart
        {...shared}
        title="Requests per second"
        shown={places}
        lines={[
          { name: 'reads', values: values('readsPerSecond') },
          { name: 'writes', values: values('writesPerSecond') },
        ]}
      />
      <Chart
        {...shared}
        title="Latency of reads"
        shown={ms}
        empty="No reads since this page was opened."
        lines={[
          { name: 'median', values: values('p50Ms') },
          { name: '95th percentile', values: values('p95Ms') },
        ]}
      />
      <Chart
        {...shared}
        title="Operations in the logs"
        shown={(value) => count(Math.round(value))}
        lines={[{ name: 'not folded yet', values: values('logOps') }]}
      />
      <Chart
        {...shared}
        title="Recall of sampled queries"
        highest={1}
        shown={(value) => value.toFixed(3)}
        empty="No query was sampled: start the server with --recall-sample 0.01."
        lines={[{ name: 'moving mean', values: values('recall') }]}
      />
      <Chart
        {...shared}
        title="Requests to the store per second"
        shown={places}
        lines={[{ name: 'requests', values: values('storeRequestsPerSecond') }]}
      />
      <Chart {...shared} title="Memory" shown={bytes} lines={[{ name: 'resident', values: values('residentBytes') }]} />
    </div>
  )
}
