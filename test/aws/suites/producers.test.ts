/**
 * Many bare producers of one record each, while their messages wake two compactors: no record is lost, and no busy lease
 * makes a message a dead letter. SILTSTONE_TEST_PRODUCERS=10000 repeats the measurement in docs/how-to/aws/README.md.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  Background,
  bucketLimits,
  closeEnvironment,
  defaultBackground,
  pathOf,
  produce,
  StoreEngine,
  verifyCollection,
} from 'siltstone/internal'
import { openS3Environment } from 'siltstone/aws'
import { addStep, collectionRequest } from 'siltstone/testing'
import {
  openBucket,
  openQueue,
  openTable,
  targets,
  type TestBucket,
  type TestQueue,
  type TestTable,
  variablesOf,
} from '@siltstone/emulated-aws'

const PRODUCERS = Number(process.env['SILTSTONE_TEST_PRODUCERS'] ?? 300)
const AT_ONCE = 24
const DIMENSIONS = 16
/** us-east-1, per request: S3's PUT and LIST, its GET and HEAD, SQS, DynamoDB's writes on demand. */
const PRICES = { write: 0.005 / 1_000, read: 0.0004 / 1_000, message: 0.4 / 1e6, update: 0.625 / 1e6 }

const [target] = targets()

describe.runIf(target !== undefined)('producers', () => {
  let bucket: TestBucket
  let queue: TestQueue
  let table: TestTable

  beforeAll(async () => {
    if (target === undefined) return
    bucket = await openBucket(target)
    queue = await openQueue(target, 5)
    table = await openTable(target)
  })
  afterAll(() => Promise.all([bucket.dispose(), queue.dispose(), table.dispose()]))

  it(`${PRODUCERS} of them lose nothing`, { timeout: 120_000 + PRODUCERS * 100 }, async () => {
    const counts: Record<string, number> = {}
    const place = bucket.url()
    const open = () =>
      openS3Environment(place, {
        variables: {
          ...(target && variablesOf(target)),
          SILTSTONE_QUEUE_URL: queue.url,
          SILTSTONE_LOCK_TABLE: table.name,
        },
        onClient: (client) =>
          addStep(client, 'count', (command, _, next) => {
            counts[command] = (counts[command] ?? 0) + 1
            return next()
          }),
      })
    const envs = [await open(), await open(), await open()] as const
    const [producing, ...compacting] = envs
    const engines = await Promise.all(compacting.map((env) => StoreEngine.open({ env })))
    const reader = await StoreEngine.open({ env: producing })
    const { info } = await reader.catalog.createCollection(collectionRequest('things'))
    const path = pathOf(info)
    const startedMs = performance.now()
    const backgrounds = engines.map((engine) => new Background(engine, { ...defaultBackground, scheduleMs: 600_000 }))
    const left = Array.from({ length: PRODUCERS }, (_, at) => at)
    const producer = async () => {
      for (let at = left.pop(); at !== undefined; at = left.pop()) {
        const vector = Float32Array.from({ length: DIMENSIONS }, (_, place) => Math.sin((at as number) * (place + 1)))
        const record = { op: 'upsert' as const, id: `${at}`, vector, document: null, metadata: null, uri: null }
        await produce(producing, path, { records: [record] }, { maxBytes: bucketLimits.deltaBytes })
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, producer))
    const producedMs = performance.now() - startedMs

    const collection = await reader.collection(info.tenant, info.database, info.id)
    await vi.waitFor(
      async () => {
        const [latest] = await collection.snapshots()
        expect(latest?.liveRecords).toBe(PRODUCERS)
        expect(await producing.queue.depth()).toMatchObject({ visible: 0, inFlight: 0 })
      },
      { timeout: 60_000 + PRODUCERS * 50, interval: 500 },
    )
    const publishedMs = performance.now() - startedMs
    for (const background of backgrounds) await background.close()
    const asked = { ...counts }

    expect(await producing.queue.deadLetters({ maxMessages: 10 })).toEqual([])
    const { problems, liveRecords } = await verifyCollection(producing, path, { deep: true })
    expect({ problems, liveRecords }).toEqual({ problems: [], liveRecords: PRODUCERS })
    for (const engine of [...engines, reader]) await engine.close()
    for (const env of envs) await closeEnvironment(env)

    const of = (...commands: string[]) => commands.reduce((sum, command) => sum + (asked[command] ?? 0), 0)
    const dollars =
      of('PutObject', 'ListObjectsV2') * PRICES.write +
      of('GetObject', 'HeadObject') * PRICES.read +
      of('SendMessageBatch', 'ReceiveMessage', 'DeleteMessageBatch', 'GetQueueAttributes') * PRICES.message +
      of('UpdateItem', 'GetItem') * PRICES.update
    console.log(
      `${PRODUCERS} producers: written after ${(producedMs / 1_000).toFixed(1)} s, published after ` +
        `${(publishedMs / 1_000).toFixed(1)} s, $${dollars.toFixed(4)} of requests: ${JSON.stringify(asked)}`,
    )
  })
})
