/** Records as points, near each other where their vectors are, coloured by a key of the metadata. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { get } from '../api.ts'
import { count, valueText } from '../format.ts'
import { Code, Empty, Problem, Untrusted } from '../parts.tsx'
import { colored, nearestPoint, type Place, placesOf } from '../picture.ts'
import { go, goWith, route, useLoaded } from '../state.ts'
import type { FieldsReport, MapReport } from '../types.ts'
import type { CollectionProps } from './collection-props.ts'

const HEIGHT_PX = 520
const SIZES = ['500', '2000', '10000']

export function MapView({ own, info }: CollectionProps) {
  const { key = '', records = '2000', at = '' } = route.value.params
  const query = new URLSearchParams({ records })
  if (key !== '') query.set('key', key)
  if (at !== '') query.set('at', at)
  const path = `${own}/map?${query}`
  const { value: map, problem, loading } = useLoaded((signal) => get<MapReport>(path, signal), [path, info.version])
  const fields = useLoaded(
    (signal) => get<FieldsReport>(`${own}/fields?values=1&maxRecords=2000`, signal),
    [own, info.version],
  )
  const keys = (fields.value?.fields ?? [])
    .filter(({ types }) => !types.includes('sparse_vector'))
    .map((field) => field.key)
  return (
    <>
      <div class="row where">
        <label>
          Colour by
          <select value={key} onChange={(event) => goWith({ key: event.currentTarget.value })}>
            <option value="">nothing</option>
            {(key === '' || keys.includes(key) ? keys : [key, ...keys]).map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
        <label>
          Points
          <select value={records} onChange={(event) => goWith({ records: event.currentTarget.value })}>
            {SIZES.map((one) => (
              <option key={one} value={one}>
                {count(Number(one))}
              </option>
            ))}
          </select>
        </label>
        {loading ? <p class="note">Drawing …</p> : null}
      </div>
      <Problem text={problem} />
      {map === undefined ? null : map.ids.length === 0 ? <Empty>No record has a vector.</Empty> : <Picture map={map} />}
      <Code calls={[{ method: 'GET', path }]} />
    </>
  )
}

function Picture({ map }: { map: MapReport }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const places = useRef<Place[]>([])
  const [chosen, setChosen] = useState<number>()
  const { colors, legend } = useMemo(() => colored(map.values, map.ids.length), [map])
  useEffect(() => setChosen(undefined), [map])
  useEffect(() => {
    const element = canvas.current
    if (element === null) return undefined
    const paint = () => {
      places.current = placesOf(map.x, map.y, element.clientWidth, HEIGHT_PX)
      draw(element, places.current, colors, chosen)
    }
    paint()
    const observer = new ResizeObserver(paint)
    observer.observe(element)
    return () => observer.disconnect()
  }, [map, colors, chosen])
  const open = () => {
    const id = chosen === undefined ? undefined : map.ids[chosen]
    if (id !== undefined) go({ view: 'records', params: { id } })
  }
  const press = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (event.key === 'Enter') open()
    if (step === undefined) return
    event.preventDefault()
    setChosen(((chosen ?? (step === 1 ? -1 : 0)) + step + map.ids.length) % map.ids.length)
  }
  const share = Math.round((map.explained[0] + map.explained[1]) * 100)
  return (
    <>
      <p class="note">
        {count(map.ids.length)} of {count(map.records)} records. Their two principal components show {share} % of the
        variance.
      </p>
      <canvas
        ref={canvas}
        class="map"
        height={HEIGHT_PX}
        tabIndex={0}
        role="application"
        aria-label="Map of the records: arrow keys go from point to point, Enter opens the record"
        onPointerMove={(event) =>
          setChosen(nearestPoint(places.current, { left: event.offsetX, top: event.offsetY }) ?? undefined)
        }
        onPointerLeave={() => setChosen(undefined)}
        onClick={open}
        onKeyDown={press}
      />
      <p class="note point" role="status">
        {chosen === undefined ? (
          'Point at a record to see its id; click to open it.'
        ) : (
          <>
            <Untrusted text={map.ids[chosen] ?? ''} length={80} />
            {map.values === null || map.values[chosen] === null ? null : (
              <>
                : <Untrusted text={valueText(map.values[chosen])} length={80} />
              </>
            )}
          </>
        )}
      </p>
      {legend.length === 0 ? null : (
        <ul class="legend" aria-label="Colours">
          {legend.map(({ value, color, records }) => (
            <li key={value ?? ''}>
              <svg width="12" height="12" aria-hidden="true">
                <circle cx="6" cy="6" r="5" fill={color} />
              </svg>
              {value === undefined ? 'others' : <Untrusted text={value} length={40} />} ({count(records)})
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function draw(
  canvas: HTMLCanvasElement,
  places: readonly Place[],
  colors: readonly string[],
  chosen: number | undefined,
): void {
  const ratio = devicePixelRatio
  canvas.width = canvas.clientWidth * ratio
  canvas.height = HEIGHT_PX * ratio
  const context = canvas.getContext('2d')
  if (context === null) return
  context.scale(ratio, ratio)
  const radius = places.length > 3_000 ? 1.6 : places.length > 800 ? 2.4 : 4
  context.globalAlpha = 0.75
  for (const [i, { left, top }] of places.entries()) {
    context.fillStyle = colors[i] ?? ''
    context.beginPath()
    context.arc(left, top, radius, 0, 2 * Math.PI)
    context.fill()
  }
  const place = chosen === undefined ? undefined : places[chosen]
  if (place === undefined) return
  context.globalAlpha = 1
  context.lineWidth = 2
  context.strokeStyle = getComputedStyle(canvas).color
  context.beginPath()
  context.arc(place.left, place.top, radius + 4, 0, 2 * Math.PI)
  context.stroke()
}
