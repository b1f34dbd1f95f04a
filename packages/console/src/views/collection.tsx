/** One collection: its figures, and the tabs of its views. */
import { get, ours } from '../api.ts'
import { bytes, count } from '../format.ts'
import { Figure, Problem, Untrusted } from '../parts.tsx'
import { hashOf, type View, VIEWS } from '../route.ts'
import { goWith, route, useLoaded } from '../state.ts'
import type { CollectionSummary } from '../types.ts'
import { FieldsView } from './fields.tsx'
import { HistoryView } from './history.tsx'
import { MapView } from './map.tsx'
import { RecordsView } from './records.tsx'
import { SearchView } from './search.tsx'
import { UpkeepView } from './upkeep.tsx'

const TITLES: Record<View, string> = {
  records: 'Records',
  search: 'Search',
  fields: 'Fields',
  map: 'Map',
  history: 'History',
  upkeep: 'Upkeep',
}

export function CollectionView() {
  const { tenant = '', database = '', collection = '', view, params } = route.value
  const own = `${ours({ tenant, database })}/${encodeURIComponent(collection)}`
  const { value: info, problem, reload } = useLoaded((signal) => get<CollectionSummary>(own, signal), [own])
  if (info === undefined) return <Problem text={problem} />
  const props = { tenant, database, info, own, reload }
  const { at = '' } = params
  return (
    <>
      <div class="row head">
        <h1>
          <Untrusted text={info.name} />
        </h1>
        <Figure name="records">{count(info.records)}</Figure>
        <Figure name="dimension">{info.dimension ?? '–'}</Figure>
        <Figure name="distance">{info.space}</Figure>
        <Figure name="size">{bytes(info.sizeBytes)}</Figure>
        <Figure name="version">{info.version}</Figure>
      </div>
      <nav class="tabs" aria-label="Views">
        {VIEWS.map((one) => (
          <a
            key={one}
            href={hashOf({ tenant, database, collection, view: one, params: at === '' ? {} : { at } })}
            aria-current={one === view ? 'page' : undefined}
          >
            {TITLES[one]}
          </a>
        ))}
      </nav>
      {at === '' ? null : (
        <div class="past" role="status">
          You are reading version {at}, not the current one.
          <button type="button" class="quiet" onClick={() => goWith({ at: '' })}>
            Back to now
          </button>
        </div>
      )}
      {view === 'records' ? <RecordsView {...props} /> : null}
      {view === 'search' ? <SearchView {...props} /> : null}
      {view === 'fields' ? <FieldsView {...props} /> : null}
      {view === 'map' ? <MapView {...props} /> : null}
      {view === 'history' ? <HistoryView {...props} /> : null}
      {view === 'upkeep' ? <UpkeepView {...props} /> : null}
    </>
  )
}
