/** The keys of the metadata, with their most frequent values; a value leads to its records. */
import { get } from '../api.ts'
import { count, valueText } from '../format.ts'
import { Code, Empty, Problem, Untrusted } from '../parts.tsx'
import { go, goWith, route, useLoaded } from '../state.ts'
import type { FieldsReport } from '../types.ts'
import type { CollectionProps } from './collection-props.ts'
import { WhereForm } from './where.tsx'

const VALUES = 12

export function FieldsView({ own, info }: CollectionProps) {
  const { where = '', at = '' } = route.value.params
  const query = new URLSearchParams({ values: String(VALUES) })
  if (where !== '') query.set('where', where)
  if (at !== '') query.set('at', at)
  const path = `${own}/fields?${query}`
  const { value, problem, loading } = useLoaded((signal) => get<FieldsReport>(path, signal), [path, info.version])
  const open = (key: string, wanted: unknown, isList: boolean) => {
    const clause = isList ? { [key]: { $contains: wanted } } : { [key]: wanted }
    const combined = where === '' ? clause : { $and: [JSON.parse(where) as unknown, clause] }
    go({ view: 'records', params: { where: JSON.stringify(combined), ...(at !== '' && { at }) } })
  }
  return (
    <>
      <WhereForm where={where} apply={(text) => goWith({ where: text })} />
      <Problem text={problem} />
      {value === undefined ? (
        loading ? (
          <p class="note">Reading metadata …</p>
        ) : null
      ) : value.fields.length === 0 ? (
        <Empty>No record has metadata.</Empty>
      ) : (
        <>
          <p class="note">
            Of {value.complete ? 'all' : 'the first'} {count(value.records)} records{where === '' ? '' : ' that match'}.
          </p>
          <div class="facets">
            {value.fields.map((field) => (
              <section class="card" key={field.key} aria-label={field.key}>
                <h2>
                  <Untrusted text={field.key} length={60} />
                </h2>
                <p class="note">
                  {field.types.join(', ')} · {count(field.records)} records · {count(field.distinct)}
                  {field.uncounted ? ' or more' : ''} values
                </p>
                <ul class="bars">
                  {field.values.map(({ value: one, records }) => (
                    <li key={`${typeof one}${valueText(one)}`}>
                      <button
                        type="button"
                        class="link"
                        onClick={() =>
                          open(
                            field.key,
                            one,
                            field.types.some((type) => type.endsWith('[]')),
                          )
                        }
                      >
                        <Untrusted text={valueText(one)} length={60} />
                      </button>
                      <meter
                        min={0}
                        max={field.values[0]?.records ?? 1}
                        value={records}
                        aria-label={`${count(records)} records`}
                      />
                      <span class="number">{count(records)}</span>
                    </li>
                  ))}
                </ul>
              </section>
            ))}
          </div>
        </>
      )}
      <Code calls={[{ method: 'GET', path }]} />
    </>
  )
}
