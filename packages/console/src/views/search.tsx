/** Search by text, vector or record, why it was answered so, and a second search beside it. */
import { useEffect, useState } from 'preact/hooks'
import { chroma, send } from '../api.ts'
import { movesOf, overlap } from '../compare.ts'
import { bytes, count } from '../format.ts'
import { Code, Empty, Metadata, Problem, Untrusted } from '../parts.tsx'
import type { Call } from '../snippets.ts'
import { go, goWith, route, useLoaded } from '../state.ts'
import type { Explanation, FoundRecords, GotRecords } from '../types.ts'
import type { CollectionProps } from './collection-props.ts'
import { jsonProblem } from './where.tsx'

const KINDS = { text: 'a text', vector: 'a vector', like: 'a record' } as const
type Kind = keyof typeof KINDS
const COMPARED = { exact: 'an exact search', text: 'another text', at: 'another version' } as const
type Compared = keyof typeof COMPARED

interface Hit {
  id: string
  distance: number
  document: string | null
  metadata: Record<string, unknown> | null
}

interface Found {
  hits: Hit[]
  explanation: Explanation
  tookMs: number
  call: Call
}

export function SearchView(props: CollectionProps) {
  const { params } = route.value
  const first = useFound(props, params, params['at'] ?? '', false)
  const by = params['by'] as Compared | undefined
  const other = {
    ...params,
    ...(by === 'text' && { text: params['other'] ?? '', like: '', vector: '' }),
  }
  const second = useFound(
    props,
    by === undefined ? {} : other,
    by === 'at' ? (params['other'] ?? '') : (params['at'] ?? ''),
    by === 'exact',
  )
  return (
    <>
      <SearchForm />
      <Problem text={first.problem} />
      {first.value === undefined ? (
        first.problem === undefined && !isAsked(params) ? (
          <Empty>Ask a question in your own words, or paste a vector.</Empty>
        ) : null
      ) : (
        <>
          <CompareForm />
          {by === undefined ? (
            <div class="beside wide">
              <Hits found={first.value} title="Results" />
              <Why found={first.value} />
            </div>
          ) : (
            <>
              <Problem text={second.problem} />
              {second.value === undefined ? null : (
                <p class="note" role="status">
                  {Math.round(overlap(first.value.hits.map(idOf), second.value.hits.map(idOf)) * 100)} % of the hits on
                  the right are on the left.
                </p>
              )}
              <div class="halves">
                <div>
                  <Hits found={first.value} title="This search" />
                  <Why found={first.value} />
                </div>
                {second.value === undefined ? null : (
                  <div>
                    <Hits found={second.value} title={COMPARED[by]} other={first.value} />
                    <Why found={second.value} label={`Why ${COMPARED[by]}`} />
                  </div>
                )}
              </div>
            </>
          )}
          <Code calls={second.value === undefined ? [first.value.call] : [first.value.call, second.value.call]} />
        </>
      )}
    </>
  )
}

const idOf = ({ id }: Hit) => id

function isAsked({ text = '', vector = '', like = '' }: Record<string, string>): boolean {
  return text !== '' || vector !== '' || like !== ''
}

function useFound(
  { tenant, database, info }: CollectionProps,
  params: Record<string, string>,
  at: string,
  exact: boolean,
) {
  const path = `${chroma({ tenant, database })}/${info.id}`
  const { text = '', vector = '', like = '', where = '', k = '10' } = params
  return useLoaded<Found | undefined>(
    async (signal) => {
      if (!isAsked(params)) return undefined
      const asked =
        text !== ''
          ? { query_texts: [text] }
          : { query_embeddings: [vector === '' ? await vectorOf(path, like, at, signal) : vectorFrom(vector)] }
      const call: Call = {
        method: 'POST',
        path: `${path}/query`,
        headers: {
          'x-siltstone-explain': 'true',
          ...(at !== '' && { 'x-siltstone-at': at }),
          ...(exact && { 'x-siltstone-search': 'exact' }),
        },
        body: {
          ...asked,
          n_results: Number(k),
          ...(where !== '' && { where: JSON.parse(where) as unknown }),
          include: ['distances', 'documents', 'metadatas'],
        },
      }
      const { value, header, tookMs } = await send<FoundRecords>(call, signal)
      return {
        hits: hitsOf(value),
        explanation: JSON.parse(header('x-siltstone-explain') ?? '{}') as Explanation,
        tookMs,
        call,
      }
    },
    [path, text, vector, like, where, k, at, exact, info.version],
  )
}

