/** A small chart of values over time. */
import { useState } from 'preact/hooks'
import { time } from './format.ts'
import { indexAt, pathOf, PLOT_HEIGHT, PLOT_WIDTH, roundUp, type Values } from './plot.ts'

export interface Line {
  name: string
  values: Values
}

export interface ChartProps {
  title: string
  /** At most three. */
  lines: readonly Line[]
  times: readonly number[]
  spanMs: number
  shown: (value: number) => string
  /** The value at the upper edge; by default from the values. */
  highest?: number
  /** Why there is nothing to see. */
  empty: string
}

export function Chart({ title, lines, times, spanMs, shown, highest, empty }: ChartProps) {
  const [pointed, setPointed] = useState<number>()
  const known = lines.flatMap(({ values }) => values.filter((value) => value !== undefined))
  const top = highest ?? roundUp(Math.max(0, ...known))
  const at = pointed === undefined || pointed >= times.length ? times.length - 1 : pointed
  const valueOf = ({ values }: Line) => {
    const value = pointed === undefined ? values.findLast((one) => one !== undefined) : values[at]
    return value === undefined ? '–' : shown(value)
  }
  const point = (event: PointerEvent) => {
    const { left, width } = (event.currentTarget as Element).getBoundingClientRect()
    setPointed(indexAt(times, spanMs, (event.clientX - left) / width))
  }
  return (
    <section class="card chart" aria-label={title}>
      <div class="row">
        <h2>{title}</h2>
        <span class="note end">
          {pointed === undefined || times[at] === undefined ? 'now' : time(times[at]).slice(11)}
        </span>
      </div>
      <ul class="legend">
        {lines.map((line, i) => (
          <li key={line.name}>
            <svg width="12" height="12" aria-hidden="true" class={`line-${i}`}>
              <path d="M1 6H11" />
            </svg>
            {line.name} <strong>{valueOf(line)}</strong>
          </li>
        ))}
      </ul>
      {known.length === 0 ? (
        <p class="note nothing">{empty}</p>
      ) : (
        <div class="plot">
          <span class="note top">{shown(top)}</span>
          <svg
            viewBox={`0 0 ${PLOT_WIDTH} ${PLOT_HEIGHT}`}
            preserveAspectRatio="none"
            role="img"
            aria-label={`${title} over time: ${lines.map((line) => `${line.name} ${valueOf(line)}`).join(', ')}`}
            onPointerMove={point}
            onPointerLeave={() => setPointed(undefined)}
          >
            <path
              class="grid"
              d={`M0 0H${PLOT_WIDTH}M0 ${PLOT_HEIGHT / 2}H${PLOT_WIDTH}M0 ${PLOT_HEIGHT}H${PLOT_WIDTH}`}
            />
            {lines.map((line, i) => (
              <path key={line.name} class={`line-${i}`} d={pathOf(times, line.values, spanMs, top)} />
            ))}
            {pointed === undefined || times[at] === undefined ? null : (
              <path
                class="pointer"
                d={`M${(PLOT_WIDTH * (1 - ((times.at(-1) as number) - times[at]) / spanMs)).toFixed(1)} 0V${PLOT_HEIGHT}`}
              />
            )}
          </svg>
        </div>
      )}
    </section>
  )
}
