/** The objects of users, and how far they became searchable. */
import { useState } from 'preact/hooks'
import { get, ROOT, send } from '../api.ts'
import { ago, count, duration, time } from '../format.ts'
import { Ask, Code, Empty, Problem, type Question, Select, Untrusted } from '../parts.tsx'
import { hashOf } from '../route.ts'
import { about, goWith, mayWrite, route, useLoaded } from '../state.ts'
import { OBJECT_PROGRESS, type ObjectProgress, type ObjectStatesPage, type ObjectStatus } from '../types.ts'

const PAGE = 100
/** A page of states may be empty although more follow; so many are asked for until one is not. */
const MAX_PAGES = 20

const OBJECTS = `${ROOT}/objects`

const MEANINGS: Record<ObjectProgress, string> = {
  queued: 'waits for a worker',
  running: 'is worked on',
  done: 'is searchable',
  failed: 'will be tried again',
  dead: 'was given up',
  gone: 'was deleted',
  expired: 'was deleted because of its age; its records stay',
  unprocessed: 'no rule wants it',
}

export function UploadsView() {
  if (about.value?.objects !== true)
    return (
      <Empty>
        This server has no objects. Start it with <code>siltstone serve --objects</code>.
      </Empty>
    )
  return <Uploads />
}

function Uploads() {
  const { bucket = '', prefix = '', state = '', cursor = '', key = '' } = route.value.params
  const [question, setQuestion] = useState<Question>()
  const buckets = useLoaded(
    (signal) => get<{ buckets: string[]; processing: string }>(`${OBJECTS}/buckets`, signal),
    [],
  )
  const query = new URLSearchParams({ limit: String(PAGE) })
  for (const [name, value] of Object.entries({ bucket, prefix, state, cursor }))
    if (value !== '') query.set(name, value)
  const path = `${OBJECTS}/status?${query}`
  const { value, problem, loading, reload } = useLoaded((signal) => firstOf(query, signal), [path])
  const replay = (title: string, text: string, body: Record<string, unknown>): Question => ({
    title,
    text: `${text} Records stay until the new ones are there.`,
    action: 'Process again',
    async answer() {
      await send({ method: 'POST', path: `${OBJECTS}/replay`, body })
      reload()
    },
  })
  const replayAll = () => {
    const dead = state === 'dead'
    const whole =
      prefix === '' ? `all objects of ${bucket}` : `the objects of ${bucket} whose keys begin with ${prefix}`
    setQuestion(
      replay('Process objects again', `${dead ? 'Only those that were given up, of ' : 'This is for '}${whole}.`, {
        bucket,
        prefix,
        ...(dead && { dead }),
      }),
    )
  }
  return (
    <>
      <div class="row head">
        <h1>Uploads</h1>
        {buckets.value === undefined ? null : <span class="note">Processing is {buckets.value.processing}.</span>}
        <button type="button" class="end" disabled={loading} onClick={reload}>
          Refresh
        </button>
        {mayWrite() && bucket !== '' ? (
          <button type="button" onClick={replayAll}>
            {state === 'dead' ? 'Process the dead again' : 'Process all again'}
          </button>
        ) : null}
      </div>
      <Filter key={`${bucket}/${prefix}`} buckets={buckets.value?.buckets ?? []} />
      <Problem text={problem ?? buckets.problem} />
      <div class={key === '' ? '' : 'beside'}>
        <div>
          {value === undefined ? null : value.objects.length === 0 ? (
            <Empty>{bucket + prefix + state === '' ? 'No objects yet.' : 'No object fits.'}</Empty>
          ) : (
            <States objects={value.objects} selected={`${bucket}/${key}`} />
          )}
          <div class="row pages">
            {cursor === '' ? null : (
              <button type="button" onClick={() => goWith({ cursor: '' })}>
                From the beginning
              </button>
            )}
            {value?.cursor == null ? null : (
              <button type="button" onClick={() => goWith({ cursor: value.cursor ?? '', key: '' })}>
                Next
              </button>
            )}
          </div>
        </div>
        {key === '' || bucket === '' ? null : (
          <One
            bucket={bucket}
            name={key}
            again={() =>
              setQuestion(replay('Process an object again', `This is for ${key} of ${bucket}.`, { bucket, key }))
            }
          />
        )}
      </div>
      <Code
        calls={[
          { method: 'GET', path },
          ...(key === '' || bucket === '' ? [] : [{ method: 'GET', path: statusPath(bucket, key) }]),
          ...(mayWrite() && bucket !== '' && key !== ''
            ? [{ method: 'POST', path: `${OBJECTS}/replay`, body: { bucket, key } }]
            : []),
        ]}
      />
      {question === undefined ? null : <Ask question={question} close={() => setQuestion(undefined)} />}
    </>
  )
}

const statusPath = (bucket: string, key: string) =>
  `${OBJECTS}/buckets/${encodeURIComponent(bucket)}/status?key=${encodeURIComponent(key)}`

/** The first page that has objects. */
async function firstOf(query: URLSearchParams, signal: AbortSignal): Promise<ObjectStatesPage> {
  const asked = new URLSearchParams(query)
  let page = await get<ObjectStatesPage>(`${OBJECTS}/status?${asked}`, signal)
  for (let i = 1; i < MAX_PAGES && page.objects.length === 0 && page.cursor !== null; i++) {
    asked.set('cursor', page.cursor)
    page = await get<ObjectStatesPage>(`${OBJECTS}/status?${asked}`, signal)
  }
  return page
}

