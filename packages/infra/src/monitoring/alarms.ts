/**
 * The alarms, as data. An alarm means that a person has to act, and says what to do. Ordinary events raise no alarm: a
 * busy lease while its holder works, a long merge, a burst of messages, a single failure that a retry repairs, a growing
 * store. The dashboard shows those.
 */
import { lambda, type Metric, product, sqs } from './metrics.ts'

export interface Watched {
  queue: string
  deadLetterQueue: string
  producer: string
  compactor: string
  query: string
  api: string
  scheduleMinutes: number
  /** What makes objects searchable, if there is such a thing. */
  ingest?: { queue: string; deadLetterQueue: string; function: string }
  /** The queue of recordings, if there is one. */
  media?: { deadLetterQueue: string }
  /** The artifact registry, if there is one. */
  registry?: { function: string; maintainHours: number }
}

/** One value: a metric's statistic, or an expression over others by their ids. */
export type Term = { id: string; metric: Metric; statistic: string } | { id: string; expression: string }

export interface Alarm {
  id: string
  /** What is wrong. */
  meaning: string
  /** What to do. */
  action: string
  terms: readonly Term[]
  periodSeconds: number
  evaluationPeriods: number
  comparison: 'GreaterThanThreshold' | 'GreaterThanOrEqualToThreshold' | 'LessThanThreshold'
  threshold: number
  /**
   * The alarm is the absence of data: CloudWatch's state INSUFFICIENT_DATA, after there was some. A new alarm begins in
   * that state, so the first deployment raises no alarm. For other alarms, no data is normal.
   */
  onSilence: boolean
}

const FIVE_MINUTES = 300
const HOUR = 3_600

const simple = (
  id: string,
  meaning: string,
  action: string,
  metric: Metric,
  statistic: string,
  threshold: number,
  changes: Partial<Alarm> = {},
): Alarm => ({
  id,
  meaning,
  action,
  terms: [{ id: 'value', metric, statistic }],
  periodSeconds: FIVE_MINUTES,
  evaluationPeriods: 1,
  comparison: 'GreaterThanThreshold',
  threshold,
  onSilence: false,
  ...changes,
})

/** Failures in a period from which their share is looked at: a single one is repaired by a retry. */
const FEW = 5

/** Percentage of `failed` in `all`; 0 while there are few failures. */
const share = (failed: Metric, all: Metric): readonly Term[] => [
  { id: 'failed', metric: failed, statistic: 'Sum' },
  { id: 'all', metric: all, statistic: 'Sum' },
  { id: 'value', expression: `IF(failed >= ${FEW}, 100 * failed / all, 0)` },
]

