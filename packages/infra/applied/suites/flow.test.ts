/**
 * The stack at work, as the program declares it: the built functions run with the roles, variables, policies and mapping
 * of the program. A wrong one of them fails here.
 */
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { InvokeCommand } from '@aws-sdk/client-lambda'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { GetScheduleCommand } from '@aws-sdk/client-scheduler'
import { GetQueueAttributesCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FunctionName } from '../../src/names.ts'
import { type Account, deployed, functionsAreBuilt } from '../account.ts'

const ROOT = '/api/v2/tenants/default_tenant/databases/default_database/collections'
const WITHIN_MS = 60_000

let account: Account
const output = (name: string) => String(account.stack.outputs[name])
beforeAll(async () => {
  if (!functionsAreBuilt) throw new Error('build packages/functions first: npm ci && node build.ts')
  account = await deployed('dev')
})
afterAll(() => account.stop())

async function invoke<T>(name: FunctionName, event: unknown): Promise<T> {
  const { Payload, FunctionError } = await account.root.lambda.send(
    new InvokeCommand({ FunctionName: output(`${name}_function_name`), Payload: Buffer.from(JSON.stringify(event)) }),
  )
  const text = Buffer.from(Payload ?? new Uint8Array()).toString()
  if (FunctionError !== undefined) throw new Error(`${name}: ${text}\n${account.server.log().slice(-2_000)}`)
  return JSON.parse(text) as T
}

/** As a function's URL calls it. */
async function http<T>(name: 'query' | 'api', method: string, path: string, body?: unknown): Promise<[number, T]> {
  const answer = await invoke<{ statusCode: number; body: string }>(name, {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': 'application/json', host: 'x.lambda-url.us-east-1.on.aws' },
    requestContext: { http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' } },
    isBase64Encoded: false,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return [answer.statusCode, JSON.parse(answer.body) as T]
}

async function newCollection(name: string): Promise<string> {
  const [status, made] = await http<{ id: string }>('api', 'POST', ROOT, { name, get_or_create: true })
  expect(status, JSON.stringify(made)).toBe(200)
  return made.id
}

async function idsIn(collection: string): Promise<string[]> {
  const [status, got] = await http<{ ids: string[] }>('query', 'POST', `${ROOT}/${collection}/get`, { include: [] })
  expect(status, JSON.stringify(got)).toBe(200)
  return got.ids.toSorted()
}

interface Produced {
  delta_key: string
  item_count: number
}
const produce = (collection: string, ids: readonly string[]) =>
  invoke<Produced>('producer', {
    collection_id: collection,
    records: ids.map((id) => ({ id, document: `Silt settles where water slows down, ${id}.`, metadata: { page: 3 } })),
  })

async function keys(prefix: string): Promise<string[]> {
  const Bucket = output('bucket_name')
  const { Contents = [] } = await account.root.s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }))
  return Contents.flatMap(({ Key }) => Key ?? [])
}

