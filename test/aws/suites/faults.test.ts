/** The contracts again, with lost answers and temporarily refused requests. The faults are regular, so a run is repeatable. */
import { describe } from 'vitest'
import { DynamoDbLeases, type HasMiddleware, Requests } from 'siltstone/internal/aws'
import { addStep, jsonError, lost, s3Error } from 'siltstone/testing'
import { describeLeases, describeObjectStore } from 'siltstone/contracts'
import { systemClock } from 'siltstone/internal'
import { openBucket, openTable, parts, targets } from '@siltstone/emulated-aws'
import { deviationsOf } from '../deviations.ts'

const PUTS = new Set(['PutObject', 'CompleteMultipartUpload'])
const [target] = targets()
/** Needs thousands of puts, to test listings. */
const WITHOUT = ['gives 1,000 keys a page', 'agrees with sorting and grouping all keys by hand'].map((test) => ({
  test,
  reason: 'about listings, which the suite without faults tests',
}))

/**
 * The first put of every third object loses its answer, that of every second one meets a conflict; every seventh read
 * is refused with SlowDown.
 */
function spoilS3(client: HasMiddleware): void {
  const seen = { conflict: new Set<string>(), lost: new Set<string>() }
  let reads = 0
  const isFirst = (of: Set<string>, path: string) => of.size !== of.add(path).size
  addStep(client, 'faults', async (command, { path }, next) => {
    if (!PUTS.has(command)) return ++reads % 7 === 0 ? s3Error(503, 'SlowDown') : next()
    if (isFirst(seen.conflict, path) && seen.conflict.size % 2 === 0) return s3Error(409, 'ConditionalRequestConflict')
    const answer = await next()
    if (answer.statusCode === 200 && isFirst(seen.lost, path) && seen.lost.size % 3 === 0) throw lost()
    return answer
  })
}

/** Every third change that succeeds loses its answer, every fourth request is throttled. */
function spoilDynamoDb(client: HasMiddleware): void {
  const counts = { all: 0, done: 0 }
  addStep(client, 'faults', async (command, _, next) => {
    if (++counts.all % 4 === 0) return jsonError(400, 'ProvisionedThroughputExceededException')
    const answer = await next()
    if (command === 'UpdateItem' && answer.statusCode === 200 && ++counts.done % 3 === 0) throw lost()
    return answer
  })
}

// oxlint-disable-next-line vitest/no-conditional-tests -- there is nothing to test without a server
if (target !== undefined)
  describe(`${target.name}, with faults`, () => {
    const open = async () => {
      const bucket = await openBucket(target)
      const store = bucket.store({ onClient: spoilS3 })
      return {
        store,
        dispose: async () => {
          await store.close()
          await bucket.dispose()
        },
      }
    }
    describeObjectStore('S3', open, [...WITHOUT, ...deviationsOf(target)])

    describeLeases('DynamoDB', async (clock) => {
      const table = await openTable(target)
      const client = table.newClient()
      spoilDynamoDb(client)
      // The contract's clock stands still; the waits between attempts are real.
      const waiting = { ...systemClock, nowMs: () => clock.nowMs() }
      const requests = new Requests('dynamodb', { ...parts, clock: waiting })
      const leases = new DynamoDbLeases(table.name, { client, clock, requests })
      return {
        leases,
        dispose: async () => {
          await leases.close()
          await table.dispose()
        },
      }
    })
  })
