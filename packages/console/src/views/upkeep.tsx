/** Compaction, garbage, verification, recall. */
import { get, send } from '../api.ts'
import { ago, bytes, count } from '../format.ts'
import { Code, Figure, Problem } from '../parts.tsx'
import { isAdmin, useLoaded, useRun } from '../state.ts'
import type { CompactionState, GarbagePreview, RecallReport, VerifyReport } from '../types.ts'
import type { CollectionProps } from './collection-props.ts'

export function UpkeepView({ own, info, reload }: CollectionProps) {
  const state = useLoaded(
    (signal) => get<CompactionState>(`${own}/compaction`, signal),
    [own, info.version, info.watermark],
  )
  const garbage = useLoaded(
    (signal) => get<GarbagePreview>(`${own}/garbage`, signal),
    [own, info.version, info.watermark],
  )
  const compaction = state.value
  const again = () => {
    reload()
    state.reload()
    garbage.reload()
  }
  return (
    <>
      <Problem text={state.problem ?? garbage.problem} />
      {compaction === undefined ? null : (
        <section class="card" aria-label="Compaction">
          <div class="row">
            <h2>Compaction</h2>
            {isAdmin() ? <Compact own={own} again={again} /> : null}
          </div>
          <div class="row">
            <Figure name="version">{compaction.version}</Figure>
            <Figure name="folded up to">{compaction.watermark}</Figure>
            <Figure name="operations in the log">{count(compaction.indexing.unindexedOps)}</Figure>
            <Figure name="last commit">
              {compaction.lastCommit === null
                ? '–'
                : `${compaction.lastCommit.kind}, ${ago(compaction.lastCommit.createdAtMs, Date.now())}`}
            </Figure>
          </div>
          {compaction.segments.length === 0 ? null : (
            <div class="scroll" role="region" aria-label="Segments" tabIndex={0}>
              <table>
                <thead>
                  <tr>
                    <th>Segment</th>
                    <th class="number">Rows</th>
                    <th class="number">Deleted</th>
                    <th class="number">Overlays</th>
                    <th class="number">Size</th>
                  </tr>
                </thead>
                <tbody>
                  {compaction.segments.map((one) => (
                    <tr key={one.id}>
                      <td>
                        <code>{one.id}</code>
                      </td>
                      <td class="number">{count(one.rows)}</td>
                      <td class="number">{count(one.deleted)}</td>
                      <td class="number">{one.overlays}</td>
                      <td class="number">{bytes(one.sizeBytes)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          {compaction.leases.map((lease) => (
            <p class="note" key={lease.name}>
              Lease {lease.name.split('/').at(-1)}: {lease.state}
              {lease.owner === null ? '' : ` by ${lease.owner}, heartbeat ${ago(lease.heartbeatAtMs, Date.now())}`}
            </p>
          ))}
          {compaction.refused.map((one) => (
            <p class="problem" key={one.key}>
              Refused {one.key}: {one.reason}
            </p>
          ))}
        </section>
      )}
      {garbage.value === undefined ? null : (
        <section class="card" aria-label="Garbage">
          <h2>Garbage</h2>
          <div class="row">
            <Figure name="objects to delete">{count(garbage.value.deletable)}</Figure>
            <Figure name="bytes">{bytes(garbage.value.deletableBytes)}</Figure>
            <Figure name="too young">{count(garbage.value.waiting)}</Figure>
          </div>
        </section>
      )}
      <Recall own={own} />
      {isAdmin() ? <Verify own={own} /> : null}
      <Code
        calls={[
          { method: 'GET', path: `${own}/compaction` },
          { method: 'GET', path: `${own}/garbage` },
          { method: 'POST', path: `${own}/recall`, body: { k: 10, samples: 50 } },
        ]}
      />
    </>
  )
}

function Compact({ own, again }: { own: string; again: () => void }) {
  const { busy, problem, start } = useRun(async () => {
    await send({ method: 'POST', path: `${own}/compact` })
    again()
  })
  return (
    <>
      <button type="button" class="end" disabled={busy} onClick={start}>
        {busy ? 'Compacting …' : 'Compact now'}
      </button>
      <Problem text={problem} />
    </>
  )
}

function Recall({ own }: { own: string }) {
  const { value, busy, problem, start } = useRun(
    async () =>
      (await send<RecallReport>({ method: 'POST', path: `${own}/recall`, body: { k: 10, samples: 50 } })).value,
  )
  return (
    <section class="card" aria-label="Recall">
      <div class="row">
        <h2>Recall</h2>
        <button type="button" class="end" disabled={busy} onClick={start}>
          {busy ? 'Measuring …' : 'Measure'}
        </button>
      </div>
      <p class="note">Which part of the ten nearest records a search finds, with the vectors of 50 random records.</p>
      <Problem text={problem} />
      {value === undefined ? null : (
        <div class="row" role="status">
          <Figure name="recall@10">{value.recall.toFixed(3)}</Figure>
          <Figure name="10th percentile">{value.p10.toFixed(2)}</Figure>
          <Figure name="worst">{value.worst.toFixed(2)}</Figure>
        </div>
      )}
    </section>
  )
}

function Verify({ own }: { own: string }) {
  const { value, busy, problem, start } = useRun(
    async () => (await send<VerifyReport>({ method: 'POST', path: `${own}/verify?deep=true` })).value,
  )
  return (
    <section class="card" aria-label="Verification">
      <div class="row">
        <h2>Verification</h2>
        <button type="button" class="end" disabled={busy} onClick={start}>
          {busy ? 'Reading every byte …' : 'Verify'}
        </button>
      </div>
      <Problem text={problem} />
      {value === undefined ? null : value.problems.length === 0 ? (
        <p role="status">
          Whole: {count(value.figures.objects)} objects with {bytes(value.figures.bytes)}.
        </p>
      ) : (
        value.problems.map((one) => (
          <p class="problem" key={one.key + one.problem}>
            {one.problem} {one.remedy}
          </p>
        ))
      )}
    </section>
  )
}
