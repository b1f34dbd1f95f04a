/** The time line of snapshots: read one, roll back to it, keep it by name, fork. */
import { useState } from 'preact/hooks'
import { get, send } from '../api.ts'
import { ago, bytes, count, time } from '../format.ts'
import { Ask, Code, Empty, Problem, type Question, Untrusted } from '../parts.tsx'
import { go, isAdmin, mayWrite, useLoaded } from '../state.ts'
import type { RestorePoint, SnapshotInfo } from '../types.ts'
import type { CollectionProps } from './collection-props.ts'

export function HistoryView({ tenant, database, own, info, reload }: CollectionProps) {
  const [round, setRound] = useState(0)
  const [question, setQuestion] = useState<Question>()
  const snapshots = useLoaded((signal) => get<SnapshotInfo[]>(`${own}/snapshots`, signal), [own, info.version, round])
  const points = useLoaded((signal) => get<RestorePoint[]>(`${own}/restore-points`, signal), [own, info.version, round])
  const again = () => {
    setRound((before) => before + 1)
    reload()
  }
  const asks = questions(own, tenant, database, again)
  const write = mayWrite()
  return (
    <>
      <div class="row">
        {write ? (
          <>
            <button type="button" class="primary" onClick={() => setQuestion(asks.keep('current'))}>
              Keep the state of now
            </button>
            <button type="button" onClick={() => setQuestion(asks.fork)}>
              Fork
            </button>
          </>
        ) : null}
        {write && isAdmin() ? (
          <button type="button" onClick={() => setQuestion(asks.snapshot)}>
            Make a snapshot
          </button>
        ) : null}
      </div>
      <Problem text={snapshots.problem ?? points.problem} />
      {(points.value ?? []).length === 0 ? null : (
        <section aria-label="Kept by name">
          <h2>Kept by name</h2>
          <ul class="points">
            {(points.value ?? []).map((point) => (
              <li class="card row" key={point.name}>
                <strong>
                  <Untrusted text={point.name} length={80} />
                </strong>
                <span>version {point.version}</span>
                <span class="note">
                  {point.untilMs === null ? 'until it is released' : `until ${time(point.untilMs)}`}
                </span>
                {write ? (
                  <button
                    type="button"
                    class="quiet end"
                    aria-label={`Release ${point.name}`}
                    onClick={() => setQuestion(asks.release(point.name))}
                  >
                    Release
                  </button>
                ) : null}
              </li>
            ))}
          </ul>
        </section>
      )}
      <h2>Snapshots</h2>
      {snapshots.value === undefined ? null : snapshots.value.length === 0 ? (
        <Empty>No snapshot yet: all records are in the log. Compaction makes one.</Empty>
      ) : (
        <ol class="timeline">
          {distinct(snapshots.value).map((one) => (
            <li key={one.name} class={one.current ? 'now' : ''}>
              <div class="card">
                <div class="row">
                  <strong>Version {one.watermark}</strong>
                  {one.current ? <span class="moved up">current</span> : null}
                  <span class="note" title={time(one.createdAtMs)}>
                    {time(one.createdAtMs)} · {ago(one.createdAtMs, Date.now())}
                  </span>
                </div>
                <p>
                  {count(one.liveRecords)} records · {one.segments} {one.segments === 1 ? 'segment' : 'segments'} ·{' '}
                  {bytes(one.sizeBytes)} · kept as {one.keptBecause.join(', ')}
                </p>
                <div class="row">
                  <button
                    type="button"
                    aria-label={`Read version ${one.watermark}`}
                    onClick={() => go({ view: 'records', params: { at: String(one.watermark) } })}
                  >
                    Read
                  </button>
                  {write && !one.current ? (
                    <button
                      type="button"
                      aria-label={`Roll back to version ${one.watermark}`}
                      onClick={() => setQuestion(asks.rollback(one))}
                    >
                      Roll back
                    </button>
                  ) : null}
                  {write ? (
                    <button
                      type="button"
                      class="quiet"
                      aria-label={`Keep version ${one.watermark}`}
                      onClick={() => setQuestion(asks.keep(one.name))}
                    >
                      Keep
                    </button>
                  ) : null}
                </div>
              </div>
            </li>
          ))}
        </ol>
      )}
      <Code
        calls={[
          { method: 'GET', path: `${own}/snapshots` },
          { method: 'POST', path: `${own}/rollback`, body: { snapshot: snapshots.value?.at(-1)?.name ?? 'SNAPSHOT' } },
        ]}
      />
      {question === undefined ? null : <Ask question={question} close={() => setQuestion(undefined)} />}
    </>
  )
}

/** Commits that change no record have the version of the one before: the newest of them stands for all. */
function distinct(snapshots: readonly SnapshotInfo[]): SnapshotInfo[] {
  const found = new Map<number, SnapshotInfo>()
  for (const one of snapshots) {
    const known = found.get(one.watermark)
    if (known === undefined) found.set(one.watermark, one)
    else found.set(one.watermark, { ...known, keptBecause: [...new Set([...known.keptBecause, ...one.keptBecause])] })
  }
  return [...found.values()]
}

function questions(own: string, tenant: string, database: string, again: () => void) {
  return {
    rollback: (one: SnapshotInfo): Question => ({
      title: `Roll back to version ${one.watermark}`,
      text: `The collection will have these ${count(one.liveRecords)} records again, as a new version. What is there now stays in the history.`,
      action: 'Roll back',
      danger: true,
      async answer() {
        await send({ method: 'POST', path: `${own}/rollback`, body: { snapshot: one.name } })
        again()
      },
    }),
    keep: (snapshot: string): Question => ({
      title: 'Keep a snapshot',
      text: 'It stays until it is released, also when the history is thinned out.',
      field: 'Name',
      action: 'Keep',
      async answer(name) {
        await send({ method: 'POST', path: `${own}/restore-points`, body: { name: name.trim(), snapshot } })
        again()
      },
    }),
    release: (name: string): Question => ({
      title: 'Release a snapshot',
      text: `${name} is then kept only as long as the history keeps it.`,
      action: 'Release',
      async answer() {
        await send({ method: 'DELETE', path: `${own}/restore-points/${encodeURIComponent(name)}` })
        again()
      },
    }),
    fork: {
      title: 'Fork the collection',
      text: 'The fork shares the stored records; later writes to one do not change the other.',
      field: 'Name of the fork',
      action: 'Fork',
      async answer(name) {
        await send({ method: 'POST', path: `${own}/fork`, body: { name: name.trim() } })
        go({ tenant, database, collection: name.trim(), view: 'records', params: {} })
      },
    } satisfies Question as Question,
    snapshot: {
      title: 'Make a snapshot',
      text: 'The log is folded into a snapshot now. The background compaction does the same by itself.',
      action: 'Compact',
      async answer() {
        await send({ method: 'POST', path: `${own}/compact` })
        again()
      },
    } satisfies Question as Question,
  }
}
