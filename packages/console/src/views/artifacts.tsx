/** The registry's artifacts: their ratings with the reasons, and what was made from what. */
import { useState } from 'preact/hooks'
import { get, ROOT } from '../api.ts'
import { bytes, time, webUri } from '../format.ts'
import { descent } from '../lineage.ts'
import { Code, Empty, Problem, Select, Untrusted } from '../parts.tsx'
import { hashOf } from '../route.ts'
import { about, goWith, route, useLoaded } from '../state.ts'
import { ARTIFACT_TYPES, type ArtifactDetail, type ArtifactMetric, type ArtifactSummary } from '../types.ts'

const PAGE = 50
const ARTIFACTS = `${ROOT}/artifacts`

export function ArtifactsView() {
  if (about.value?.artifacts !== true)
    return (
      <Empty>
        This server has no registry. Start it with <code>siltstone serve --registry</code>.
      </Empty>
    )
  return route.value.params['id'] === undefined ? <Artifacts /> : <Artifact id={route.value.params['id']} />
}

const score = (value: number | null) => (value === null ? '–' : value.toFixed(2))
const linkTo = (id: string) => hashOf({ page: 'artifacts', params: { id } })

function Artifacts() {
  const { text = '', type = '', cursor = '' } = route.value.params
  const query = new URLSearchParams({ limit: String(PAGE) })
  for (const [name, value] of Object.entries({ text, type, cursor })) if (value !== '') query.set(name, value)
  const path = `${ARTIFACTS}?${query}`
  const { value, problem } = useLoaded(
    (signal) => get<{ artifacts: ArtifactSummary[]; cursor: string | null }>(path, signal),
    [path],
  )
  return (
    <>
      <div class="row head">
        <h1>Artifacts</h1>
      </div>
      <Filter key={text} />
      <Problem text={problem} />
      {value === undefined ? null : value.artifacts.length === 0 ? (
        <Empty>{text + type === '' ? 'No artifacts yet.' : 'No artifact fits.'}</Empty>
      ) : (
        <Table artifacts={value.artifacts} />
      )}
      <div class="row pages">
        {cursor === '' ? null : (
          <button type="button" onClick={() => goWith({ cursor: '' })}>
            From the beginning
          </button>
        )}
        {value?.cursor == null ? null : (
          <button type="button" onClick={() => goWith({ cursor: value.cursor ?? '' })}>
            Next
          </button>
        )}
      </div>
      <Code calls={[{ method: 'GET', path }]} />
    </>
  )
}

function Filter() {
  const { text = '', type = '' } = route.value.params
  const [words, setWords] = useState(text)
  return (
    <form
      class="row where"
      onSubmit={(event) => {
        event.preventDefault()
        goWith({ text: words, cursor: '' })
      }}
    >
      <label class="grow">
        About
        <input value={words} autocomplete="off" onInput={(event) => setWords(event.currentTarget.value)} />
      </label>
      <label>
        Type
        <br />
        <Select
          value={type}
          names={ARTIFACT_TYPES}
          none="all"
          choose={(chosen) => goWith({ type: chosen, cursor: '' })}
        />
      </label>
      <button type="submit" class="primary">
        Search
      </button>
    </form>
  )
}

