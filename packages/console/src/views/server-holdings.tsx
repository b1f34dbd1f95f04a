/** The databases of a server, and the collections of all of them in one table. */
import { bytes, count } from '../format.ts'
import { type DatabaseOverview, type Overview, sumOf } from '../overview.ts'
import { Empty, Untrusted } from '../parts.tsx'
import { hashOf } from '../route.ts'
import { goWith, route } from '../state.ts'
import type { CollectionSummary } from '../types.ts'

const ROWS = 50

const ORDERS = {
  size: { title: 'Size', value: (one: CollectionSummary) => one.sizeBytes },
  records: { title: 'Records', value: (one: CollectionSummary) => one.records },
  log: { title: 'In the log', value: (one: CollectionSummary) => one.indexing.unindexedOps },
  segments: { title: 'Segments', value: (one: CollectionSummary) => one.segments },
} as const
type Order = keyof typeof ORDERS

const isOrder = (text: string): text is Order => Object.hasOwn(ORDERS, text)

export function HoldingsTable({ overview }: { overview: Overview }) {
  const { databases, hasMore } = overview
  return (
    <>
      <h2>Databases</h2>
      {hasMore ? <p class="note">Only the first tenants, databases and collections are listed here.</p> : null}
      <div class="scroll" role="region" aria-label="Databases" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th>Tenant</th>
              <th>Database</th>
              <th class="number">Collections</th>
              <th class="number">Records</th>
              <th class="number">In the log</th>
              <th class="number">Size</th>
            </tr>
          </thead>
          <tbody>
            {databases.map((one) => (
              <DatabaseRow key={`${one.tenant}/${one.database}`} one={one} />
            ))}
          </tbody>
        </table>
      </div>
      <Collections databases={databases} />
    </>
  )
}

function DatabaseRow({ one }: { one: DatabaseOverview }) {
  const { tenant, database, collections, isForbidden } = one
  return (
    <tr>
      <td>
        <Untrusted text={tenant} />
      </td>
      <td>
        <a href={hashOf({ tenant, database })}>
          <Untrusted text={database} />
        </a>
      </td>
      {isForbidden ? (
        <td colSpan={4}>This token has no access.</td>
      ) : (
        <>
          <td class="number">{`${count(collections.length)}${one.hasMore ? '+' : ''}`}</td>
          <td class="number">{count(sumOf(collections, ({ records }) => records))}</td>
          <td class="number">{count(sumOf(collections, ({ indexing }) => indexing.unindexedOps))}</td>
          <td class="number">{bytes(sumOf(collections, ({ sizeBytes }) => sizeBytes))}</td>
        </>
      )}
    </tr>
  )
}

function Collections({ databases }: { databases: readonly DatabaseOverview[] }) {
  const { sort = '' } = route.value.params
  const order: Order = isOrder(sort) ? sort : 'size'
  const { value } = ORDERS[order]
  const all = databases.flatMap(({ collections }) => collections)
  const rows = all.toSorted((a, b) => value(b) - value(a) || (a.name < b.name ? -1 : 1)).slice(0, ROWS)
  if (all.length === 0) return <Empty>No collections yet.</Empty>
  return (
    <>
      <h2>{all.length > ROWS ? `The first ${ROWS} of ${count(all.length)} collections` : 'Collections'}</h2>
      <div class="scroll" role="region" aria-label="Collections" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th>Name</th>
              <th>Place</th>
              {(Object.keys(ORDERS) as Order[]).map((one) => (
                <th class="number" key={one} aria-sort={one === order ? 'descending' : 'none'}>
                  <button type="button" class="sort" onClick={() => goWith({ sort: one === 'size' ? '' : one })}>
                    {ORDERS[one].title}
                    <span aria-hidden="true">{one === order ? ' ↓' : ''}</span>
                  </button>
                </th>
              ))}
              <th class="number">Version</th>
              <th class="number">Folded up to</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ id, name, tenant, database, ...one }) => (
              <tr key={id}>
                <td>
                  <a href={hashOf({ tenant, database, collection: name, view: 'upkeep' })}>
                    <Untrusted text={name} />
                  </a>
                </td>
                <td class="note">
                  <bdi>{tenant}</bdi> / <bdi>{database}</bdi>
                </td>
                <td class="number">{bytes(one.sizeBytes)}</td>
                <td class="number">{count(one.records)}</td>
                <td class="number">{count(one.indexing.unindexedOps)}</td>
                <td class="number">{one.segments}</td>
                <td class="number">{one.version}</td>
                <td class="number">{one.watermark}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}