function Filter({ buckets }: { buckets: readonly string[] }) {
  const { bucket = '', prefix = '', state = '' } = route.value.params
  const [text, setText] = useState(prefix)
  const names = bucket === '' || buckets.includes(bucket) ? buckets : [bucket, ...buckets]
  const narrow = (change: Record<string, string>) => goWith({ cursor: '', key: '', ...change })
  return (
    <form
      class="row where"
      onSubmit={(event) => {
        event.preventDefault()
        narrow({ prefix: text })
      }}
    >
      <label>
        Bucket
        <br />
        <Select value={bucket} names={names} none="all" choose={(chosen) => narrow({ bucket: chosen })} />
      </label>
      <label>
        State
        <br />
        <Select value={state} names={OBJECT_PROGRESS} none="any" choose={(chosen) => narrow({ state: chosen })} />
      </label>
      <label class="grow">
        Keys that begin with
        <input value={text} autocomplete="off" onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <button type="submit">Apply</button>
    </form>
  )
}

function State({ progress }: { progress: ObjectProgress }) {
  return (
    <span class={`state ${progress}`} title={MEANINGS[progress]}>
      {progress}
    </span>
  )
}

function States({ objects, selected }: { objects: readonly ObjectStatus[]; selected: string }) {
  return (
    <div class="scroll" role="region" aria-label="Objects" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>Object</th>
            <th>State</th>
            <th class="number">Records</th>
            <th>Collections</th>
            <th>Processor</th>
            <th>Changed</th>
          </tr>
        </thead>
        <tbody>
          {objects.map((one) => (
            <tr key={`${one.bucket}/${one.key}`} class={selected === `${one.bucket}/${one.key}` ? 'chosen' : undefined}>
              <td>
                <a
                  href={hashOf({
                    page: 'uploads',
                    params: { ...route.value.params, bucket: one.bucket, key: one.key },
                  })}
                >
                  <Untrusted text={one.key} length={120} />
                </a>
                <div class="note">
                  <bdi>{one.bucket}</bdi>
                </div>
              </td>
              <td>
                <State progress={one.progress} />
                {one.error === undefined ? null : (
                  <div class="note">
                    <Untrusted text={one.error.message} length={140} />
                  </div>
                )}
              </td>
              <td class="number">{count(one.records)}</td>
              <td>
                <Collections names={one.collections} />
              </td>
              <td>{one.processor ?? '–'}</td>
              <td>{one.changedAt === undefined ? '–' : ago(Date.parse(one.changedAt), Date.now())}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Collections({ names }: { names: readonly string[] }) {
  return names.length === 0 ? <>–</> : <Untrusted text={names.join(', ')} length={80} />
}

function One({ bucket, name, again }: { bucket: string; name: string; again: () => void }) {
  const { value, problem } = useLoaded((signal) => get<ObjectStatus>(statusPath(bucket, name), signal), [bucket, name])
  return (
    <aside class="card detail" aria-label="Object">
      <div class="row">
        <h2>
          <Untrusted text={name} />
        </h2>
        <button type="button" class="quiet end" onClick={() => goWith({ key: '' })}>
          Close
        </button>
      </div>
      <Problem text={problem} />
      {value === undefined ? null : (
        <>
          <p>
            <State progress={value.progress} /> {MEANINGS[value.progress]}
            {value.step === undefined ? '' : `, at ${value.step}`}
            {value.retryAt === undefined ? '' : `, again at ${time(Date.parse(value.retryAt))}`}
          </p>
          {value.error === undefined ? null : (
            <p class="problem">
              {value.error.code}: <Untrusted text={value.error.message} />
            </p>
          )}
          <dl class="facts">
            <Fact name="Bucket" text={bucket} />
            <Fact name="Version" text={value.version ?? 'deleted'} />
            <Fact name="Type" text={value.contentType ?? '–'} />
            <Fact name="Processor" text={value.processor ?? '–'} />
            <Fact name="Records" text={count(value.records)} />
            <Fact name="Collections" text={value.collections.join(', ') || '–'} />
            <Fact name="Attempts" text={String(value.attempt)} />
          </dl>
          {Object.keys(value.steps).length === 0 ? null : (
            <>
              <h3>Steps</h3>
              <ul class="points">
                {Object.entries(value.steps).map(([step, { state, reason, durationMs }]) => (
                  <li key={step}>
                    {step}: {state}
                    {durationMs === undefined ? '' : `, ${duration(durationMs)}`}
                    {reason === undefined ? null : (
                      <div class="note">
                        <Untrusted text={reason} length={300} />
                      </div>
                    )}
                  </li>
                ))}
              </ul>
            </>
          )}
          {value.history.length === 0 ? null : (
            <>
              <h3>History</h3>
              <ul class="points">
                {value.history.toReversed().map((one) => (
                  <li key={`${one.atMs}/${one.run}`}>
                    {one.ended}
                    {one.code === undefined ? '' : ` (${one.code})`}, {time(one.atMs)}
                  </li>
                ))}
              </ul>
            </>
          )}
          {mayWrite() ? (
            <div class="row">
              <button type="button" onClick={again}>
                Process again
              </button>
            </div>
          ) : null}
        </>
      )}
    </aside>
  )
}

function Fact({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Untrusted text={text} length={200} />
      </dd>
    </div>
  )
}