const published = async (collection: string) =>
  (await keys('snapshot/')).filter((key) => key.includes(collection) && key.includes('/manifest/'))

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WITHIN_MS
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${WITHIN_MS} ms`)
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

describe('the deployed stack', () => {
  let collection: string
  let path: string

  it('makes a collection through the api function', async () => {
    collection = await newCollection('notes')
    expect(collection).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('produces, is notified, folds by itself and answers', async () => {
    const produced = await produce(collection, ['a', 'b', 'c'])
    expect(produced).toMatchObject({ item_count: 3 })
    path = produced.delta_key.split('/')[1] ?? ''
    // Readable at once, from the inbox.
    expect(await idsIn(collection)).toEqual(['a', 'b', 'c'])
    // Nobody invokes the compactor here: notification and queue, mapping and role do.
    await until('a snapshot', async () => (await published(collection)).length > 0)
    expect(await idsIn(collection)).toEqual(['a', 'b', 'c'])
    const [, found] = await http<{ ids: string[][] }>('query', 'POST', `${ROOT}/${collection}/query`, {
      query_texts: ['why do rivers drop mud?'],
      n_results: 2,
    })
    expect(found.ids[0]).toHaveLength(2)
  })

  it('refuses writes through the query function', async () => {
    const [status] = await http('query', 'POST', `${ROOT}/${collection}/delete`, { ids: ['a'] })
    expect(status).toBe(403)
    expect(await idsIn(collection)).toEqual(['a', 'b', 'c'])
  })

  it('takes a message again and messages in any order', async () => {
    const { delta_key: first } = await produce(collection, ['d'])
    const { delta_key: second } = await produce(collection, ['d', 'e'])
    const notice = (key: string) =>
      JSON.stringify({ Records: [{ s3: { object: { key: encodeURIComponent(key).replaceAll('%2F', '/') } } }] })
    for (const key of [second, first, second, first]) {
      await account.root.sqs.send(new SendMessageCommand({ QueueUrl: output('queue_url'), MessageBody: notice(key) }))
    }
    await until('an empty inbox', async () => (await keys(`delta/${path}/inbox/`)).length === 0 || (await drained()))
    expect(await idsIn(collection)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('lets two compactors run at once', async () => {
    await produce(collection, ['f'])
    interface Result {
      compacted: { status: string }[]
    }
    const order = { source: 'manual', action: 'compact', collections: [path] }
    const results = await Promise.all([1, 2].map(() => invoke<Result>('compactor', order)))
    for (const { compacted } of results) {
      for (const { status } of compacted) expect(['done', 'busy', 'continues']).toContain(status)
    }
    expect(await idsIn(collection)).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  it('serves the event of its schedule', async () => {
    await produce(collection, ['g'])
    const { Target } = await account.root.scheduler.send(new GetScheduleCommand({ Name: output('schedule_name') }))
    const result = await invoke<{ compacted: { collection: string }[] }>('compactor', JSON.parse(Target?.Input ?? ''))
    expect(result.compacted.map((each) => each.collection)).toContain(path)
    expect(await idsIn(collection)).toHaveLength(7)
  })

  it('writes the metrics that the alarms look at, with their dimension', async () => {
    interface Line {
      _aws?: { CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[] }
      service?: string
    }
    const lines = async () => {
      const { events = [] } = await account.root.logs.send(
        new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${output('compactor_function_name')}` }),
      )
      return events
        .flatMap(({ message = '' }) => message.split('\n'))
        .filter((line) => line.startsWith('{') && line.includes('"_aws"'))
        .map((line) => JSON.parse(line) as Line)
    }
    await until('metrics in the log', async () => (await lines()).length > 0)
    const alarms = account.stack.resources.filter(({ type }) => type.endsWith(':MetricAlarm'))
    const watched = alarms.flatMap(({ inputs }) =>
      inputs['namespace'] === 'ChromaDB/Compaction' ? [inputs as { dimensions: Record<string, string> }] : [],
    )
    expect(watched.length).toBeGreaterThan(2)
    for (const { service, _aws } of await lines()) {
      for (const { Namespace, Dimensions } of _aws?.CloudWatchMetrics ?? []) {
        expect({ Namespace, Dimensions }).toEqual({ Namespace: 'ChromaDB/Compaction', Dimensions: [['service']] })
        for (const { dimensions } of watched) expect(dimensions).toEqual({ service })
      }
    }
  })

  it('leaves nothing dead and refuses nobody', async () => {
    expect(await waiting('dead_letter_queue_url')).toBe(0)
    const refused = account.server
      .log()
      .split('\n')
      .filter((line) => line.includes('AccessDenied') || line.includes('not authorized'))
      // The server asks for an action of this name, which IAM has not: SendMessage allows batches. So it is the
      // notification that wakes the compactor here, not the producer's own call.
      .filter((line) => !line.includes('sqs:SendMessageBatch'))
    expect(refused).toEqual([])
  })
})

async function waiting(queue: string): Promise<number> {
  const { Attributes } = await account.root.sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: output(queue),
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  )
  return Number(Attributes?.ApproximateNumberOfMessages) + Number(Attributes?.ApproximateNumberOfMessagesNotVisible)
}
const drained = async () => (await waiting('queue_url')) === 0