export function alarms(on: Watched): Alarm[] {
  const own = (name: Parameters<typeof product>[0]) => product(name, on.compactor)
  /** Long enough for a run of the schedule. */
  const runSeconds = Math.max(FIVE_MINUTES, 60 * Math.ceil(on.scheduleMinutes))
  return [
    ...(on.ingest === undefined ? [] : ingestAlarms(on.ingest)),
    ...(on.media === undefined ? [] : [mediaAlarm(on.media)]),
    ...(on.registry === undefined ? [] : registryAlarms(on.registry)),
    {
      id: 'lock-contention',
      meaning:
        'For twenty minutes folds found their lease taken and no compaction was completed: a holder keeps a lease and does not work',
      action: 'Run "siltstone lease show", and "siltstone lease force" for a lease whose holder does not run any more',
      terms: [
        { id: 'busy', metric: own('LockAcquisitionFailed'), statistic: 'Sum' },
        { id: 'done', metric: own('CompactionDuration'), statistic: 'SampleCount' },
        { id: 'value', expression: 'IF(FILL(done, 0) < 1, FILL(busy, 0), 0)' },
      ],
      periodSeconds: FIVE_MINUTES,
      // Longer than one invocation can hold a lease.
      evaluationPeriods: 4,
      comparison: 'GreaterThanThreshold',
      threshold: 0,
      onSilence: false,
    },
    simple(
      'compaction-errors',
      'Compactions failed in three runs of the schedule in a row',
      'Read compaction_failed in the log group of the compactor, and run "siltstone verify" for the collection that it names',
      own('CompactionErrors'),
      'Sum',
      1,
      { comparison: 'GreaterThanOrEqualToThreshold', periodSeconds: runSeconds, evaluationPeriods: 3 },
    ),
    simple(
      'compaction-without-progress',
      'The compactor ran out of time before it could commit anything',
      'Raise the timeout or the memory of the compactor: it needs more time, or a faster machine',
      own('compaction_without_progress'),
      'Sum',
      0,
    ),
    simple(
      'merge-cannot-fit',
      'Not even the smallest step of a merge that is due fits into the time, memory or scratch disk of the compactor',
      'Raise the timeout, the memory or the ephemeral storage of the compactor, or run "siltstone compact" on a larger machine',
      own('merge_cannot_fit'),
      'Sum',
      0,
    ),
    simple(
      'compactor-errors',
      'The compactor crashed or ran out of time in three runs of the schedule in a row',
      'Read the end of its log: raise memory, disk or timeout, or report the crash',
      lambda('Errors', on.compactor),
      'Sum',
      1,
      { comparison: 'GreaterThanOrEqualToThreshold', periodSeconds: runSeconds, evaluationPeriods: 3 },
    ),
    simple(
      'compactor-throttles',
      'Lambda refuses to run the compactor',
      "Raise the account's quota of concurrent executions, or lower what other functions reserve",
      lambda('Throttles', on.compactor),
      'Sum',
      10,
      { evaluationPeriods: 3 },
    ),
    simple(
      'compactor-silent',
      'The compactor has not run although its schedule is due',
      'Check that the schedule is enabled and that its role may invoke the function',
      lambda('Invocations', on.compactor),
      'Sum',
      1,
      { comparison: 'LessThanThreshold', periodSeconds: 60 * Math.ceil(2 * on.scheduleMinutes), onSilence: true },
    ),
    simple(
      'compaction-storm',
      'The compactor has run more than 2,000 times an hour for three hours',
      'Find what sends the messages (the queue, the bucket notification), and raise the batching window',
      lambda('Invocations', on.compactor),
      'Sum',
      2_000,
      { periodSeconds: HOUR, evaluationPeriods: 3 },
    ),
    simple(
      'delta-accumulation',
      'More than 1,000 wake-up messages have been waiting for half an hour',
      'Check errors and throttles of the compactor; if it works without a pause, raise maxConcurrentCompactions',
      sqs('ApproximateNumberOfMessagesVisible', on.queue),
      'Minimum',
      1_000,
      { evaluationPeriods: 6 },
    ),
    simple(
      'delta-age',
      'A wake-up message has been waiting for more than four hours: it failed more than once, or is not taken',
      'Check errors and throttles of the compactor, and run "siltstone doctor"',
      sqs('ApproximateAgeOfOldestMessage', on.queue),
      'Maximum',
      4 * HOUR,
    ),
    simple(
      'dead-letters',
      'A wake-up message failed until it was set aside',
      'Run "siltstone doctor" for the cause, repair it, then "siltstone doctor --redrive"',
      sqs('ApproximateNumberOfMessagesVisible', on.deadLetterQueue),
      'Maximum',
      0,
    ),
    {
      ...simple(
        'producer-errors',
        'More than one in a hundred runs of the producer fails, and at least five in five minutes',
        'Read the log group of the producer: refused events name the field, other errors the service',
        lambda('Errors', on.producer),
        'Sum',
        1,
      ),
      terms: share(lambda('Errors', on.producer), lambda('Invocations', on.producer)),
      evaluationPeriods: 2,
    },
    ...(['query', 'api'] as const).map(
      (each): Alarm => ({
        ...simple(
          `${each}-errors`,
          `More than one in a hundred answers of the ${each} function is a 5xx, and at least five in five minutes`,
          `Read request_failed and request_refused in the log group of the ${each} function`,
          lambda('Url5xxCount', on[each]),
          'Sum',
          1,
        ),
        terms: share(lambda('Url5xxCount', on[each]), lambda('UrlRequestCount', on[each])),
        evaluationPeriods: 2,
      }),
    ),
  ]
}

