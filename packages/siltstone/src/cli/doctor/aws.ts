/** What a store on AWS stands on: bucket, queue, table, and the rules of the bucket that could hurt it. */
import type { AwsFacts, Fact, QueueFacts } from '../../drivers/aws/inspect.ts'
import { loadAws } from '../../drivers/load-aws.ts'
import { environmentVariables } from '../../host/process.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemIds } from '../../host/system-ids.ts'
import { systemRandom } from '../../host/system-random.ts'
import { noMetrics, silentLogger } from '../../ports/telemetry.ts'
import { duration } from '../format.ts'
import { type Check, fail, ok, warn } from './check.ts'
import { checkLifecycle } from './lifecycle.ts'

const SKEW_MS = 5_000
/** A fold of a large log takes minutes; a message that shows again meanwhile starts another one. */
const SHORT_VISIBILITY_S = 60
const FEW_RECEIVES = 3

export async function checkAws(url: string): Promise<Check[]> {
  const { inspectAws } = await loadAws()
  const facts = await inspectAws(url, {
    clock: systemClock,
    random: systemRandom,
    ids: systemIds(systemClock, systemRandom),
    log: silentLogger,
    metrics: noMetrics,
    variables: environmentVariables(),
  })
  return checksOf(facts)
}

export function checksOf(facts: AwsFacts): Check[] {
  const { bucket } = facts.place
  return [
    judge('bucket', facts.bucket, () => ok('bucket', `${bucket} can be reached`), fail),
    ...(facts.conditions ? [checkConditions(facts.conditions)] : []),
    ...(facts.skewMs ? [judge('clock', facts.skewMs, checkSkew, fail)] : []),
    ...(facts.versioning ? [judge('versioning', facts.versioning, checkVersioning, warn)] : []),
    ...(facts.lifecycle ? checkLifecycle(facts) : []),
    checkQueueSettings(facts),
    ...checkNotification(facts),
    checkTable(facts),
  ]
}

/** Facts that may not be read are a matter of permissions, and of the check how bad that is. */
function judge<T>(name: string, fact: Fact<T>, check: (value: T) => Check, otherwise: typeof warn): Check {
  if ('value' in fact) return check(fact.value)
  return otherwise(name, fact.error.message, 'Correct it, or give these credentials the permission, and look again.')
}

function checkConditions(fact: Fact<string | undefined>): Check {
  const name = 'conditional puts'
  return judge(
    name,
    fact,
    (problem) =>
      problem === undefined
        ? ok(name, 'honoured, also in a race')
        : fail(name, problem, 'Writers would overwrite each other. Use another server, or another version of it.'),
    warn,
  )
}

function checkSkew(skewMs: number): Check {
  if (Math.abs(skewMs) <= SKEW_MS) return ok('clock', 'S3 agrees with the machine')
  return warn(
    'clock',
    `S3 is ${duration(Math.abs(skewMs))} ${skewMs < 0 ? 'behind' : 'ahead'}`,
    'Set the machine’s clock (NTP): leases are taken too early or too late, and S3 refuses requests from 15 minutes on.',
  )
}

function checkVersioning(status: 'Enabled' | 'Suspended' | 'off'): Check {
  if (status === 'Enabled') return ok('versioning', 'on')
  return warn(
    'versioning',
    status === 'off' ? 'off' : 'suspended',
    'Turn it on: what is deleted or overwritten by mistake can then be brought back.',
  )
}

function checkQueueSettings({ queue, place }: AwsFacts): Check {
  if (queue === undefined)
    return ok('queue settings', 'no queue: wake-up calls stay within a process, others compact by schedule')
  return judge('queue settings', queue, (facts) => judgeQueue(facts, place.queueUrl ?? ''), fail)
}

function judgeQueue({ visibilityS, retentionS, maxReceiveCount, isFifo }: QueueFacts, url: string): Check {
  const name = 'queue settings'
  if (isFifo) return fail(name, `${url} is a FIFO queue`, 'Use a standard queue: order means nothing to wake-up calls.')
  if (maxReceiveCount === undefined)
    return warn(name, 'no dead-letter queue', 'Add one: a message that always fails comes back until it is too old.')
  if (maxReceiveCount < FEW_RECEIVES)
    return warn(
      name,
      `messages are set aside after ${maxReceiveCount} receives`,
      'Raise maxReceiveCount to 5: being throttled counts too.',
    )
  if (visibilityS < SHORT_VISIBILITY_S)
    return warn(
      name,
      `messages show again after ${visibilityS} s`,
      'Raise the visibility timeout to 900 s: compactions that take longer are begun twice.',
    )
  return ok(
    name,
    `hidden for ${visibilityS} s, kept for ${duration(retentionS * 1_000)}, set aside after ${maxReceiveCount} receives`,
  )
}

function checkNotification({ notifies, queue }: AwsFacts): Check[] {
  if (notifies === undefined || queue === undefined) return []
  const name = 'notification'
  return [
    judge(
      name,
      notifies,
      (value) =>
        value
          ? ok(name, 'the bucket tells a queue of new objects')
          : ok(name, 'none: deltas of producers that send no message wait for the schedule'),
      warn,
    ),
  ]
}

function checkTable({ table }: AwsFacts): Check {
  if (table === undefined) return ok('lock table', 'none: leases are objects in the bucket')
  return judge(
    'lock table',
    table,
    ({ hasTimeToLive }) =>
      hasTimeToLive
        ? warn(
            'lock table',
            'items have a time to live',
            'Turn it off: fencing numbers of deleted items would start again.',
          )
        : ok('lock table', 'can be read, and keeps its items'),
    fail,
  )
}
