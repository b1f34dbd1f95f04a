/** The built bundles, as Lambda would run them, on MiniStack's S3, SQS and DynamoDB. */
import type { SQSBatchResponse } from 'aws-lambda'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  openBucket,
  openQueue,
  openTable,
  parts,
  targets,
  type TestBucket,
  type TestQueue,
  type TestTable,
  variablesOf,
} from '@siltstone/emulated-aws'
import { parseS3Place, Requests, S3ObjectStore, SqsQueue } from 'siltstone/internal/aws'
import { type QueueMessage, systemClock } from 'siltstone/internal'
import type { OrderResult } from '../src/compactor.ts'
import type { ProducerAnswer } from '../src/producer.ts'
import { type FunctionName, LambdaFunction } from './lambda.ts'

const ROOT = '/api/v2/tenants/default_tenant/databases/default_database/collections'
const [target] = targets()
if (target === undefined) throw new Error('no server')

interface HttpAnswer {
  statusCode: number
  body: string
  headers: Record<string, string>
}

describe('functions', () => {
  let bucket: TestBucket
  let made: TestQueue
  let queue: SqsQueue
  let table: TestTable
  let place: string
  let store: S3ObjectStore
  let running: Map<FunctionName, LambdaFunction>

  beforeEach(async () => {
    bucket = await openBucket(target)
    made = await openQueue(target, 5)
    table = await openTable(target)
    place = bucket.url()
    const requests = new Requests('sqs', parts)
    queue = new SqsQueue(made.url, { client: made.newClient(), clock: systemClock, requests })
    store = S3ObjectStore.open(parseS3Place(place, variablesOf(target)), parts)
    running = new Map()
  })
  afterEach(async () => {
    for (const each of running.values()) await each.end()
    await Promise.all([queue.close(), store.close()])
    await Promise.all([bucket.dispose(), made.dispose(), table.dispose()])
  })

  function lambda(name: FunctionName): LambdaFunction {
    const known = running.get(name)
    if (known !== undefined) return known
    const one = new LambdaFunction(name, {
      ...variablesOf(target as NonNullable<typeof target>),
      SILTSTONE_DATA: place,
      SILTSTONE_QUEUE_URL: made.url,
      SILTSTONE_LOCK_TABLE: table.name,
    })
    running.set(name, one)
    return one
  }

  async function http(name: 'query' | 'api', method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    return lambda(name).invoke<HttpAnswer>({
      version: '2.0',
      routeKey: '$default',
      rawPath: path,
      rawQueryString: '',
      headers: { 'content-type': 'application/json', host: 'x.lambda-url.us-east-1.on.aws' },
      requestContext: { http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' } },
      isBase64Encoded: false,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }

  async function newCollection(name: string): Promise<string> {
    const answer = await http('api', 'POST', ROOT, { name, get_or_create: true })
    expect(answer.statusCode).toBe(200)
    return (JSON.parse(answer.body) as { id: string }).id
  }

  const idsIn = async (collection: string): Promise<string[]> => {
    const answer = await http('query', 'POST', `${ROOT}/${collection}/get`, { include: [] })
    expect(answer.statusCode).toBe(200)
    return (JSON.parse(answer.body) as { ids: string[] }).ids.sort()
  }

  const receive = () => queue.receive({ maxMessages: 10, visibilityMs: 30_000, waitMs: 2_000 })
  const eventOf = (messages: readonly Pick<QueueMessage, 'id' | 'body'>[]) => ({
    Records: messages.map(({ id, body }) => ({ messageId: id, body, eventSource: 'aws:sqs' })),
  })
  const manifests = async () => (await bucket.keys()).filter((key) => key.includes('/manifest/'))
  const produce = (collection: string, id: string) =>
    lambda('producer').invoke<ProducerAnswer>({
      collection_id: collection,
      records: [{ id, document: `Silt settles where water slows down, ${id}.`, metadata: { page: 3 } }],
    })

  it('carry records from the producer to the query, through queue and compactor', async () => {
    const id = await newCollection('notes')
    const produced = await produce(id, 'a')
    expect(produced).toMatchObject({ item_count: 1 })
    expect(produced.delta_key).toContain(`${id}/inbox/`)
    // At once, from the inbox.
    expect(await idsIn(id)).toEqual(['a'])

    const messages = await receive()
    expect(messages).toHaveLength(1)
    expect(await lambda('compactor').invoke<SQSBatchResponse>(eventOf(messages))).toEqual({ batchItemFailures: [] })
    expect(await manifests()).toHaveLength(1)
    const found = await http('query', 'POST', `${ROOT}/${id}/query`, {
      query_texts: ['why do rivers drop mud?'],
      n_results: 1,
    })
    expect(JSON.parse(found.body)).toMatchObject({ ids: [['a']] })

    // Only the product's metrics, with one dimension.
    const written = lambda('compactor')
      .logged()
      .flatMap((line) => (line['_aws'] as { CloudWatchMetrics: unknown[] } | undefined)?.CloudWatchMetrics ?? [])
    expect(written.length).toBeGreaterThan(0)
    for (const each of written)
      expect(each).toMatchObject({ Namespace: 'ChromaDB/Compaction', Dimensions: [['service']] })
    const names = new Set(
      written.flatMap((each) => (each as { Metrics: { Name: string }[] }).Metrics.map((m) => m.Name)),
    )
    expect([...names].sort()).toEqual(['CompactionDuration', 'DeltaQueueDepth', 'DeltasProcessed', 'SnapshotSize'])

    // A new container, to measure its cold start.
    await lambda('query').end()
    running.delete('query')
    expect(await idsIn(id)).toEqual(['a'])
    console.log(
      `query: ${Math.round(lambda('query').coldStartMs ?? 0)} ms from the process's start to its first answer`,
    )
  })

  it('write through the api, wake the compactor before they answer, and refuse writes to the query function', async () => {
    const id = await newCollection('notes')
    const upsert = { ids: ['1', '2'], documents: ['Silt settles.', 'Bread rises.'] }
    expect((await http('api', 'POST', `${ROOT}/${id}/upsert`, upsert)).statusCode).toBe(200)
    expect((await queue.depth()).visible).toBe(1)
    expect(await idsIn(id)).toEqual(['1', '2'])
    expect((await http('query', 'POST', `${ROOT}/${id}/upsert`, upsert)).statusCode).toBe(403)
    expect((await http('query', 'GET', '/api/v2/heartbeat')).statusCode).toBe(200)
  })

  it('accept notifications of S3, drop unknown messages, and tolerate duplicates', async () => {
    const id = await newCollection('notes')
    const { delta_key: key } = await produce(id, 'a')
    const whole = `${parseS3Place(place, {}).prefix}${key}`
    const told = JSON.stringify({
      Records: [
        {
          eventName: 'ObjectCreated:Put',
          s3: { bucket: { name: bucket.name }, object: { key: encodeURIComponent(whole).replaceAll('%2F', '/') } },
        },
      ],
    })
    const bodies = [told, told, JSON.stringify({ Event: 's3:TestEvent' }), 'not JSON', '{}', 'null']
    const event = eventOf(bodies.map((body, at) => ({ id: String(at), body })))
    expect(await lambda('compactor').invoke(event)).toEqual({ batchItemFailures: [] })
    expect(await manifests()).toHaveLength(1)
  })

  it('report only the messages that failed', async () => {
    const good = await newCollection('good')
    const bad = await newCollection('bad')
    await produce(good, 'a')
    const { delta_key: key } = await produce(bad, 'b')
    const path = key.split('/')[1] as string
    await store.put(`snapshot/${path}/latest/pointer.txt`, Buffer.from('nonsense'))
    const messages = await receive()
    const failing = messages.filter(({ body }) => body.includes(bad)).map(({ id }) => id)
    expect(failing).toHaveLength(1)
    const { batchItemFailures } = await lambda('compactor').invoke<SQSBatchResponse>(eventOf(messages))
    expect(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(failing)
    expect((await manifests()).filter((one) => one.includes(good))).toHaveLength(1)
  })

  it('stop in time, and continue later', async () => {
    const id = await newCollection('notes')
    await produce(id, 'a')
    const messages = await receive()
    const event = eventOf(messages)
    expect(await lambda('compactor').invoke(event, { remainingMs: 0 })).toEqual({ batchItemFailures: [] })
    expect(await manifests()).toHaveLength(0)
    expect(await queue.depth()).toMatchObject({ delayed: 1 })
    // Leases were released, so the next invocation works at once.
    expect(await lambda('compactor').invoke(event)).toEqual({ batchItemFailures: [] })
    expect(await manifests()).toHaveLength(1)
  })

  it('find by schedule what no message announced, and compact the named collections', async () => {
    const first = await newCollection('first')
    const second = await newCollection('second')
    await produce(first, 'a')
    const { delta_key: key } = await produce(second, 'b')
    const path = key.split('/')[1] as string
    const told = await lambda('compactor').invoke<OrderResult>({ source: 'manual', collections: [path] })
    expect(told.compacted).toMatchObject([{ collection: path, status: 'done', entriesFolded: 1 }])
    const scheduled = await lambda('compactor').invoke<OrderResult>({ source: 'scheduled', action: 'compact' })
    expect(scheduled.compacted.map(({ status }) => status)).toEqual(['done', 'done'])
    expect(await manifests()).toHaveLength(2)
  })

  it('compact once when two are woken for the same collection', async () => {
    const id = await newCollection('notes')
    for (const each of ['a', 'b', 'c']) await produce(id, each)
    const event = eventOf(await receive())
    const other = new LambdaFunction('compactor', {
      ...variablesOf(target),
      SILTSTONE_DATA: place,
      SILTSTONE_QUEUE_URL: made.url,
      SILTSTONE_LOCK_TABLE: table.name,
    })
    try {
      const answers = await Promise.all([lambda('compactor').invoke(event), other.invoke(event)])
      expect(answers).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }])
    } finally {
      await other.end()
    }
    expect(await idsIn(id)).toEqual(['a', 'b', 'c'])
  })

  it.each([
    ['no collection', { records: [{ id: 'a', document: 'x' }] }, 'collection_id'],
    ['no records', { collection_id: '7a3bbd1c-92a3-4a2e-8f3c-6d0c7e9d3b11', records: [] }, 'records'],
    ['a record without an id', { collection_id: '7a3bbd1c-92a3-4a2e-8f3c-6d0c7e9d3b11', records: [{}] }, 'records[0]'],
    [
      'neither vector nor document',
      { collection_id: '7a3bbd1c-92a3-4a2e-8f3c-6d0c7e9d3b11', records: [{ id: 'a' }] },
      'neither',
    ],
  ])('refuse %s in words', async (_, event, word) => {
    await expect(lambda('producer').invoke(event)).rejects.toThrow(word)
  })
})
