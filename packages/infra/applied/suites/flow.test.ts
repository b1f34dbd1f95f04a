/**
 * The stack as the program declares it: the built functions run with the roles, variables, policies and mapping of the
 * program. A mistake in one of them fails here.
 */
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { GetScheduleCommand } from '@aws-sdk/client-scheduler'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Account, deployed, functionsAreBuilt } from '../account.ts'
import { DeployedStack, until } from '../stack.ts'

let account: Account
let stack: DeployedStack
beforeAll(async () => {
  if (!functionsAreBuilt) throw new Error('build packages/functions first: npm ci && node build.ts')
  account = await deployed('dev')
  stack = new DeployedStack(account)
})
afterAll(() => account.stop())

const texts = (...ids: string[]) =>
  ids.map((id) => ({ id, document: `Silt settles where water slows down, ${id}.`, metadata: { page: 3 } }))

describe('the deployed stack', () => {
  let collection: string
  let path: string

  it('makes a collection through the api function', async () => {
    collection = await stack.newCollection('notes')
    expect(collection).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('folds what was produced after a notification, and answers queries', async () => {
    const produced = await stack.produce(collection, texts('a', 'b', 'c'))
    expect(produced).toMatchObject({ item_count: 3 })
    path = produced.delta_key.split('/')[1] ?? ''
    // Readable at once, from the inbox.
    expect(await stack.idsIn(collection)).toEqual(['a', 'b', 'c'])
    // This test does not invoke the compactor: notification, queue, mapping and role do.
    await until('a snapshot', async () => (await stack.published(collection)).length > 0)
    expect(await stack.idsIn(collection)).toEqual(['a', 'b', 'c'])
    const found = await stack.ok<{ ids: string[][] }>('query', 'POST', `/${collection}/query`, {
      query_texts: ['why do rivers drop mud?'],
      n_results: 2,
    })
    expect(found.ids[0]).toHaveLength(2)
  })

  it('refuses writes through the query function', async () => {
    const { status } = await stack.http('query', 'POST', `/${collection}/delete`, { ids: ['a'] })
    expect(status).toBe(403)
    expect(await stack.idsIn(collection)).toEqual(['a', 'b', 'c'])
  })

  it('accepts duplicate messages, in any order', async () => {
    const { delta_key: first } = await stack.produce(collection, texts('d'))
    const { delta_key: second } = await stack.produce(collection, texts('d', 'e'))
    const notice = (key: string) => JSON.stringify({ Records: [{ s3: { object: { key } } }] })
    for (const key of [second, first, second, first]) {
      const QueueUrl = stack.output('queue_url')
      await account.root.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: notice(key) }))
    }
    await until('an idle queue', async () => (await stack.waiting('queue_url')) === 0)
    expect(await stack.idsIn(collection)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('lets two compactors run at once', async () => {
    await stack.produce(collection, texts('f'))
    interface Result {
      compacted: { status: string }[]
    }
    const order = { source: 'manual', action: 'compact', collections: [path] }
    const results = await Promise.all([1, 2].map(() => stack.invoke<Result>('compactor', order)))
    for (const { compacted } of results) {
      for (const { status } of compacted) expect(['done', 'busy', 'continues']).toContain(status)
    }
    expect(await stack.idsIn(collection)).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  it('serves the event of its schedule', async () => {
    await stack.produce(collection, texts('g'))
    const { Target } = await account.root.scheduler.send(
      new GetScheduleCommand({ Name: stack.output('schedule_name') }),
    )
    interface Result {
      compacted: { collection: string }[]
    }
    const result = await stack.invoke<Result>('compactor', JSON.parse(Target?.Input ?? ''))
    expect(result.compacted.map((each) => each.collection)).toContain(path)
    expect(await stack.idsIn(collection)).toHaveLength(7)
  })

  it('writes the metrics that the alarms read, with their dimension', async () => {
    interface Line {
      _aws?: { CloudWatchMetrics: { Namespace: string; Dimensions: string[][] }[] }
      service?: string
    }
    const lines = async () => {
      const logGroupName = `/aws/lambda/${stack.output('compactor_function_name')}`
      const { events = [] } = await account.root.logs.send(new FilterLogEventsCommand({ logGroupName }))
      return events
        .flatMap(({ message = '' }) => message.split('\n'))
        .filter((line) => line.startsWith('{') && line.includes('"_aws"'))
        .map((line) => JSON.parse(line) as Line)
    }
    await until('metrics in the log', async () => (await lines()).length > 0)
    const watched = account.stack.resources.flatMap(({ inputs }) =>
      inputs['namespace'] === 'ChromaDB/Compaction' ? [inputs['dimensions']] : [],
    )
    expect(watched.length).toBeGreaterThan(2)
    for (const { service, _aws } of await lines()) {
      for (const { Namespace, Dimensions } of _aws?.CloudWatchMetrics ?? []) {
        expect({ Namespace, Dimensions }).toEqual({ Namespace: 'ChromaDB/Compaction', Dimensions: [['service']] })
        for (const dimensions of watched) expect(dimensions).toEqual({ service })
      }
    }
  })

  it('leaves no dead letters and refuses no role', async () => {
    expect(await stack.waiting('dead_letter_queue_url')).toBe(0)
    const refused = account.server
      .log()
      .split('\n')
      .filter((line) => line.includes('AccessDenied') || line.includes('not authorized'))
      // The server requires an action of this name, which IAM does not have: SendMessage allows batches. So the
      // notification wakes the compactor here, not the producer's own call.
      .filter((line) => !line.includes('sqs:SendMessageBatch'))
    expect(refused).toEqual([])
  })
})
