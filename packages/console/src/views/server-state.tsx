/** Faults, requests, garbage, cost and leases of a server. */
import { get, ours, ROOT } from '../api.ts'
import { ago, bytes, count, dollars, duration, places } from '../format.ts'
import { operations } from '../load.ts'
import { type Metrics, total } from '../metrics-text.ts'
import { mapPooled, type Overview } from '../overview.ts'
import { Figure, Problem } from '../parts.tsx'
import { useLoaded, useRun } from '../state.ts'
import type { CostReport, GarbagePreview, LeaseInfo } from '../types.ts'

const ROWS = 20

/** Counters that are 0 on a healthy server, with what to do. */
const FAULTS = [
  ['siltstone_compaction_errors_total', 'compactions failed', 'look at the log, and run siltstone doctor'],
  ['siltstone_compaction_without_progress_total', 'compactions ran out of time', 'give a step more time or memory'],
  ['siltstone_merge_cannot_fit_total', 'merges do not fit', 'give compaction more memory or scratch disk'],
  [
    'siltstone_log_back_pressure_total',
    'writes were refused',
    'compaction lags behind: add a compactor, or write less',
  ],
  ['siltstone_query_recall_low_total', 'sampled queries had low recall', 'ask for more recall, or compact --full'],
  ['siltstone_metric_series_dropped_total', 'observations were dropped', 'a metric has too many series'],
] as const

export function FaultsCard({ metrics }: { metrics: Metrics }) {
  const met = FAULTS.map(([name, what, remedy]) => ({ name, what, remedy, times: total(metrics, name) ?? 0 })).filter(
    ({ times }) => times > 0,
  )
  const folded = (kind: string) =>
    total(metrics, 'siltstone_compaction_duration_ms_count', (one) => one['kind'] === kind)
  const spentMs = total(metrics, 'siltstone_compaction_duration_ms_sum')
  return (
    <section class="card" aria-label="State">
      <h2>State since the start</h2>
      <div class="row">
        <Figure name="folds">{count(folded('fold') ?? 0)}</Figure>
        <Figure name="merges">{count(folded('merge') ?? 0)}</Figure>
        <Figure name="time of compaction">{duration(spentMs ?? 0)}</Figure>
        <Figure name="entries appended">{count(total(metrics, 'siltstone_log_entries_appended_total') ?? 0)}</Figure>
        <Figure name="bytes appended">{bytes(total(metrics, 'siltstone_log_bytes_appended_total') ?? 0)}</Figure>
        <Figure name="wake-up messages">{count(total(metrics, 'siltstone_delta_queue_depth') ?? 0)}</Figure>
        <Figure name="busy leases met">{count(total(metrics, 'siltstone_lock_acquisition_failed_total') ?? 0)}</Figure>
      </div>
      {met.length === 0 ? (
        <p class="good">No faults.</p>
      ) : (
        met.map(({ name, what, remedy, times }) => (
          <p class="problem" key={name}>
            {count(times)} {what}: {remedy}.
          </p>
        ))
      )}
    </section>
  )
}

export function OperationsTable({ metrics }: { metrics: Metrics }) {
  const all = operations(metrics)
  if (all.length === 0) return null
  return (
    <>
      <h2>Requests since the start</h2>
      <div class="scroll" role="region" aria-label="Requests" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th>Operation</th>
              <th class="number">Requests</th>
              <th class="number">Mean</th>
              <th class="number">95th percentile</th>
              <th class="number">Refused</th>
              <th class="number">Failed</th>
            </tr>
          </thead>
          <tbody>
            {all.slice(0, ROWS).map((one) => (
              <tr key={one.operation}>
                <td>
                  <code>{one.operation}</code>
                </td>
                <td class="number">{count(one.requests)}</td>
                <td class="number">{places(one.meanMs)} ms</td>
                <td class="number">{one.p95Ms === undefined ? '–' : `${places(one.p95Ms)} ms`}</td>
                <td class="number">{count(one.refused)}</td>
                <td class={one.failed === 0 ? 'number' : 'number bad'}>{count(one.failed)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

export function GarbageCard({ overview }: { overview: Overview }) {
  const { value, busy, problem, start } = useRun(async () => {
    const places = overview.databases.flatMap(({ tenant, database, collections }) =>
      collections.map(({ id }) => `${ours({ tenant, database })}/${id}/garbage`),
    )
    const found = await mapPooled(places, (path) => get<GarbagePreview>(path))
    return {
      deletable: found.reduce((sum, one) => sum + one.deletable, 0),
      deletableBytes: found.reduce((sum, one) => sum + one.deletableBytes, 0),
      waiting: found.reduce((sum, one) => sum + one.waiting, 0),
    }
  })
  return (
    <section class="card" aria-label="Garbage">
      <div class="row">
        <h2>Garbage</h2>
        <button type="button" class="end" disabled={busy} onClick={start}>
          {busy ? 'Listing …' : 'Count'}
        </button>
      </div>
      <p class="note">Objects of the listed collections that nothing refers to. Counting lists every object.</p>
      <Problem text={problem} />
      {value === undefined ? null : (
        <div class="row" role="status">
          <Figure name="objects to delete">{count(value.deletable)}</Figure>
          <Figure name="bytes">{bytes(value.deletableBytes)}</Figure>
          <Figure name="too young">{count(value.waiting)}</Figure>
        </div>
      )}
    </section>
  )
}

export function CostCard() {
  const { value, problem } = useLoaded((signal) => get<CostReport>(`${ROOT}/cost`, signal), [])
  const isEnough = (value?.counted.hours ?? 0) >= 1
  return (
    <section class="card" aria-label="Cost">
      <h2>Cost</h2>
      <p class="note">
        {isEnough
          ? 'A month like the time since the start,'
          : 'Counted for less than an hour, which says little about a month;'}{' '}
        at the prices of AWS without a free tier.
      </p>
      <Problem text={problem} />
      {value === undefined ? null : (
        <>
          <div class="row">
            {isEnough ? <Figure name="a month">{dollars(value.bill.totalUsd)}</Figure> : null}
            <Figure name="1,000 queries">{dollars(value.unitCosts.usdPer1000Queries)}</Figure>
            <Figure name="1,000,000 writes">{dollars(value.unitCosts.usdPerMillionWrites)}</Figure>
            <Figure name="counted">{duration(value.counted.hours * 3_600_000)}</Figure>
          </div>
          <ul class="points">
            {value.bill.lines
              .filter(({ usd }) => isEnough && usd >= 0.005)
              .map(({ service, what, usd }) => (
                <li key={service + what} class="row">
                  <span>
                    {service}: {what}
                  </span>
                  <strong class="end">{dollars(usd)}</strong>
                </li>
              ))}
          </ul>
        </>
      )}
    </section>
  )
}

export function LeasesCard() {
  const { value, problem } = useLoaded((signal) => get<LeaseInfo[]>(`${ROOT}/leases`, signal), [])
  const taken = value?.filter(({ state }) => state !== 'free') ?? []
  return (
    <section class="card" aria-label="Leases">
      <h2>Leases</h2>
      <Problem text={problem} />
      {value === undefined ? null : taken.length === 0 ? (
        <p class="note">Nobody compacts at the moment. {count(value.length)} leases are free.</p>
      ) : (
        taken.map(({ name, state, owner, heartbeatAtMs }) => (
          <p class={state === 'expired' ? 'problem' : 'note'} key={name}>
            <code>{name}</code>: {state} by {owner}, heartbeat {ago(heartbeatAtMs, Date.now())}
          </p>
        ))
      )}
    </section>
  )
}
