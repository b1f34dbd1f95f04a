import { beforeAll, describe, expect, it } from 'vitest'
import { alone, type Alone, shortType } from './support/alone.ts'
import { only } from './support/program.ts'

const QUEUE = 'aws:sqs/queue:Queue'
const ARN = 'arn:aws:sqs:us-east-1:111122223333:siltstone-dev-delta'
const bucket = { bucketName: 'a-bucket', bucketArn: 'arn:aws:s3:::a-bucket' }

describe('DeltaQueue alone', () => {
  let made: Alone
  beforeAll(async () => {
    made = await alone('DeltaQueue', { environment: 'dev', bucket })
  })

  it('hides messages as long as the compactor runs, keeps them for 4 days, and dead letters for 14', () => {
    expect(only(made.resources, QUEUE, 'alone-queue').inputs).toMatchObject({
      name: 'siltstone-dev-delta',
      visibilityTimeoutSeconds: 5_410,
      messageRetentionSeconds: 345_600,
      receiveWaitTimeSeconds: 20,
      sqsManagedSseEnabled: true,
      tags: { Project: 'Siltstone', Environment: 'dev', Stack: 'dev' },
    })
    expect(only(made.resources, QUEUE, 'alone-dead').inputs).toMatchObject({
      name: 'siltstone-dev-delta-dead',
      messageRetentionSeconds: 1_209_600,
      sqsManagedSseEnabled: true,
    })
  })

  it('moves a message to the dead letters after five receives, and accepts dead letters only of this queue', () => {
    const { inputs } = only(made.resources, QUEUE, 'alone-queue')
    expect(JSON.parse(String(inputs['redrivePolicy']))).toEqual({
      deadLetterTargetArn: `${ARN}-dead`,
      maxReceiveCount: 5,
    })
    const allow = only(made.resources, 'aws:sqs/redriveAllowPolicy:RedriveAllowPolicy')
    expect(JSON.parse(String(allow.inputs['redriveAllowPolicy']))).toEqual({
      redrivePermission: 'byQueue',
      sourceQueueArns: [ARN],
    })
  })

  it('accepts notifications of this bucket in this account, and refuses plain HTTP', () => {
    const { inputs } = only(made.resources, 'aws:sqs/queuePolicy:QueuePolicy', 'alone-policy')
    expect(JSON.parse(String(inputs['policy']))).toMatchObject({
      Statement: [
        { Effect: 'Deny', Principal: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
        {
          Effect: 'Allow',
          Principal: { Service: 's3.amazonaws.com' },
          Action: ['sqs:SendMessage'],
          Resource: [ARN],
          Condition: {
            ArnEquals: { 'aws:SourceArn': bucket.bucketArn },
            StringEquals: { 'aws:SourceAccount': '111122223333' },
          },
        },
      ],
    })
  })

  it('is notified of new deltas, after its policy accepts the bucket', () => {
    const notification = only(made.resources, 'aws:s3/bucketNotification:BucketNotification')
    expect(notification.inputs).toMatchObject({
      bucket: 'a-bucket',
      queues: [{ queueArn: ARN, events: ['s3:ObjectCreated:*'], filterPrefix: 'delta/', filterSuffix: '.arrow' }],
    })
    const policy = only(made.resources, 'aws:sqs/queuePolicy:QueuePolicy', 'alone-policy')
    expect(notification.dependencies).toContain(policy.urn)
  })

  it('puts out its names', () => {
    expect(made.component.outputs).toEqual({
      queue_url: 'https://sqs.us-east-1.amazonaws.com/111122223333/siltstone-dev-delta',
      queue_arn: ARN,
      queue_name: 'siltstone-dev-delta',
      dead_letter_queue_url: 'https://sqs.us-east-1.amazonaws.com/111122223333/siltstone-dev-delta-dead',
      dead_letter_queue_arn: `${ARN}-dead`,
      dead_letter_queue_name: 'siltstone-dev-delta-dead',
    })
  })
})

describe('DeltaQueue', () => {
  it('works without a bucket', async () => {
    const { resources } = await alone('DeltaQueue')
    expect(resources.map(shortType)).not.toContain('BucketNotification')
    const { inputs } = only(resources, 'aws:sqs/queuePolicy:QueuePolicy', 'alone-policy')
    expect(JSON.parse(String(inputs['policy']))).toMatchObject({ Statement: [{ Effect: 'Deny' }] })
  })
})
