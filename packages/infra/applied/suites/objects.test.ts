/**
 * Objects of users on the deployed stack: put, notification, queue, function, records, query; and what deletions, failures
 * and lost notifications leave. The roles, policies, variables and mapping are those of the program.
 */
import { createHash } from 'node:crypto'
import { GetFunctionConfigurationCommand, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda'
import {
  DeleteObjectCommand,
  GetBucketCorsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketNotificationConfigurationCommand,
  GetObjectCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { CreatePolicyVersionCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Account, deployed, functionsAreBuilt } from '../account.ts'
import { DeployedStack, until } from '../stack.ts'

let account: Account
let stack: DeployedStack
let Bucket: string
beforeAll(async () => {
  if (!functionsAreBuilt) throw new Error('build packages/functions first: npm ci && node build.ts')
  account = await deployed('dev', {
    objects: 'true',
    objectsOrigins: 'https://app.example',
  })
  stack = new DeployedStack(account)
  Bucket = stack.output('object_bucket_name')
  await allowBatches()
})
afterAll(() => account.stop())

/**
 * The server requires actions of these names, which IAM does not have: SendMessage allows batches, and so on. Without them the
 * function could not send what has to wait.
 */
async function allowBatches(): Promise<void> {
  const { iam } = account.root
  const batches = {
    Effect: 'Allow',
    Action: ['sqs:SendMessageBatch', 'sqs:ChangeMessageVisibilityBatch'],
    Resource: ['*'],
  }
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [batches] })
  await iam.send(new PutRolePolicyCommand({ RoleName: 'siltstone-dev-ingest', PolicyName: 'batches', PolicyDocument }))
  const boundary = account.admin.resources.find(({ name }) => name === 'deploy-boundary')
  const declared = JSON.parse(String(boundary?.inputs['policy'])) as { Statement: unknown[] }
  await iam.send(
    new CreatePolicyVersionCommand({
      PolicyArn: String(account.admin.outputs['permissions_boundary_arn']),
      PolicyDocument: JSON.stringify({ ...declared, Statement: [...declared.Statement, batches] }),
      SetAsDefault: true,
    }),
  )
}

const put = (Key: string, body: string | Uint8Array) =>
  account.root.s3.send(new PutObjectCommand({ Bucket, Key, Body: body }))

async function withoutNotifications(work: () => Promise<unknown>): Promise<void> {
  const { s3 } = account.root
  const { QueueConfigurations } = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }))
  const set = (NotificationConfiguration: object) =>
    s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }))
  await set({})
  await work()
  await set({ QueueConfigurations })
}

interface Found {
  ids: string[]
  documents: string[]
  metadatas: Record<string, unknown>[]
}

async function recordsOf(key: string): Promise<Found> {
  const [collection] = (await stack.ok<{ id: string; name: string }[]>('api', 'GET', '')).filter(
    ({ name }) => name === 'objects',
  )
  if (collection === undefined) return { ids: [], documents: [], metadatas: [] }
  return stack.ok<Found>('query', 'POST', `/${collection.id}/get`, { where: { object_key: key } })
}
const countOf = async (key: string) => (await recordsOf(key)).ids.length

async function stateOf(key: string): Promise<{ progress: string; error: { code: string } | null } | undefined> {
  const hash = createHash('sha256').update(key).digest('hex')
  try {
    const got = await account.root.s3.send(
      new GetObjectCommand({
        Bucket: stack.output('bucket_name'),
        Key: `objects/${Bucket}/${hash.slice(0, 2)}/${hash}.json`,
      }),
    )
    return (JSON.parse((await got.Body?.transformToString()) ?? '') as { body: never }).body
  } catch {
    return undefined
  }
}

describe('the bucket of objects', () => {
  it('lets pages of the origin upload, expires uploads alone, and notifies of everything below uploads/', async () => {
    const { s3 } = account.root
    const { CORSRules } = await s3.send(new GetBucketCorsCommand({ Bucket }))
    expect(CORSRules).toMatchObject([
      { AllowedOrigins: ['https://app.example'], AllowedMethods: expect.arrayContaining(['PUT', 'POST']) as string[] },
    ])
    const { Rules = [] } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))
    expect(Rules.filter(({ Expiration }) => Expiration !== undefined)).toMatchObject([
      { Filter: { Prefix: 'uploads/' }, Expiration: { Days: 30 } },
    ])
    const { QueueConfigurations = [] } = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }))
    expect(QueueConfigurations).toMatchObject([
      {
        Events: expect.arrayContaining([
          's3:ObjectCreated:*',
          's3:ObjectRemoved:*',
          's3:LifecycleExpiration:*',
        ]) as string[],
      },
    ])
    const { EventSourceMappings = [] } = await account.root.lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName: stack.output('ingest_function_name') }),
    )
    expect(EventSourceMappings).toMatchObject([{ BatchSize: 1, FunctionResponseTypes: ['ReportBatchItemFailures'] }])
    const made = await account.root.lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: stack.output('ingest_function_name') }),
    )
    expect(made.Environment?.Variables).toMatchObject({ SILTSTONE_OBJECTS_BUCKET: Bucket })
  })
})

