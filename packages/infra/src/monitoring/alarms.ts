/** The alarms, as data. */
import { lambda, type Metric, product, sqs } from './metrics.ts'

export interface Watched {
  queue: string
  deadLetterQueue: string
  producer: string
  compactor: string
  query: string
  api: string
  scheduleMinutes: number
}

/** One value: a metric's statistic, or an expression over others by their ids. */
export type Term = { id: string; metric: Metric; statistic: string } | { id: string; expression: string }

export interface Alarm {
  id: string
  description: string
  terms: readonly Term[]
  periodSeconds: number
  evaluationPeriods: number
  comparison: 'GreaterThanThreshold' | 'GreaterThanOrEqualToThreshold' | 'LessThanThreshold'
  threshold: number
  /** Missing data is normal, except for the alarm that watches for silence. */
  missingData: 'notBreaching' | 'breaching'
}

const FIVE_MINUTES = 300
const HOUR = 3_600
const DAY = 86_400

const simple = (
  id: string,
  description: string,
  metric: Metric,
  statistic: string,
  threshold: number,
  changes: Partial<Alarm> = {},
): Alarm => ({
  id,
  description,
  terms: [{ id: 'value', metric, statistic }],
  periodSeconds: FIVE_MINUTES,
  evaluationPeriods: 1,
  comparison: 'GreaterThanThreshold',
  threshold,
  missingData: 'notBreaching',
  ...changes,
})

/** Percentage of `part` in `whole`, 0 without data; the last term is the value. */
const share = (part: Term, whole: Term): readonly Term[] => [
  part,
  whole,
  { id: 'value', expression: `IF(${whole.id} > 0, 100 * ${part.id} / ${whole.id}, 0)` },
]

export function alarms(on: Watched): Alarm[] {
  const own = (name: Parameters<typeof product>[0]) => product(name, on.compactor)
  return [
    // A busy lock is not a failure, but this many busy locks mean wasted runs.
    simple('lock-contention', 'Compactions often find the lock taken', own('LockAcquisitionFailed'), 'Sum', 5, {
      evaluationPeriods: 2,
    }),
    simple('lock-storm', 'Compactions constantly find the lock taken', own('LockAcquisitionFailed'), 'Sum', 20, {
      evaluationPeriods: 3,
    }),
    {
      ...simple(
        'lock-busy-share',
        'More than a tenth of the compactions find the lock taken',
        own('SnapshotSize'),
        '',
        10,
      ),
      terms: [
        { id: 'busy', metric: own('LockAcquisitionFailed'), statistic: 'Sum' },
        { id: 'done', metric: own('CompactionDuration'), statistic: 'SampleCount' },
        {
          id: 'value',
          expression:
            'IF(FILL(busy, 0) + FILL(done, 0) >= 10, 100 * FILL(busy, 0) / (FILL(busy, 0) + FILL(done, 0)), 0)',
        },
      ],
      periodSeconds: HOUR,
    },
    simple('compaction-errors', 'A compaction failed', own('CompactionErrors'), 'Sum', 1, {
      comparison: 'GreaterThanOrEqualToThreshold',
    }),
    simple(
      'compaction-p99',
      'One compaction in a hundred takes more than a minute',
      own('CompactionDuration'),
      'p99',
      60_000,
      {
        evaluationPeriods: 3,
      },
    ),
    simple(
      'compaction-duration',
      'The compactor runs for more than 10 minutes',
      lambda('Duration', on.compactor),
      'Maximum',
      600_000,
    ),
    simple('compactor-errors', 'The compactor crashed or ran out of time', lambda('Errors', on.compactor), 'Sum', 1, {
      comparison: 'GreaterThanOrEqualToThreshold',
      evaluationPeriods: 2,
    }),
    simple('compactor-throttles', 'Lambda throttles the compactor', lambda('Throttles', on.compactor), 'Sum', 10, {
      evaluationPeriods: 3,
    }),
    simple(
      'compactor-silent',
      'The schedule does not run the compactor',
      lambda('Invocations', on.compactor),
      'Sum',
      1,
      {
        comparison: 'LessThanThreshold',
        missingData: 'breaching',
        periodSeconds: roundUpToMinutes(2 * on.scheduleMinutes),
        evaluationPeriods: 2,
      },
    ),
    simple(
      'compaction-storm',
      'The compactor runs without a pause',
      lambda('Invocations', on.compactor),
      'Sum',
      2_000,
      {
        periodSeconds: HOUR,
        evaluationPeriods: 3,
      },
    ),
    {
      ...simple('snapshot-growth', 'The largest snapshot grew by a fifth in a day', own('SnapshotSize'), '', 20),
      terms: [
        { id: 'size', metric: own('SnapshotSize'), statistic: 'Maximum' },
        { id: 'value', expression: 'IF(size - DIFF(size) > 100000000, 100 * DIFF(size) / (size - DIFF(size)), 0)' },
      ],
      periodSeconds: DAY,
    },
    simple(
      'delta-accumulation',
      'Wake-up calls accumulate: deltas are not compacted',
      sqs('ApproximateNumberOfMessagesVisible', on.queue),
      'Maximum',
      1_000,
    ),
    simple(
      'delta-age',
      'A wake-up call waits for more than an hour',
      sqs('ApproximateAgeOfOldestMessage', on.queue),
      'Maximum',
      HOUR,
    ),
    simple(
      'dead-letters',
      'A wake-up call failed repeatedly',
      sqs('ApproximateNumberOfMessagesVisible', on.deadLetterQueue),
      'Maximum',
      0,
    ),
    {
      ...simple(
        'producer-errors',
        'More than one in a hundred runs of the producer fails',
        lambda('Errors', on.producer),
        '',
        1,
      ),
      terms: share(
        { id: 'failed', metric: lambda('Errors', on.producer), statistic: 'Sum' },
        { id: 'runs', metric: lambda('Invocations', on.producer), statistic: 'Sum' },
      ),
      evaluationPeriods: 2,
    },
    ...(['query', 'api'] as const).map(
      (each): Alarm => ({
        ...simple(
          `${each}-errors`,
          `More than one in a hundred answers of ${each} is a server error`,
          lambda('Url5xxCount', on[each]),
          '',
          1,
        ),
        terms: share(
          { id: 'failed', metric: lambda('Url5xxCount', on[each]), statistic: 'Sum' },
          { id: 'requests', metric: lambda('UrlRequestCount', on[each]), statistic: 'Sum' },
        ),
        evaluationPeriods: 2,
      }),
    ),
  ]
}

/** Periods of alarms are whole minutes. */
function roundUpToMinutes(minutes: number): number {
  return Math.ceil(minutes) * 60
}
