/** All records, or those that match a filter, in a table of any length. Only the rows in sight are in the document. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { chroma, get, send } from '../api.ts'
import { clip, count, valueText, webUri } from '../format.ts'
import { Ask, Code, Empty, Metadata, Problem, type Question, Untrusted } from '../parts.tsx'
import { go, goWith, mayWrite, route, sentenceOf, useLoaded } from '../state.ts'
import type { FieldsReport, GotRecords } from '../types.ts'
import { ROW_PX, rowWindow } from '../window.ts'
import type { CollectionProps } from './collection-props.ts'
import { WhereForm } from './where.tsx'

const PAGE = 100
const COLUMNS = 3
const SHOWN_CHARS = 20_000

interface Row {
  id: string
  document: string | null
  metadata: Record<string, unknown> | null
  uri: string | null
}

export function RecordsView(props: CollectionProps) {
  const { tenant, database, info, own } = props
  const { where = '', at = '', id } = route.value.params
  const version = at === '' ? String(info.version) : at
  const read = { 'x-siltstone-at': version }
  const path = `${chroma({ tenant, database })}/${info.id}`
  const fields = useLoaded(
    async (signal) => {
      const query = new URLSearchParams({ values: '0', maxRecords: where === '' ? '500' : '1000000', at: version })
      if (where !== '') query.set('where', where)
      return get<FieldsReport>(`${own}/fields?${query}`, signal)
    },
    [own, where, version],
  )
  const total = useLoaded(
    async (signal) => (await send<number>({ method: 'GET', path: `${path}/count?at=${version}` }, signal)).value,
    [path, version],
  )
  const rows = where === '' ? total.value : fields.value?.records
  const columns = (fields.value?.fields ?? [])
    .toSorted((a, b) => b.records - a.records)
    .slice(0, COLUMNS)
    .map(({ key }) => key)
  const request = (offset: number, limit: number) => ({
    method: 'POST',
    path: `${path}/get`,
    headers: read,
    body: {
      ...(where !== '' && { where: JSON.parse(where) as unknown }),
      limit,
      offset,
      include: ['documents', 'metadatas', 'uris'],
    },
  })
  return (
    <>
      <WhereForm where={where} apply={(text) => goWith({ where: text, id: '' })} />
      <Problem text={fields.problem ?? total.problem} />
      {rows === undefined ? null : rows === 0 ? (
        <Empty>{where === '' ? 'No records yet.' : 'No record matches.'}</Empty>
      ) : (
        <>
          <p class="note">
            {count(rows)} {rows === 1 ? 'record' : 'records'}
            {where === '' ? '' : ' match'}
          </p>
          <div class={id === undefined ? '' : 'beside'}>
            <Rows
              key={`${where} ${version}`}
              total={rows}
              columns={columns}
              request={request}
              chosen={id}
              choose={(one) => goWith({ id: one })}
            />
            {id === undefined ? null : <Detail key={id} {...props} id={id} version={version} />}
          </div>
        </>
      )}
      <Code calls={where === '' || fields.problem === undefined ? [request(0, PAGE)] : []} />
    </>
  )
}

interface RowsProps {
  total: number
  columns: readonly string[]
  request: (
    offset: number,
    limit: number,
  ) => { method: string; path: string; headers: Record<string, string>; body: unknown }
  chosen: string | undefined
  choose: (id: string) => void
}

function Rows({ total, columns, request, chosen, choose }: RowsProps) {
  const box = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ scrollPx: 0, heightPx: 600 })
  const pages = useRef(new Map<number, Row[] | 'loading'>())
  const [, redraw] = useState(0)
  const [problem, setProblem] = useState<string>()
  const measure = () => {
    const element = box.current
    if (element) setView({ scrollPx: element.scrollTop, heightPx: element.clientHeight })
  }
  useEffect(() => {
    measure()
    addEventListener('resize', measure)
    return () => removeEventListener('resize', measure)
  }, [])
  const { heightPx, first, rows, topPx } = rowWindow(total, view.scrollPx, view.heightPx)
  const load = async (page: number) => {
    pages.current.set(page, 'loading')
    try {
      const { value } = await send<GotRecords>(request(page * PAGE, PAGE))
      pages.current.set(page, rowsOf(value))
      setProblem(undefined)
    } catch (error) {
      pages.current.delete(page)
      setProblem(sentenceOf(error))
    }
    redraw((count) => count + 1)
  }
  const from = Math.floor(first / PAGE)
  const to = Math.floor((first + rows - 1) / PAGE)
  useEffect(() => {
    // While somebody scrolls fast, pages that are only passed are not loaded.
    const timer = setTimeout(() => {
      for (let page = from; page <= to; page++) if (!pages.current.has(page)) void load(page)
    }, 60)
    return () => clearTimeout(timer)
  }, [from, to])
  const rowAt = (place: number): Row | undefined => {
    const page = pages.current.get(Math.floor(place / PAGE))
    return Array.isArray(page) ? page[place % PAGE] : undefined
  }
  return (
    <div>
      <Problem text={problem} />
      <div class="rows" ref={box} onScroll={measure} role="region" aria-label="Records" tabIndex={0}>
        <div class="rows-head" aria-hidden="true">
          <span class="c-id">id</span>
          <span class="c-document">document</span>
          {columns.map((key) => (
            <span class="c-field" key={key}>
              <bdi>{clip(key, 30)}</bdi>
            </span>
          ))}
        </div>
        <div class="rows-all" style={{ height: `${heightPx}px` }}>
          <ul class="rows-seen" style={{ transform: `translateY(${topPx}px)` }}>
            {Array.from({ length: rows }, (_, i) => {
              const place = first + i
              const row = rowAt(place)
              return (
                <li key={place} style={{ height: `${ROW_PX}px` }} aria-setsize={total} aria-posinset={place + 1}>
                  {row === undefined ? (
                    <span class="waiting" />
                  ) : (
                    <button
                      type="button"
                      class="record"
                      aria-pressed={row.id === chosen}
                      onClick={() => choose(row.id)}
                    >
                      <span class="c-id">
                        <Untrusted text={row.id} length={80} />
                      </span>
                      <span class="c-document">
                        <Untrusted text={(row.document ?? '').slice(0, 400).replaceAll(/\s+/g, ' ')} length={200} />
                      </span>
                      {columns.map((key) => (
                        <span class="c-field" key={key}>
                          <Untrusted
                            text={
                              row.metadata !== null && Object.hasOwn(row.metadata, key)
                                ? valueText(row.metadata[key])
                                : ''
                            }
                            length={60}
                          />
                        </span>
                      ))}
                    </button>
                  )}
                </li>
              )
            })}
          </ul>
        </div>
      </div>
    </div>
  )
}

function rowsOf({ ids, documents, metadatas, uris }: GotRecords): Row[] {
  return ids.map((id, i) => ({
    id,
    document: documents?.[i] ?? null,
    metadata: metadatas?.[i] ?? null,
    uri: uris?.[i] ?? null,
  }))
}

function Detail({ tenant, database, info, id, version, reload }: CollectionProps & { id: string; version: string }) {
  const path = `${chroma({ tenant, database })}/${info.id}`
  const { value, problem } = useLoaded(
    async (signal) => {
      const body = { ids: [id], include: ['documents', 'metadatas', 'uris'] }
      const answer = await send<GotRecords>(
        { method: 'POST', path: `${path}/get`, headers: { 'x-siltstone-at': version }, body },
        signal,
      )
      return rowsOf(answer.value)[0]
    },
    [path, id, version],
  )
  const [whole, setWhole] = useState(false)
  const [question, setQuestion] = useState<Question>()
  const remove: Question = {
    title: 'Delete a record',
    text: 'It can be read at earlier versions for as long as these are kept.',
    action: 'Delete',
    danger: true,
    async answer() {
      await send({ method: 'POST', path: `${path}/delete`, body: { ids: [id] } })
      goWith({ id: '' })
      reload()
    },
  }
  const text = value?.document ?? ''
  const link = webUri(value?.uri ?? null)
  return (
    <aside class="card detail" aria-label="Record">
      <div class="row">
        <h2>
          <Untrusted text={id} length={200} />
        </h2>
        <button type="button" class="quiet end" aria-label="Close the record" onClick={() => goWith({ id: '' })}>
          ✕
        </button>
      </div>
      <Problem text={problem} />
      {value === undefined ? null : (
        <>
          <p class="document">
            <Untrusted text={whole ? text : text.slice(0, SHOWN_CHARS)} />
          </p>
          {!whole && text.length > SHOWN_CHARS ? (
            <button type="button" onClick={() => setWhole(true)}>
              Show all {count(text.length)} characters
            </button>
          ) : null}
          <Metadata value={value.metadata} />
          {value.uri === null ? null : link === undefined ? (
            <p>
              <Untrusted text={value.uri} length={300} />
            </p>
          ) : (
            <p>
              <a href={link} rel="noreferrer noopener" target="_blank">
                <Untrusted text={link} length={300} />
              </a>
            </p>
          )}
          <div class="row">
            <button
              type="button"
              onClick={() =>
                go({
                  view: 'search',
                  params: { like: id, ...(route.value.params['at'] !== undefined && { at: version }) },
                })
              }
            >
              More like this
            </button>
            {mayWrite() && route.value.params['at'] === undefined ? (
              <button type="button" class="quiet" onClick={() => setQuestion(remove)}>
                Delete
              </button>
            ) : null}
          </div>
        </>
      )}
      {question === undefined ? null : <Ask question={question} close={() => setQuestion(undefined)} />}
    </aside>
  )
}