function Table({ artifacts }: { artifacts: readonly ArtifactSummary[] }) {
  return (
    <div class="scroll" role="region" aria-label="Artifacts" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>Name</th>
            <th>Type</th>
            <th class="number">Net score</th>
            <th>Licence</th>
            <th>Tags</th>
            <th>By</th>
          </tr>
        </thead>
        <tbody>
          {artifacts.map((one) => (
            <tr key={one.id}>
              <td>
                <a href={linkTo(one.id)}>
                  <Untrusted text={one.name} length={100} />
                </a>
                <div class="note">
                  <Untrusted text={one.repository ?? one.url ?? ''} length={100} />
                </div>
              </td>
              <td>{one.type}</td>
              <td class="number">{score(one.netScore)}</td>
              <td>
                <Untrusted text={one.licence ?? '–'} length={60} />
              </td>
              <td>
                <Untrusted text={one.tags.join(', ') || '–'} length={80} />
              </td>
              <td>
                <Untrusted text={one.createdBy} length={40} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Artifact({ id }: { id: string }) {
  const path = `${ARTIFACTS}/${encodeURIComponent(id)}`
  const { value, problem } = useLoaded((signal) => get<ArtifactDetail>(path, signal), [path])
  if (value === undefined) return <Problem text={problem} />
  const source = webUri(value.url)
  return (
    <>
      <p class="note">
        <a href={hashOf({ page: 'artifacts' })}>All artifacts</a>
      </p>
      <div class="row head">
        <h1>
          <Untrusted text={value.name} />
        </h1>
        <span class="state">{value.type}</span>
      </div>
      <div class="halves">
        <Rating rating={value.rating} />
        <div>
          <section class="card" aria-label="Facts">
            <h2>Facts</h2>
            <dl class="facts">
              <Fact name="Licence" text={value.licence ?? 'not known'} />
              <Fact name="Size" text={value.sizeBytes === null ? 'not known' : bytes(value.sizeBytes)} />
              <Fact name="Registered" text={`${time(Date.parse(value.createdAt))} by ${value.createdBy}`} />
              <Fact name="Repository" text={value.repository ?? '–'} />
              <Fact name="Tags" text={value.tags.join(', ') || '–'} />
              <Fact name="Id" text={value.id} />
            </dl>
            {source === undefined ? null : (
              <p>
                <a href={source} rel="noreferrer" target="_blank">
                  <Untrusted text={source} />
                </a>
              </p>
            )}
          </section>
          <Lineage artifact={value} />
        </div>
      </div>
      {value.readme === null ? null : (
        <section class="card" aria-label="README">
          <h2>README</h2>
          <p class="document">
            <Untrusted text={value.readme} />
          </p>
        </section>
      )}
      <Code calls={[{ method: 'GET', path }]} />
    </>
  )
}

function Fact({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Untrusted text={text} length={300} />
      </dd>
    </div>
  )
}

function Rating({ rating }: { rating: ArtifactDetail['rating'] }) {
  if (rating === null)
    return (
      <section class="card" aria-label="Rating">
        <h2>Rating</h2>
        <p class="note">Not rated yet.</p>
      </section>
    )
  return (
    <section class="card" aria-label="Rating">
      <div class="row">
        <h2>Rating</h2>
        <strong class="end">{score(rating.netScore.value)}</strong>
      </div>
      <ul class="ratings">
        {rating.metrics.map((metric) => (
          <Metric key={metric.name} metric={metric} />
        ))}
      </ul>
    </section>
  )
}

function Metric({ metric: { name, value, status, reasons } }: { metric: ArtifactMetric }) {
  const title = name.replaceAll('_', ' ')
  return (
    <li>
      <details>
        <summary>
          <span>{title}</span>
          <meter min={0} max={1} value={Math.max(0, value)} aria-label={title} />
          <span class="number">{status === 'measured' ? score(value) : status.replace('_', ' ')}</span>
        </summary>
        {reasons.map(({ text, source, points }) => (
          <p class="note" key={source + text}>
            {points < 0 ? '−' : '+'}
            {Math.abs(points).toFixed(3)} <Untrusted text={text} length={300} /> (
            <Untrusted text={source} length={120} />)
          </p>
        ))}
      </details>
    </li>
  )
}

function Lineage({ artifact: { id, lineage } }: { artifact: ArtifactDetail }) {
  const parts = [
    { title: 'Made from', lines: descent(lineage, id, 'ancestors') },
    { title: 'Made from it', lines: descent(lineage, id, 'descendants') },
  ]
  return (
    <section class="card" aria-label="Lineage">
      <h2>Lineage</h2>
      {parts.map(({ title, lines }) => (
        <div key={title}>
          <h3>{title}</h3>
          {lines.length === 0 ? <p class="note">Nothing that is known.</p> : null}
          <ul class="descent">
            {lines.map(({ node, relation, depth, path }) => (
              <li key={path} class={`depth-${Math.min(depth, 6)}`}>
                {node.id.startsWith('ext-') ? (
                  <Untrusted text={node.name} length={100} />
                ) : (
                  <a href={linkTo(node.id)}>
                    <Untrusted text={node.name} length={100} />
                  </a>
                )}{' '}
                <span class="note">
                  {relation.replaceAll('_', ' ')}
                  {node.id.startsWith('ext-') ? ', not registered' : `, ${score(node.netScore)}`}
                </span>
              </li>
            ))}
          </ul>
        </div>
      ))}
      {lineage.isCut ? <p class="note">There is more than is shown.</p> : null}
    </section>
  )
}
