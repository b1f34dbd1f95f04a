import { beforeAll, describe, expect, it } from 'vitest'
import type { Run } from '../src/testing/index.ts'
import { alone, describeRefusals, type Refusal } from './support/alone.ts'
import { all, codeDirectory, only, run } from './support/program.ts'

const QUEUE = 'aws:sqs/queue:Queue'
const BUCKET = 'chromadb-vectors-dev-111122223333-objects'
const bucket = { bucketName: 'a-bucket', bucketArn: 'arn:aws:s3:::a-bucket' }
const queue = {
  queueUrl: 'https://sqs/q',
  queueArn: 'arn:aws:sqs:us-east-1:111122223333:q',
  visibilityTimeoutSeconds: 1_800,
  prefix: 'uploads/',
}
const worker = {
  environment: 'dev',
  codeDirectory: codeDirectory(),
  bucket,
  objects: { bucketName: 'objects', bucketArn: 'arn:aws:s3:::objects' },
  queue,
  deltaQueue: queue,
  lockTable: { tableName: 't', tableArn: 'arn:aws:dynamodb:us-east-1:111122223333:table/t' },
}

describe('ObjectBucket alone', () => {
  it('is private and encrypted, keeps no versions, and expires nothing of its own accord', async () => {
    const { resources } = await alone('ObjectBucket', { environment: 'dev' })
    expect(only(resources, 'aws:s3/bucket:Bucket').inputs).toMatchObject({ bucket: BUCKET, forceDestroy: true })
    expect(all(resources, 'aws:s3/bucketVersioning:BucketVersioning')).toEqual([])
    expect(all(resources, 'aws:s3/bucketCorsConfiguration:BucketCorsConfiguration')).toEqual([])
    const { rules } = only(resources, 'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration').inputs
    expect(rules).toEqual([
      {
        id: 'abort-uploads',
        status: 'Enabled',
        filter: {},
        abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
      },
    ])
    const policy = only(resources, 'aws:s3/bucketPolicy:BucketPolicy').inputs['policy']
    expect(JSON.parse(String(policy))).toMatchObject({
      Statement: [{ Effect: 'Deny', Principal: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }],
    })
  })

  it('lets the pages of its origins upload and read what they need, and expires by prefix', async () => {
    const { resources } = await alone('ObjectBucket', {
      environment: 'dev',
      corsOrigins: ['https://app.example'],
      expireDays: { 'uploads/': 30 },
    })
    const { corsRules } = only(resources, 'aws:s3/bucketCorsConfiguration:BucketCorsConfiguration').inputs
    expect(corsRules).toMatchObject([
      {
        allowedOrigins: ['https://app.example'],
        allowedMethods: ['GET', 'HEAD', 'PUT', 'POST'],
        exposeHeaders: expect.arrayContaining(['ETag', 'Location', 'Content-Range']) as string[],
      },
    ])
    const { rules } = only(resources, 'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration').inputs
    expect(rules).toMatchObject([{ filter: { prefix: 'uploads/' }, expiration: { days: 30 } }, { id: 'abort-uploads' }])
  })
})

describe('IngestQueue alone', () => {
  it('takes uploads, deletions and expiries of this bucket in this account', async () => {
    const { resources } = await alone('IngestQueue', { environment: 'dev', bucket })
    const notification = only(resources, 'aws:s3/bucketNotification:BucketNotification')
    expect(notification.inputs).toMatchObject({
      bucket: 'a-bucket',
      queues: [
        {
          events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:LifecycleExpiration:*'],
          filterPrefix: 'uploads/',
        },
      ],
    })
    expect(JSON.stringify(notification.inputs)).not.toContain('filterSuffix')
    const policy = only(resources, 'aws:sqs/queuePolicy:QueuePolicy', 'alone-policy')
    expect(notification.dependencies).toContain(policy.urn)
    expect(JSON.parse(String(policy.inputs['policy']))).toMatchObject({
      Statement: [
        { Effect: 'Deny' },
        {
          Action: ['sqs:SendMessage'],
          Principal: { Service: 's3.amazonaws.com' },
          Condition: {
            ArnEquals: { 'aws:SourceArn': bucket.bucketArn },
            StringEquals: { 'aws:SourceAccount': '111122223333' },
          },
        },
      ],
    })
    const made = only(resources, QUEUE, 'alone-queue').inputs
    expect(made).toMatchObject({ name: 'siltstone-dev-ingest', visibilityTimeoutSeconds: 1_800 })
    expect(JSON.parse(String(made['redrivePolicy']))).toMatchObject({ maxReceiveCount: 5 })
  })
})

