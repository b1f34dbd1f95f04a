/** Checks what a store on AWS depends on: bucket, queue, table, and bucket settings that could damage it. */
import type { AwsFacts, Fact, QueueFacts } from '../../drivers/aws/inspect.ts'
import { loadAws } from '../../drivers/load-aws.ts'
import { duration } from '../format.ts'
import { type Check, fail, ok, warn } from './check.ts'
import { inspectionServices } from './inspection.ts'
import { checkLifecycle } from './lifecycle.ts'

const SKEW_MS = 5_000
/** A fold of a large log takes minutes; a message that becomes visible again before its end starts another fold. */
const SHORT_VISIBILITY_S = 60
const FEW_RECEIVES = 3

export async function checkAws(url: string): Promise<Check[]> {
  const { inspectAws } = await loadAws()
  const facts = await inspectAws(url, inspectionServices())
  return checksOf(facts)
}

export function checksOf(facts: AwsFacts): Check[] {
  const { bucket } = facts.place
  return [
    checkFact('bucket', facts.bucket, () => ok('bucket', `${bucket} can be reached`), fail),
    ...(facts.conditions ? [checkConditions(facts.conditions)] : []),
    ...(facts.skewMs ? [checkFact('clock', facts.skewMs, checkSkew, fail)] : []),
    ...(facts.versioning ? [checkFact('versioning', facts.versioning, checkVersioning, warn)] : []),
    ...(facts.lifecycle ? checkLifecycle(facts) : []),
    checkQueueSettings(facts),
    ...checkNotification(facts),
    checkTable(facts),
  ]
}

/** @param otherwise verdict when the credentials may not read the fact */
export function checkFact<T>(name: string, fact: Fact<T>, check: (value: T) => Check, otherwise: typeof warn): Check {
  if ('value' in fact) return check(fact.value)
  return otherwise(
    name,
    fact.error.message,
    'Correct the setting, or give these credentials the permission; then run the check again.',
  )
}

function checkConditions(fact: Fact<string | undefined>): Check {
  const name = 'conditional puts'
  return checkFact(
    name,
    fact,
    (problem) =>
      problem === undefined
        ? ok(name, 'honoured, even with concurrent writers')
        : fail(
            name,
            problem,
            'Writers would overwrite each other. Use another object store, or another version of it.',
          ),
    warn,
  )
}

function checkSkew(skewMs: number): Check {
  if (Math.abs(skewMs) <= SKEW_MS) return ok('clock', 'S3 agrees with the machine')
  return warn(
    'clock',
    `S3 is ${duration(Math.abs(skewMs))} ${skewMs < 0 ? 'behind' : 'ahead'}`,
    'Set the machine’s clock (NTP): leases expire too early or too late, and S3 refuses requests beyond 15 minutes.',
  )
}

function checkVersioning(status: 'Enabled' | 'Suspended' | 'off'): Check {
  if (status === 'Enabled') return ok('versioning', 'on')
  return warn(
    'versioning',
    status === 'off' ? 'off' : 'suspended',
    'Turn it on: objects deleted or overwritten by mistake can then be restored.',
  )
}

function checkQueueSettings({ queue, place }: AwsFacts): Check {
  if (queue === undefined)
    return ok('queue settings', 'no queue: wake-up messages stay in one process; other processes compact by schedule')
  return checkFact('queue settings', queue, (facts) => checkQueueFacts(facts, place.queueUrl ?? ''), fail)
}

export function checkQueueFacts({ visibilityS, retentionS, maxReceiveCount, isFifo }: QueueFacts, url: string): Check {
  const name = 'queue settings'
  if (isFifo)
    return fail(name, `${url} is a FIFO queue`, 'Use a standard queue: the order of wake-up messages does not matter.')
  if (maxReceiveCount === undefined)
    return warn(
      name,
      'no dead-letter queue',
      'Add one: otherwise a message that always fails is delivered until it expires.',
    )
  if (maxReceiveCount < FEW_RECEIVES)
    return warn(
      name,
      `messages are dead-lettered after ${maxReceiveCount} receives`,
      'Raise maxReceiveCount to 5: throttled attempts count, too.',
    )
  if (visibilityS < SHORT_VISIBILITY_S)
    return warn(
      name,
      `messages become visible again after ${visibilityS} s`,
      'Raise the visibility timeout to 900 s: compactions that take longer start twice.',
    )
  return ok(
    name,
    `hidden for ${visibilityS} s, kept for ${duration(retentionS * 1_000)}, dead-lettered after ${maxReceiveCount} receives`,
  )
}

function checkNotification({ notifies, queue }: AwsFacts): Check[] {
  if (notifies === undefined || queue === undefined) return []
  const name = 'notification'
  return [
    checkFact(
      name,
      notifies,
      (value) =>
        value
          ? ok(name, 'the bucket notifies a queue of new objects')
          : ok(name, 'none: deltas of producers that send no message wait for the schedule'),
      warn,
    ),
  ]
}

function checkTable({ table }: AwsFacts): Check {
  if (table === undefined) return ok('lock table', 'none: leases are objects in the bucket')
  return checkFact(
    'lock table',
    table,
    ({ hasTimeToLive }) =>
      hasTimeToLive
        ? warn(
            'lock table',
            'items have a time to live',
            'Turn it off: after an item is deleted, its fencing numbers would start again.',
          )
        : ok('lock table', 'readable, and keeps its items'),
    fail,
  )
}