const DAY_HOURS = 24
/** CloudWatch looks back a week. */
const MAX_DAYS = 7

/** Of the artifact registry. */
function registryAlarms(on: NonNullable<Watched['registry']>): Alarm[] {
  return [
    {
      ...simple(
        'registry-errors',
        'More than one in a hundred answers of the registry is a 5xx, and at least five in five minutes',
        'Read registry_request_failed in the log group of the registry: it names the operation and the error',
        lambda('Url5xxCount', on.function),
        'Sum',
        1,
      ),
      terms: share(lambda('Url5xxCount', on.function), lambda('UrlRequestCount', on.function)),
      evaluationPeriods: 2,
    },
    simple(
      'registry-throttles',
      'Lambda refuses to run the registry, and its callers are answered 429',
      "Raise registryConcurrency or the account's quota of concurrent executions, or find who calls so often",
      lambda('Throttles', on.function),
      'Sum',
      10,
      { evaluationPeriods: 3 },
    ),
    simple(
      'registry-maintenance',
      'Maintenance of the registry has not succeeded although its schedule was due twice',
      'Read the log group of the registry at the time of the schedule: it lacks a permission, or ran out of time',
      product('registry_maintained', on.function),
      'Sum',
      1,
      {
        comparison: 'LessThanThreshold',
        periodSeconds: DAY_HOURS * HOUR,
        evaluationPeriods: Math.min(MAX_DAYS, Math.ceil((2 * on.maintainHours) / DAY_HOURS)),
        onSilence: true,
      },
    ),
  ]
}

/** Of recordings that become searchable. */
const mediaAlarm = ({ deadLetterQueue }: NonNullable<Watched['media']>): Alarm =>
  simple(
    'media-dead-letters',
    'A message about a recording failed until it was set aside',
    'Read the log group of the function for recordings: its image may not start; the next sweep tells of the recording again',
    sqs('ApproximateNumberOfMessagesVisible', deadLetterQueue),
    'Maximum',
    0,
  )

/** Of objects that become searchable. An object that cannot be read is no fault of the stack: it is dead, with a reason. */
function ingestAlarms(on: NonNullable<Watched['ingest']>): Alarm[] {
  return [
    simple(
      'ingest-age',
      'A notification of an object has been waiting for more than an hour: uploads become searchable late',
      'Check errors and throttles of the ingest function; if it works without a pause, raise maxConcurrency',
      sqs('ApproximateAgeOfOldestMessage', on.queue),
      'Maximum',
      HOUR,
    ),
    simple(
      'ingest-dead-letters',
      'A notification of an object failed until it was set aside',
      'Read object_message_failed in the log group of the ingest function, repair the cause, then move the messages back',
      sqs('ApproximateNumberOfMessagesVisible', on.deadLetterQueue),
      'Maximum',
      0,
    ),
    simple(
      'ingest-throttles',
      'Lambda refuses to run the ingest function',
      "Raise the account's quota of concurrent executions, or lower maxConcurrency",
      lambda('Throttles', on.function),
      'Sum',
      10,
      { evaluationPeriods: 3 },
    ),
    {
      ...simple(
        'ingest-errors',
        'More than one in a hundred runs of the ingest function crashes or runs out of time, and at least five in five minutes',
        'Read the end of its log: raise its memory or timeout, or report the crash',
        lambda('Errors', on.function),
        'Sum',
        1,
      ),
      terms: share(lambda('Errors', on.function), lambda('Invocations', on.function)),
      evaluationPeriods: 2,
    },
    simple(
      'objects-dead',
      'An object was given up: it is damaged, encrypted, of a kind that no processor reads, or failed five times',
      'Run "siltstone objects dead" for the reasons; "siltstone objects replay --dead" tries again',
      product('objects_dead', on.function),
      'Sum',
      0,
    ),
  ]
}