describe('the program with objects', () => {
  let made: Run
  beforeAll(async () => {
    made = await run({
      stack: 'prod',
      config: { objects: 'true', objectsPrefix: 'in/', objectsCollection: 'papers', objectsOnExpire: 'keep' },
    })
  })

  it('gives the worker one object at a time, and the rules of the prefix', () => {
    expect(
      only(made.resources, 'aws:lambda/eventSourceMapping:EventSourceMapping', 'ingest-worker-notifications').inputs,
    ).toMatchObject({
      batchSize: 1,
      functionResponseTypes: ['ReportBatchItemFailures'],
      scalingConfig: { maximumConcurrency: 5 },
    })
    const { environment, timeout } = only(
      made.resources,
      'aws:lambda/function:Function',
      'ingest-worker-function',
    ).inputs
    expect(timeout).toBe(300)
    const { variables } = environment as { variables: Record<string, string> }
    expect(JSON.parse(variables['SILTSTONE_OBJECTS_RULES'] ?? '')).toEqual({
      rules: [
        { process: false, collection: 'papers' },
        { prefix: 'in/', collection: 'papers', expireDays: 30, onExpire: 'keep' },
      ],
    })
    expect(variables['SILTSTONE_DATA']).not.toContain(variables['SILTSTONE_OBJECTS_BUCKET'] ?? 'missing')
  })

  it('protects the objects, and sweeps once a day', () => {
    expect(only(made.resources, 'aws:s3/bucket:Bucket', 'objects-bucket')).toMatchObject({ protect: true })
    const { inputs } = only(made.resources, 'aws:scheduler/schedule:Schedule', 'ingest-worker-schedule')
    expect(inputs).toMatchObject({ scheduleExpression: 'rate(24 hours)' })
    expect(JSON.parse((inputs['target'] as { input: string }).input)).toEqual({
      source: 'scheduled',
      action: 'sweep',
    })
  })

  it('makes nothing of this without the option', async () => {
    const { resources } = await run({ stack: 'prod' })
    expect(resources.filter(({ name }) => /ingest|objects/.test(name))).toEqual([])
  })
})

const CASES: readonly Refusal[] = [
  ['ObjectBucket', { environment: 'prod', forceDestroy: true }, 'forceDestroy is true: a bucket of environment prod'],
  ['ObjectBucket', { corsOrigins: ['*'] }, 'corsOrigins is "*": give origins such as https://app.example'],
  ['ObjectBucket', { corsOrigins: ['https://app.example/'] }, 'corsOrigins is "https://app.example/": give origins'],
  ['ObjectBucket', { expireDays: { '': 30 } }, 'expireDays is "": name a prefix of uploads'],
  ['ObjectBucket', { expireDays: { 'derived/': 30 } }, 'expireDays is "derived/": name a prefix of uploads'],
  ['ObjectBucket', { expireDays: { 'uploads/': 0 } }, 'expireDays.uploads/ is 0: use an integer from 1'],
  ['IngestQueue', { bucket, visibilityTimeoutSeconds: 10 }, 'visibilityTimeoutSeconds is 10: use an integer from 60'],
  ['IngestWorker', { ...worker, codeDirectory: '/nowhere' }, 'build the functions first'],
  [
    'IngestWorker',
    { ...worker, settings: { timeoutSeconds: 1_000 } },
    'settings.timeoutSeconds is 1000: use an integer',
  ],
  [
    'IngestWorker',
    { ...worker, queue: { ...queue, visibilityTimeoutSeconds: 100 } },
    "settings.timeoutSeconds is 300: messages become visible again after 100 s: raise the queue's visibilityTimeoutSeconds",
  ],
  ['IngestWorker', { ...worker, maxConcurrency: 1 }, 'maxConcurrency is 1: use an integer from 2 to 1000'],
  ['IngestWorker', { ...worker, sweepHours: 0 }, 'sweepHours is 0: use an integer from 1 to 168'],
  ['IngestWorker', { ...worker, rules: [{ prefix: 'x'.repeat(4_000) }] }, 'use at most 2500 bytes of JSON'],
]

describeRefusals(CASES)
