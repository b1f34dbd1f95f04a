/** What is searched for, by what it is ranked, and what it is compared with. */
import { useEffect, useState } from 'preact/hooks'
import { Problem } from '../parts.tsx'
import { RANKINGS, type Ranking, rankingOf } from '../search-call.ts'
import { goWith, route } from '../state.ts'
import { jsonProblem } from './where.tsx'

const KINDS = { text: 'a text', vector: 'a vector', like: 'a record' } as const
type Kind = keyof typeof KINDS
export const COMPARED = {
  rank: 'another ranking',
  exact: 'an exact search',
  text: 'another text',
  at: 'another version',
} as const
export type Compared = keyof typeof COMPARED

/** The default is left out of addresses. */
const parameterOf = (ranking: string) => (ranking === 'both' ? '' : ranking)

/** @param rankings what a text can be ranked by in this collection */
export function SearchForm({ rankings }: { rankings: readonly Ranking[] }) {
  const { params } = route.value
  const [kind, setKind] = useState<Kind>('text')
  const [text, setText] = useState('')
  const [where, setWhere] = useState('')
  const [k, setK] = useState('10')
  const ranking = rankings.find((one) => one === rankingOf(params['rank'])) ?? (rankings[0] as Ranking)
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
        {kind === 'text' ? (
          <label class="inline">
            Rank by
            <select value={ranking} onChange={(event) => goWith({ rank: parameterOf(event.currentTarget.value) })}>
              {rankings.map((one) => (
                <option key={one} value={one}>
                  {RANKINGS[one]}
                </option>
              ))}
            </select>
          </label>
        ) : null}
        <label class="inline">
          Results
          <input type="number" min="1" max="200" value={k} onInput={(event) => setK(event.currentTarget.value)} />
        </label>
      </div>
      <Problem text={problem} />
    </form>
  )
}

export function CompareForm() {
  const { params } = route.value
  const by = (params['by'] ?? '') as Compared | ''
  const [text, setText] = useState('')
  useEffect(() => setText(params['other'] ?? ''), [params['other']])
  const compared = Object.entries(COMPARED).filter(([one]) => one !== 'rank' || (params['text'] ?? '') !== '')
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
          {compared.map(([value, title]) => (
            <option key={value} value={value}>
              {title}
            </option>
          ))}
        </select>
      </label>
      {by === 'rank' ? (
        <label class="inline">
          Rank by
          <select
            value={rankingOf(params['other'])}
            onChange={(event) => goWith({ other: parameterOf(event.currentTarget.value) })}
          >
            {Object.entries(RANKINGS).map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        </label>
      ) : null}
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
