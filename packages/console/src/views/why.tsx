/** Why a search answered so: where the score of each hit comes from, and what the search did. */
import { bytes, count } from '../format.ts'
import { Untrusted } from '../parts.tsx'
import type { Hit, Part } from '../search-call.ts'
import type { Explanation } from '../types.ts'

type Row = [name: string, value: string, meaning: string]

interface WhyProps {
  hits: readonly Hit[]
  explanation: Explanation
  tookMs: number
  /** Vectors were compared. */
  isByMeaning: boolean
  label?: string
}

export function Why({ hits, explanation, tookMs, isByMeaning, label = 'Why' }: WhyProps) {
  const stages = Object.entries(explanation.timesMs ?? {})
  const longest = Math.max(...stages.map(([, ms]) => ms), 0.01)
  const ofVectors: Row[] = [
    ['Segments', count(explanation.segments), 'immutable parts of the snapshot that were searched'],
    ['Clusters', count(explanation.clusters), 'groups of near vectors that were visited'],
    ['Lists read', count(explanation.listsRead), 'lists of codes that were not in memory'],
    ['Codes', count(explanation.entries), 'records whose distance was estimated from one bit per dimension'],
    ['Candidates', count(explanation.candidates), 'of those, records that could be among the nearest'],
    ['Measured', count(explanation.measured), 'candidates whose distance was computed exactly'],
    ['Scanned', count(explanation.scannedRows), 'records measured without an index'],
    ['Fresh', count(explanation.freshRecords), 'records that are only in the log'],
  ]
  const rows: Row[] = [
    ...(isByMeaning ? ofVectors : []),
    ['Rounds', count(explanation.rounds), 'the longest chain of requests that waited for each other'],
    ['Requests', count(explanation.requests), 'requests to the store'],
    ['Read', bytes(explanation.bytesRead), 'bytes from the store, below all caches'],
  ]
  return (
    <aside class="card why" aria-label={label}>
      <h2>Why</h2>
      <Scores hits={hits} />
      <h3>Work</h3>
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

/** A smaller score is better, so parts below 0 raise a hit. */
function Scores({ hits }: { hits: readonly Hit[] }) {
  if (hits.every(({ parts }) => parts.length === 0)) return null
  const isJoined = hits.some(({ parts }) => parts.length > 1)
  return (
    <>
      <h3>Scores</h3>
      {isJoined ? (
        <p class="note">A smaller score is better: ln of the position by meaning, and 1 − BM25 of the words.</p>
      ) : null}
      <ol class="scores" tabIndex={0} aria-label="Scores">
        {hits.map(({ id, score, parts }) => (
          <li key={id}>
            <div class="row">
              <strong>
                <Untrusted text={id} length={60} />
              </strong>
              <span class="end number">{score.toFixed(4)}</span>
            </div>
            {parts.map((part) => (
              <div key={part.name} class="part">
                <span>
                  <b class="capital">{part.name}</b> {foundBy(part)}
                </span>
                {isJoined ? <span class="end number">{signed(part.adds)}</span> : null}
              </div>
            ))}
            <Words parts={parts} />
          </li>
        ))}
      </ol>
    </>
  )
}

function foundBy({ name, position, value }: Part): string {
  if (position === undefined || value === undefined) return 'not found'
  return `position ${position}, ${name === 'words' ? 'BM25' : 'distance'} ${value.toFixed(4)}`
}

function Words({ parts }: Pick<Hit, 'parts'>) {
  const words = parts.flatMap((part) => part.words)
  if (words.length === 0) return null
  return (
    <ul class="words" aria-label="Words">
      {words.map(({ word, count: times, adds }) => (
        <li key={word}>
          <Untrusted text={word} length={40} />
          {times > 1 ? ` ×${times}` : ''} <span class="number">{adds.toFixed(2)}</span>
        </li>
      ))}
    </ul>
  )
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(4)}`
}
