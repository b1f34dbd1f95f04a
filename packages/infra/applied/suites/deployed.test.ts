/** The server has exactly the resources that the programs declare. */
import { DescribeAlarmsCommand, GetDashboardCommand } from '@aws-sdk/client-cloudwatch'
import { DescribeContinuousBackupsCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import { GetRoleCommand, ListRolePoliciesCommand } from '@aws-sdk/client-iam'
import {
  GetFunctionConfigurationCommand,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { GetScheduleCommand } from '@aws-sdk/client-scheduler'
import { GetQueueAttributesCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FUNCTIONS } from '../../src/names.ts'
import { KEYS } from '../../src/testing/index.ts'
import { type Account, deployed } from '../account.ts'

let account: Account
let Bucket: string
const output = (name: string) => String(account.stack.outputs[name])
beforeAll(async () => {
  account = await deployed('dev')
  Bucket = output('bucket_name')
})
afterAll(() => account.stop())

describe('the bucket', () => {
  it('is versioned, encrypted and private', async () => {
    const { s3 } = account.root
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Enabled')
    const encryption = await s3.send(new GetBucketEncryptionCommand({ Bucket }))
    expect(encryption.ServerSideEncryptionConfiguration?.Rules?.[0]).toMatchObject({
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' },
    })
    const access = await s3.send(new GetPublicAccessBlockCommand({ Bucket }))
    expect(access.PublicAccessBlockConfiguration).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    })
  })

  it('has the lifecycle of the program', async () => {
    const { Rules = [] } = await account.root.s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))
    const declared = account.stack.outputs['lifecycle_rules'] as { id: string }[]
    expect(Rules.map(({ ID = '' }) => ID).toSorted()).toEqual(declared.map(({ id }) => id).toSorted())
    expect(Rules.find(({ ID }) => ID === 'expire-deleted-deltas')).toMatchObject({
      Filter: { Prefix: 'delta/' },
      NoncurrentVersionExpiration: { NoncurrentDays: 7 },
    })
  })

  it('has descriptor and placeholders at first', async () => {
    const { Contents = [] } = await account.root.s3.send(new ListObjectsV2Command({ Bucket }))
    expect(Contents.map(({ Key }) => Key)).toEqual([
      'delta/.placeholder',
      'snapshot/.placeholder',
      'snapshot/latest/pointer.txt',
    ])
    const pointer = await account.root.s3.send(new GetObjectCommand({ Bucket, Key: output('latest_pointer_key') }))
    expect(await pointer.Body?.transformToString()).toBe('snapshot/initial/')
  })

  it('notifies the queue of new deltas only', async () => {
    const { s3, sqs, lambda } = account.root
    // The compactor would take the messages.
    const { EventSourceMappings: [mapping] = [] } = await lambda.send(new ListEventSourceMappingsCommand({}))
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID: mapping?.UUID, Enabled: false }))
    for (const Key of [KEYS.segment, 'delta/readme.txt', KEYS.entry, KEYS.inbox]) {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.from('written') }))
    }
    const seen: string[] = []
    for (let empty = 0; empty < 2; ) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: output('queue_url'), MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      )
      if (Messages.length === 0) empty++
      for (const { Body = '' } of Messages) {
        const { Records = [] } = JSON.parse(Body) as { Records?: { s3: { object: { key: string } } }[] }
        seen.push(...Records.map((record) => decodeURIComponent(record.s3.object.key)))
      }
    }
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID: mapping?.UUID, Enabled: true }))
    expect(seen.toSorted()).toEqual([KEYS.entry, KEYS.inbox].toSorted())
  })
})

describe('queue and table', () => {
  it('are as declared', async () => {
    const { sqs, dynamodb } = account.root
    const attributes = async (url: string) =>
      (await sqs.send(new GetQueueAttributesCommand({ QueueUrl: output(url), AttributeNames: ['All'] }))).Attributes
    const dead = await attributes('dead_letter_queue_url')
    const queue = await attributes('queue_url')
    expect(queue).toMatchObject({ VisibilityTimeout: '5410', MessageRetentionPeriod: '345600' })
    expect(JSON.parse(queue?.RedrivePolicy ?? '')).toMatchObject({
      deadLetterTargetArn: dead?.QueueArn,
      maxReceiveCount: 5,
    })
    expect(dead).toMatchObject({ MessageRetentionPeriod: '1209600' })
    const TableName = output('lock_table_name')
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }))
    expect(Table).toMatchObject({
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
    })
    const backups = await dynamodb.send(new DescribeContinuousBackupsCommand({ TableName }))
    expect(backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus).toBe(
      'ENABLED',
    )
  })
})

describe('the functions', () => {
  it.each(FUNCTIONS)('%s has its role, and knows bucket, queue and table', async (name) => {
    const { lambda, iam } = account.root
    const made = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: `siltstone-dev-${name}` }))
    expect(made).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Environment: {
        Variables: {
          SILTSTONE_DATA: `s3://${Bucket}`,
          SILTSTONE_QUEUE_URL: output('queue_url'),
          SILTSTONE_LOCK_TABLE: output('lock_table_name'),
        },
      },
    })
    const RoleName = made.Role?.split('/').at(-1)
    const { Role } = await iam.send(new GetRoleCommand({ RoleName }))
    expect(Role?.PermissionsBoundary?.PermissionsBoundaryArn).toBe(account.admin.outputs['permissions_boundary_arn'])
    const { PolicyNames } = await iam.send(new ListRolePoliciesCommand({ RoleName }))
    expect(PolicyNames).toEqual([name])
  })

  it('are started by queue and schedule', async () => {
    const { lambda, scheduler } = account.root
    const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({}))
    expect(EventSourceMappings).toHaveLength(1)
    expect(EventSourceMappings[0]).toMatchObject({
      BatchSize: 1_000,
      MaximumBatchingWindowInSeconds: 5,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 2 },
    })
    const schedule = await scheduler.send(new GetScheduleCommand({ Name: output('schedule_name') }))
    expect(schedule).toMatchObject({ ScheduleExpression: 'rate(15 minutes)', State: 'ENABLED' })
    expect(JSON.parse(schedule.Target?.Input ?? '')).toEqual({ source: 'scheduled', action: 'compact' })
  })
})

describe('alarms and dashboard', () => {
  it('are accepted by the service', async () => {
    const { cloudwatch } = account.root
    const declared = account.stack.resources.filter(({ type }) => type.endsWith(':MetricAlarm'))
    const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ MaxRecords: 100 }))
    expect(MetricAlarms.map(({ AlarmName = '' }) => AlarmName).toSorted()).toEqual(
      declared.map(({ inputs }) => String(inputs['name'])).toSorted(),
    )
    const board = await cloudwatch.send(new GetDashboardCommand({ DashboardName: output('dashboard_name') }))
    expect((JSON.parse(board.DashboardBody ?? '') as { widgets: unknown[] }).widgets.length).toBeGreaterThan(5)
  })
})