function hitsOf({ ids, distances, documents, metadatas }: FoundRecords): Hit[] {
  return (ids[0] ?? []).map((id, i) => ({
    id,
    distance: distances[0]?.[i] ?? 0,
    document: documents[0]?.[i] ?? null,
    metadata: metadatas[0]?.[i] ?? null,
  }))
}

async function vectorOf(path: string, id: string, at: string, signal: AbortSignal): Promise<number[]> {
  const call = {
    method: 'POST',
    path: `${path}/get`,
    headers: at === '' ? {} : { 'x-siltstone-at': at },
    body: { ids: [id], include: ['embeddings'] },
  }
  const { value } = await send<GotRecords>(call, signal)
  const vector = value.embeddings?.[0]
  if (vector === undefined) throw new Error('The record does not exist any more.')
  return vector
}

function vectorFrom(text: string): number[] {
  const numbers = text
    .replaceAll(/[[\]\s]+/g, ' ')
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(Number)
  if (numbers.length === 0 || numbers.some((one) => !Number.isFinite(one)))
    throw new Error('Give numbers, separated by commas.')
  return numbers
}

function SearchForm() {
  const { params } = route.value
  const [kind, setKind] = useState<Kind>('text')
  const [text, setText] = useState('')
  const [where, setWhere] = useState('')
  const [k, setK] = useState('10')
  const shown = JSON.stringify([params['text'], params['vector'], params['like'], params['where'], params['k']])
  useEffect(() => {
    const now: Kind = params['vector'] ? 'vector' : params['like'] ? 'like' : 'text'
    setKind(now)
    setText(params[now] ?? '')
    setWhere(params['where'] ?? '')
    setK(params['k'] ?? '10')
  }, [shown])
  const problem = jsonProblem(where)
  const submit = (event: Event) => {
    event.preventDefault()
    if (problem === undefined) goWith({ text: '', vector: '', like: '', [kind]: text.trim(), where: where.trim(), k })
  }
  return (
    <form class="card search" role="search" onSubmit={submit}>
      <div class="row">
        <label class="inline">
          Near to
          <select value={kind} onChange={(event) => setKind(event.currentTarget.value as Kind)}>
            {Object.entries(KINDS).map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <label class="grow">
          <span class="hidden">{kind === 'like' ? 'Id of the record' : kind === 'vector' ? 'Vector' : 'Question'}</span>
          <input
            value={text}
            autocomplete="off"
            placeholder={kind === 'text' ? 'How do rivers make stone?' : kind === 'vector' ? '0.1, 0.2, …' : 'id'}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary" disabled={text.trim() === '' || problem !== undefined}>
          Search
        </button>
      </div>
      <div class="row">
        <label class="grow">
          Filter
          <input
            value={where}
            autocomplete="off"
            spellcheck={false}
            placeholder='{"year": {"$gte": 2024}}'
            aria-invalid={problem !== undefined}
            onInput={(event) => setWhere(event.currentTarget.value)}
          />
        </label>
        <label class="inline">
          Results
          <input type="number" min="1" max="200" value={k} onInput={(event) => setK(event.currentTarget.value)} />
        </label>
      </div>
      <Problem text={problem} />
    </form>
  )
}

function CompareForm() {
  const { params } = route.value
  const by = (params['by'] ?? '') as Compared | ''
  const [text, setText] = useState('')
  useEffect(() => setText(params['other'] ?? ''), [params['other']])
  return (
    <form
      class="row compare"
      onSubmit={(event) => {
        event.preventDefault()
        goWith({ other: text.trim() })
      }}
    >
      <label class="inline">
        Compare with
        <select value={by} onChange={(event) => goWith({ by: event.currentTarget.value, other: '' })}>
          <option value="">nothing</option>
          {Object.entries(COMPARED).map(([value, title]) => (
            <option key={value} value={value}>
              {title}
            </option>
          ))}
        </select>
      </label>
      {by === 'text' || by === 'at' ? (
        <>
          <label class="inline grow">
            {by === 'at' ? 'Version' : 'Text'}
            <input
              value={text}
              inputmode={by === 'at' ? 'numeric' : 'text'}
              autocomplete="off"
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
          <button type="submit" disabled={text.trim() === ''}>
            Compare
          </button>
        </>
      ) : null}
    </form>
  )
}

function Hits({ found, title, other }: { found: Found; title: string; other?: Found }) {
  const { hits } = found
  const moves = other === undefined ? undefined : movesOf(hits.map(idOf), other.hits.map(idOf))
  const far = Math.max(...hits.map(({ distance }) => distance), 1e-9)
  return (
    <section aria-label={title}>
      <h2 class="capital">{title}</h2>
      {hits.length === 0 ? <Empty>Nothing matches.</Empty> : null}
      <ol class="hits">
        {hits.map((hit, place) => (
          <li key={hit.id} class="card">
            <div class="row">
              <strong>
                <Untrusted text={hit.id} length={120} />
              </strong>
              {moves === undefined ? null : <Moved by={moves[place]?.by} />}
              <span class="end distance" title="distance">
                {hit.distance.toFixed(4)}
              </span>
            </div>
            <meter min={0} max={far} value={Math.max(0, hit.distance)} aria-label="distance" />
            <p>
              <Untrusted text={hit.document ?? ''} length={400} />
            </p>
            <Metadata value={hit.metadata} />
            <button type="button" class="quiet" onClick={() => go({ view: 'search', params: { like: hit.id } })}>
              More like this
            </button>
          </li>
        ))}
      </ol>
    </section>
  )
}

function Moved({ by }: { by: number | undefined }) {
  if (by === undefined) return <span class="moved new">new</span>
  if (by === 0) return <span class="moved">same place</span>
  return <span class={`moved ${by > 0 ? 'up' : 'down'}`}>{by > 0 ? `up ${by}` : `down ${-by}`}</span>
}

function Why({ found: { explanation, tookMs }, label = 'Why' }: { found: Found; label?: string }) {
  const stages = Object.entries(explanation.timesMs ?? {})
  const longest = Math.max(...stages.map(([, ms]) => ms), 0.01)
  const rows: [string, string, string][] = [
    ['Segments', count(explanation.segments), 'immutable parts of the snapshot that were searched'],
    ['Clusters', count(explanation.clusters), 'groups of near vectors that were visited'],
    ['Lists read', count(explanation.listsRead), 'lists of codes that were not in memory'],
    ['Codes', count(explanation.entries), 'records whose distance was estimated from one bit per dimension'],
    ['Candidates', count(explanation.candidates), 'of those, records that could be among the nearest'],
    ['Measured', count(explanation.measured), 'candidates whose distance was computed exactly'],
    ['Scanned', count(explanation.scannedRows), 'records measured without an index'],
    ['Fresh', count(explanation.freshRecords), 'records that are only in the log'],
    ['Rounds', count(explanation.rounds), 'the longest chain of requests that waited for each other'],
    ['Requests', count(explanation.requests), 'requests to the store'],
    ['Read', bytes(explanation.bytesRead), 'bytes from the store, below all caches'],
  ]
  return (
    <aside class="card why" aria-label={label}>
      <h2>Why</h2>
      <dl>
        {rows.map(([name, value, meaning]) => (
          <div key={name} title={meaning}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <h3>Time</h3>
      <ul class="bars">
        {stages.map(([name, ms]) => (
          <li key={name}>
            <span>{name}</span>
            <meter min={0} max={longest} value={ms} aria-label={name} />
            <span class="number">{ms.toFixed(2)} ms</span>
          </li>
        ))}
      </ul>
      <p class="note">{tookMs.toFixed(0)} ms until the answer was here.</p>
    </aside>
  )
}
