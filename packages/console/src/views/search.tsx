/** Search by text, vector or record, why it was answered so, and a second search beside it. */
import { chroma, Refused, send } from '../api.ts'
import { overlap } from '../compare.ts'
import { Code, Empty, Problem, Untrusted } from '../parts.tsx'
import { hashOf } from '../route.ts'
import {
  type Hit,
  insteadOf,
  nearHits,
  type Options,
  rankedHits,
  type Ranking,
  RANKINGS,
  rankingOf,
  textCall,
  vectorCall,
} from '../search-call.ts'
import type { Call } from '../snippets.ts'
import { route, useLoaded } from '../state.ts'
import type { Explanation, FoundRecords, GotRecords, RankedRecords } from '../types.ts'
import type { CollectionProps } from './collection-props.ts'
import { Hits, idOf } from './hits.tsx'
import { COMPARED, type Compared, CompareForm, SearchForm } from './search-form.tsx'
import { Why } from './why.tsx'

interface Found {
  hits: Hit[]
  explanation: Explanation
  tookMs: number
  call: Call
  isByMeaning: boolean
  /** The text as it may have been meant. */
  meant?: string | undefined
  /** Why it was ranked otherwise than asked. */
  note?: string | undefined
}

export function SearchView(props: CollectionProps) {
  const { params } = route.value
  const hasWords = isTextIndexed(props.info.schema)
  const first = useFound(props, params, params['at'] ?? '', false)
  const by = params['by'] as Compared | undefined
  const other = {
    ...params,
    ...(by === 'text' && { text: params['other'] ?? '', like: '', vector: '' }),
    ...(by === 'rank' && { rank: params['other'] ?? '' }),
  }
  const second = useFound(
    props,
    by === undefined ? {} : other,
    by === 'at' ? (params['other'] ?? '') : (params['at'] ?? ''),
    by === 'exact',
  )
  return (
    <>
      <SearchForm rankings={rankingsOf(hasWords)} />
      <Problem text={first.problem} />
      {first.value === undefined ? (
        first.problem === undefined && !isAsked(params) ? (
          <Empty>Ask a question in your own words, or paste a vector.</Empty>
        ) : null
      ) : (
        <>
          <Meant found={first.value} />
          <CompareForm />
          {by === undefined ? (
            <div class="beside wide">
              <Hits hits={first.value.hits} title="Results" />
              <Why {...first.value} />
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
                  <Hits hits={first.value.hits} title="This search" />
                  <Why {...first.value} />
                </div>
                {second.value === undefined ? null : (
                  <div>
                    <Hits hits={second.value.hits} title={COMPARED[by]} other={first.value.hits} />
                    <Why {...second.value} label={`Why ${COMPARED[by]}`} />
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

function isAsked({ text = '', vector = '', like = '' }: Record<string, string>): boolean {
  return text !== '' || vector !== '' || like !== ''
}

function isTextIndexed(schema: CollectionProps['info']['schema']): boolean {
  const { keys } = (schema ?? {}) as { keys?: Record<string, { string?: { fts_index?: { enabled?: boolean } } }> }
  return keys?.['#document']?.string?.fts_index?.enabled ?? true
}

function rankingsOf(hasWords: boolean): Ranking[] {
  return hasWords ? (Object.keys(RANKINGS) as Ranking[]) : ['meaning']
}

function useFound(
  { tenant, database, info }: CollectionProps,
  params: Record<string, string>,
  at: string,
  exact: boolean,
) {
  const path = `${chroma({ tenant, database })}/${info.id}`
  const hasWords = isTextIndexed(info.schema)
  const { text = '', vector = '', like = '', where = '', k = '10' } = params
  const ranking = hasWords ? rankingOf(params['rank']) : 'meaning'
  return useLoaded<Found | undefined>(
    async (signal) => {
      if (!isAsked(params)) return undefined
      const options = { path, where, k: wholeOr(Number(k), 10), at, exact }
      if (text !== '') return byText(text, ranking, options, signal)
      const asked = vector === '' ? await vectorOf(path, like, at, signal) : vectorFrom(vector)
      const call = vectorCall(asked, options)
      const { value, header, tookMs } = await send<FoundRecords>(call, signal)
      return { hits: nearHits(value), explanation: explanationIn(header), tookMs, call, isByMeaning: true }
    },
    [path, text, vector, like, where, k, at, exact, ranking, info.version],
  )
}

/** By meaning and words, or by what the collection has of them. */
async function byText(text: string, ranking: Ranking, options: Options, signal: AbortSignal): Promise<Found> {
  const call = textCall(text, ranking, options)
  try {
    const { value, header, tookMs } = await send<RankedRecords>(call, signal)
    return {
      hits: rankedHits(value, ranking),
      explanation: explanationIn(header),
      tookMs,
      call,
      isByMeaning: ranking !== 'words',
      meant: value.did_you_mean?.[0]?.text,
    }
  } catch (error) {
    const instead = error instanceof Refused ? insteadOf(ranking, error.code) : undefined
    if (instead === undefined) throw error
    const found = await byText(text, instead, options, signal)
    return { ...found, note: `Ranked by ${instead} alone: ${(error as Refused).message}` }
  }
}

function wholeOr(number: number, otherwise: number): number {
  return Number.isInteger(number) && number > 0 ? number : otherwise
}

function explanationIn(header: (name: string) => string | null): Explanation {
  return JSON.parse(header('x-siltstone-explain') ?? '{}') as Explanation
}

function Meant({ found: { meant, note } }: { found: Found }) {
  const { params, ...place } = route.value
  return (
    <>
      {note === undefined ? null : (
        <p class="note" role="status">
          {note}
        </p>
      )}
      {meant === undefined ? null : (
        <p role="status">
          Did you mean{' '}
          <a href={hashOf({ ...place, params: { ...params, text: meant } })}>
            <Untrusted text={meant} length={200} />
          </a>
          ?
        </p>
      )}
    </>
  )
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
