/** Tenants, databases, and the collections of one database. */
import { useState } from 'preact/hooks'
import { chroma, get, ours, ROOT, send } from '../api.ts'
import { ago, bytes, count } from '../format.ts'
import { Ask, Code, Empty, Problem, type Question, Select, Untrusted } from '../parts.tsx'
import { hashOf } from '../route.ts'
import { go, mayWrite, route, useLoaded } from '../state.ts'
import type { CollectionSummary } from '../types.ts'

const PAGE = 100

export function DatabaseView() {
  const { tenant = 'default_tenant', database = 'default_database', params } = route.value
  const place = { tenant, database }
  const offset = Number(params['offset'] ?? 0)
  const path = `${ours(place)}?limit=${PAGE}&offset=${offset}`
  const tenants = useLoaded((signal) => get<{ name: string }[]>(`${ROOT}/tenants`, signal), [])
  const databases = useLoaded(
    (signal) => get<{ name: string }[]>(`/api/v2/tenants/${encodeURIComponent(tenant)}/databases`, signal),
    [tenant],
  )
  const { value, problem, reload } = useLoaded((signal) => get<CollectionSummary[]>(path, signal), [path])
  const [question, setQuestion] = useState<Question>()
  const create: Question = {
    title: 'Create a collection',
    text: 'Texts that are added to it are embedded with the built-in English model, unless they come with vectors.',
    field: 'Name',
    action: 'Create',
    async answer(name) {
      await send({
        method: 'POST',
        path: chroma(place),
        body: { name: name.trim(), configuration: { hnsw: { space: 'cosine' } } },
      })
      reload()
    },
  }
  const remove = (name: string): Question => ({
    title: 'Delete a collection',
    text: `All records and versions of ${name} will be gone.`,
    typed: name,
    action: 'Delete',
    danger: true,
    async answer() {
      await send({ method: 'DELETE', path: `${chroma(place)}/${encodeURIComponent(name)}` })
      reload()
    },
  })
  return (
    <>
      <div class="row head">
        <h1>Collections</h1>
        <Choice
          label="Tenant"
          value={tenant}
          names={tenants.value}
          choose={(one) => go({ tenant: one, database: 'default_database', params: {} })}
        />
        <Choice
          label="Database"
          value={database}
          names={databases.value}
          choose={(one) => go({ tenant, database: one, params: {} })}
        />
        {mayWrite() ? (
          <button type="button" class="primary end" onClick={() => setQuestion(create)}>
            New collection
          </button>
        ) : null}
      </div>
      <Problem text={problem} />
      {value === undefined ? null : value.length === 0 ? (
        <Empty>No collections here yet.</Empty>
      ) : (
        <div class="scroll" role="region" aria-label="Collections" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th>Name</th>
                <th class="number">Records</th>
                <th class="number">Dimension</th>
                <th>Distance</th>
                <th class="number">Size</th>
                <th class="number">Segments</th>
                <th class="number">In the log</th>
                <th class="number">Version</th>
                <th>Created</th>
                {mayWrite() ? (
                  <th>
                    <span class="hidden">Actions</span>
                  </th>
                ) : null}
              </tr>
            </thead>
            <tbody>
              {value.map((one) => (
                <tr key={one.id}>
                  <td>
                    <a href={hashOf({ ...place, collection: one.name, view: 'records' })}>
                      <Untrusted text={one.name} />
                    </a>
                    {typeof one.metadata?.['description'] === 'string' ? (
                      <div class="note">
                        <Untrusted text={one.metadata['description']} length={100} />
                      </div>
                    ) : null}
                  </td>
                  <td class="number">{count(one.records)}</td>
                  <td class="number">{one.dimension ?? '–'}</td>
                  <td>{one.space}</td>
                  <td class="number">{bytes(one.sizeBytes)}</td>
                  <td class="number">{one.segments}</td>
                  <td class="number">{count(one.indexing.unindexedOps)}</td>
                  <td class="number">{one.version}</td>
                  <td>{ago(one.createdAtMs, Date.now())}</td>
                  {mayWrite() ? (
                    <td>
                      <button
                        type="button"
                        class="quiet"
                        aria-label={`Delete ${one.name}`}
                        onClick={() => setQuestion(remove(one.name))}
                      >
                        Delete
                      </button>
                    </td>
                  ) : null}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {value !== undefined && (value.length === PAGE || offset > 0) ? (
        <div class="row">
          <button
            type="button"
            disabled={offset === 0}
            onClick={() => go({ ...place, params: { offset: String(Math.max(0, offset - PAGE)) } })}
          >
            Previous
          </button>
          <button
            type="button"
            disabled={value.length < PAGE}
            onClick={() => go({ ...place, params: { offset: String(offset + PAGE) } })}
          >
            Next
          </button>
        </div>
      ) : null}
      <Code calls={[{ method: 'GET', path }]} />
      {question === undefined ? null : <Ask question={question} close={() => setQuestion(undefined)} />}
    </>
  )
}

function Choice({
  label,
  value,
  names,
  choose,
}: {
  label: string
  value: string
  names: { name: string }[] | undefined
  choose: (name: string) => void
}) {
  const known = (names ?? []).map(({ name }) => name)
  const all = known.includes(value) ? known : [value, ...known]
  return (
    <label class="inline">
      {label}
      <Select value={value} names={all} choose={choose} />
    </label>
  )
}
