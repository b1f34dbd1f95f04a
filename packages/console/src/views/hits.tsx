/** The records that a search found. */
import { movesOf } from '../compare.ts'
import { Empty, Metadata, Untrusted } from '../parts.tsx'
import type { Hit } from '../search-call.ts'
import { go } from '../state.ts'

export const idOf = ({ id }: Hit) => id

export function Hits({ hits, title, other }: { hits: readonly Hit[]; title: string; other?: readonly Hit[] }) {
  const moves = other === undefined ? undefined : movesOf(hits.map(idOf), other.map(idOf))
  const scores = hits.map(({ score }) => score)
  // Distances begin at 0; a score has no beginning, so the best one stands for it.
  const least = Math.min(...scores, 0)
  const most = Math.max(...scores, least + 1e-9)
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
              <span class="end distance" title={nameOf(hit)}>
                {hit.score.toFixed(4)}
              </span>
            </div>
            <meter min={least} max={most} value={hit.score} aria-label={nameOf(hit)} />
            <p>
              {hit.fragments.length === 0 ? (
                <Untrusted text={hit.document ?? ''} length={400} />
              ) : (
                <Fragments fragments={hit.fragments} />
              )}
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

const nameOf = ({ parts }: Hit) => (parts.length > 1 ? 'score' : parts[0]?.name === 'words' ? '1 − BM25' : 'distance')

function Fragments({ fragments }: Pick<Hit, 'fragments'>) {
  return (
    <>
      {fragments.map((parts, i) => (
        <bdi key={i} class="untrusted fragment">
          {parts.map((part, k) => (k % 2 === 0 ? part : <mark key={k}>{part}</mark>))}
        </bdi>
      ))}
    </>
  )
}

function Moved({ by }: { by: number | undefined }) {
  if (by === undefined) return <span class="moved new">new</span>
  if (by === 0) return <span class="moved">same place</span>
  return <span class={`moved ${by > 0 ? 'up' : 'down'}`}>{by > 0 ? `up ${by}` : `down ${-by}`}</span>
}