describe('an upload', () => {
  it('becomes searchable, after a notification', async () => {
    await put('uploads/rivers + silt/größe.md', '# Rivers\n\nRivers drop mud where the water slows down.')
    await until('records', async () => (await countOf('uploads/rivers + silt/größe.md')) > 0)
    const { documents, metadatas } = await recordsOf('uploads/rivers + silt/größe.md')
    expect(documents.join(' ')).toContain('drop mud')
    expect(metadatas[0]).toMatchObject({ object_bucket: Bucket, kind: 'passage', heading: 'Rivers' })
    const [collection] = (await stack.ok<{ id: string; name: string }[]>('api', 'GET', '')).filter(
      ({ name }) => name === 'objects',
    )
    const found = await stack.ok<{ documents: string[][] }>('query', 'POST', `/${collection?.id ?? ''}/query`, {
      query_texts: ['where does sediment settle?'],
      n_results: 1,
    })
    expect(found.documents[0]?.[0]).toContain('drop mud')
  })

  it('replaces the records of the version before', async () => {
    await put('uploads/a.txt', 'Glaciers carve valleys.')
    await until('records', async () => (await countOf('uploads/a.txt')) === 1)
    await put('uploads/a.txt', 'Volcanoes erupt.')
    await until('new records', async () => (await recordsOf('uploads/a.txt')).documents[0] === 'Volcanoes erupt.')
    expect(await countOf('uploads/a.txt')).toBe(1)
  })

  it('is gone with its records when it is deleted', async () => {
    await account.root.s3.send(new DeleteObjectCommand({ Bucket, Key: 'uploads/a.txt' }))
    await until('no records', async () => (await countOf('uploads/a.txt')) === 0)
    await until('the state', async () => (await stateOf('uploads/a.txt'))?.progress === 'gone')
    expect(await countOf('uploads/a.txt')).toBe(0)
  })

  it('keeps its records when it expires, and loses them when it is deleted after that', async () => {
    const { s3, sqs } = account.root
    await put('uploads/old.txt', 'Moraines mark the end of a glacier.')
    await until('records', async () => (await countOf('uploads/old.txt')) === 1)
    const tell = (eventName: string) =>
      sqs.send(
        new SendMessageCommand({
          QueueUrl: stack.output('ingest_queue_url'),
          MessageBody: JSON.stringify({
            Records: [{ eventName, s3: { bucket: { name: Bucket }, object: { key: 'uploads/old.txt' } } }],
          }),
        }),
      )
    await withoutNotifications(() => s3.send(new DeleteObjectCommand({ Bucket, Key: 'uploads/old.txt' })))
    // As S3 says it; the server never expires an object.
    await tell('LifecycleExpiration:Delete')
    await until('the state', async () => (await stateOf('uploads/old.txt'))?.progress === 'expired')
    expect(await countOf('uploads/old.txt')).toBe(1)
    await tell('ObjectRemoved:Delete')
    await until('no records', async () => (await countOf('uploads/old.txt')) === 0)
    expect((await stateOf('uploads/old.txt'))?.progress).toBe('gone')
  })

  it('that no processor reads is dead with a reason, and does no harm to others', async () => {
    await put('uploads/junk.mp4', new Uint8Array(2_000).fill(7))
    await put('uploads/locked.pdf', Buffer.from('%PDF-1.7\nnot really'))
    await until('the states', async () => {
      const states = [await stateOf('uploads/junk.mp4'), await stateOf('uploads/locked.pdf')]
      return states.every((state) => state?.progress === 'dead')
    })
    expect((await stateOf('uploads/junk.mp4'))?.error?.code).toBe('unsupported-type')
    await put('uploads/after.txt', 'Sand follows.')
    await until('records', async () => (await countOf('uploads/after.txt')) === 1)
  })

  it('outside of uploads/ is left alone', async () => {
    await put('private/secret.txt', 'Nobody finds this.')
    await put('uploads/later.txt', 'This comes later.')
    await until('records', async () => (await countOf('uploads/later.txt')) === 1)
    expect(await stateOf('private/secret.txt')).toBeUndefined()
  })

  it('is told of any number of times, in any order, without harm', async () => {
    await put('uploads/many.txt', 'Told of often.')
    const QueueUrl = stack.output('ingest_queue_url')
    const record = (key: string) => ({ s3: { bucket: { name: Bucket }, object: { key } } })
    for (const Records of [[record('uploads/many.txt'), record('uploads/never.txt')], [record('uploads/many.txt')]])
      await account.root.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify({ Records }) }))
    await account.root.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'nonsense' }))
    await until('records', async () => (await countOf('uploads/many.txt')) === 1)
    expect(await stateOf('uploads/never.txt')).toBeUndefined()
  })
})

describe('a sweep', () => {
  it('finds uploads and deletions that no notification told of', async () => {
    // A key of its own: a late notification of another test would find the deletion first.
    await put('uploads/lost.txt', 'Its deletion gets lost.')
    await until('records', async () => (await countOf('uploads/lost.txt')) === 1)
    await withoutNotifications(async () => {
      await put('uploads/untold.txt', 'Nobody told of it.')
      await account.root.s3.send(new DeleteObjectCommand({ Bucket, Key: 'uploads/lost.txt' }))
    })
    const order = { source: 'scheduled', action: 'sweep' }
    const swept = await stack.invoke<{ objects: number; found: number }>('ingest', order)
    expect(swept.found).toBe(2)
    await until('records', async () => (await countOf('uploads/untold.txt')) === 1)
    await until('no records', async () => (await countOf('uploads/lost.txt')) === 0)
    await until('states', async () => (await stateOf('uploads/lost.txt'))?.progress === 'gone')
    expect(await stack.invoke<{ found: number }>('ingest', order)).toMatchObject({ found: 0 })
  })
})

describe('the stack', () => {
  it('has refused no role, and set no message aside', async () => {
    expect(await stack.waiting('ingest_dead_letter_queue_url')).toBe(0)
    const refused = account.server
      .log()
      .split('\n')
      .filter((line) => line.includes('AccessDenied') || line.includes('not authorized'))
      .filter((line) => !line.includes('sqs:SendMessageBatch'))
    expect(refused).toEqual([])
  })
})
