/** The dashboard `ChromaDB-{stack}` in CloudWatch's format. */
import type { Watched } from './alarms.ts'
import { lambda, type Metric, product, sqs } from './metrics.ts'

/** Namespace, name, dimensions in pairs, and display options. */
type MetricRow = (string | { stat?: string; label?: string; id?: string; visible?: boolean; yAxis?: string })[]

export interface Widget {
  type: 'metric' | 'text'
  x: number
  y: number
  width: number
  height: number
  properties: {
    title?: string
    markdown?: string
    region?: string
    view?: 'timeSeries' | 'singleValue'
    period?: number
    stat?: string
    metrics?: MetricRow[]
  }
}

const COLUMNS = 24
const HEIGHT = 6
const HEADER_HEIGHT = 2

type Line = [metric: Metric, stat: string, label?: string]
type Panel = [title: string, lines: Line[]]

export function dashboard(on: Watched, region: string, stack: string): { widgets: Widget[] } {
  const own = (name: Parameters<typeof product>[0]) => product(name, on.compactor)
  const panels: Panel[] = [
    [
      'Compaction',
      [
        [own('CompactionDuration'), 'p50', 'duration p50, ms'],
        [own('CompactionDuration'), 'p99', 'duration p99, ms'],
      ],
    ],
    [
      'Deltas and locks',
      [
        [own('DeltasProcessed'), 'Sum'],
        [own('LockAcquisitionFailed'), 'Sum'],
        [own('CompactionErrors'), 'Sum'],
      ],
    ],
    ['Largest snapshot', [[own('SnapshotSize'), 'Maximum', 'bytes']]],
    [
      'Queue',
      [
        [sqs('ApproximateNumberOfMessagesVisible', on.queue), 'Maximum', 'waiting'],
        [sqs('ApproximateNumberOfMessagesNotVisible', on.queue), 'Maximum', 'in flight'],
        [sqs('ApproximateNumberOfMessagesVisible', on.deadLetterQueue), 'Maximum', 'dead'],
        [own('DeltaQueueDepth'), 'Maximum', 'seen by the compactor'],
      ],
    ],
    ['Age of the oldest message', [[sqs('ApproximateAgeOfOldestMessage', on.queue), 'Maximum', 'seconds']]],
    [
      'Functions: runs',
      (['producer', 'compactor', 'query', 'api'] as const).map(
        (each): Line => [lambda('Invocations', on[each]), 'Sum', each],
      ),
    ],
    [
      'Functions: errors and throttles',
      (['producer', 'compactor', 'query', 'api'] as const).flatMap((each): Line[] => [
        [lambda('Errors', on[each]), 'Sum', `${each} errors`],
        [lambda('Throttles', on[each]), 'Sum', `${each} throttles`],
      ]),
    ],
    [
      'Functions: duration',
      [
        [lambda('Duration', on.compactor), 'Maximum', 'compactor, longest, ms'],
        [lambda('Duration', on.producer), 'p99', 'producer p99, ms'],
        [lambda('UrlRequestLatency', on.query), 'p99', 'query p99, ms'],
        [lambda('UrlRequestLatency', on.api), 'p99', 'api p99, ms'],
      ],
    ],
    ...(on.ingest === undefined ? [] : ingestPanels(on.ingest)),
  ]
  const header: Widget = {
    type: 'text',
    x: 0,
    y: 0,
    width: COLUMNS,
    height: HEADER_HEIGHT,
    properties: {
      markdown:
        `# Siltstone ${stack}\n` +
        `If there are errors or a growing queue, read the log group of \`${on.compactor}\`, then run \`siltstone doctor\`.`,
    },
  }
  return {
    widgets: [
      header,
      ...panels.map(
        ([title, lines], at): Widget => ({
          type: 'metric',
          x: (at % 2) * (COLUMNS / 2),
          y: HEADER_HEIGHT + Math.floor(at / 2) * HEIGHT,
          width: COLUMNS / 2,
          height: HEIGHT,
          properties: {
            title,
            region,
            view: 'timeSeries',
            period: 300,
            metrics: lines.map(([{ namespace, name, dimensions }, stat, label]) => [
              namespace,
              name,
              ...Object.entries(dimensions).flat(),
              { stat, ...(label !== undefined && { label }) },
            ]),
          },
        }),
      ),
    ],
  }
}

function ingestPanels(on: NonNullable<Watched['ingest']>): Panel[] {
  return [
    [
      'Objects',
      [
        [product('objects_done', on.function), 'Sum', 'made searchable'],
        [product('objects_dead', on.function), 'Sum', 'given up'],
        [lambda('Errors', on.function), 'Sum', 'errors of the function'],
      ],
    ],
    [
      'Notifications of objects',
      [
        [sqs('ApproximateNumberOfMessagesVisible', on.queue), 'Maximum', 'waiting'],
        [sqs('ApproximateNumberOfMessagesNotVisible', on.queue), 'Maximum', 'in flight'],
        [sqs('ApproximateNumberOfMessagesVisible', on.deadLetterQueue), 'Maximum', 'dead'],
      ],
    ],
  ]
}
