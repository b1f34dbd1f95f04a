import { CreateTableCommand, UpdateContinuousBackupsCommand } from '@aws-sdk/client-dynamodb'
import {
  CreateBucketCommand,
  type Event,
  type LifecycleRule,
  type CORSRule,
  PutBucketCorsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  type ServerSideEncryptionConfiguration,
  type TransitionDefaultMinimumObjectSize,
} from '@aws-sdk/client-s3'
import { answered, type Inputs, type Maker, optionalText, pascal, tagList, text } from './inputs.ts'

const ofBucket =
  (apply: (bucket: string, inputs: Inputs, clients: Parameters<Maker>[1]) => Promise<unknown>): Maker =>
  async (inputs, clients) => {
    const bucket = text(inputs, 'bucket')
    await apply(bucket, inputs, clients)
    return { id: bucket, state: {} }
  }

/** `id` is `ID` in S3; it is the only name that differs by more than its first letter. */
function lifecycleRules(inputs: Inputs): LifecycleRule[] {
  return pascal<(LifecycleRule & { Id?: string })[]>(inputs['rules']).map(({ Id, Filter, ...rule }) => ({
    ...rule,
    ...(Id !== undefined && { ID: Id }),
    // An empty filter matches all objects.
    Filter: Filter !== undefined && Object.keys(Filter).length > 0 ? Filter : { Prefix: '' },
  }))
}

const corsOf = (rules: unknown): CORSRule[] => pascal<CORSRule[]>(rules)

interface QueueTarget {
  id: string
  queueArn: string
  events: Event[]
  filterPrefix?: string
  filterSuffix?: string
}

export const STORAGE: Readonly<Record<string, Maker>> = {
  'aws:s3/bucket:Bucket': async (inputs, { s3 }) => {
    const Bucket = text(inputs, 'bucket')
    await s3.send(new CreateBucketCommand({ Bucket }))
    await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: tagList(inputs) } }))
    return { id: Bucket, state: { bucket: Bucket, arn: `arn:aws:s3:::${Bucket}` } }
  },
  'aws:s3/bucketOwnershipControls:BucketOwnershipControls': ofBucket((Bucket, { rule }, { s3 }) =>
    s3.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules: [pascal(rule)] } })),
  ),
  'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock': ofBucket((Bucket, inputs, { s3 }) => {
    const flags = Object.fromEntries(Object.entries(inputs).filter(([key]) => key !== 'bucket'))
    return s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: pascal(flags) }))
  }),
  'aws:s3/bucketVersioning:BucketVersioning': ofBucket((Bucket, { versioningConfiguration }, { s3 }) =>
    s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: pascal(versioningConfiguration) })),
  ),
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration': ofBucket(
    (Bucket, { rules }, { s3 }) => {
      const renamed = JSON.stringify(pascal(rules))
        .replaceAll('"SseAlgorithm"', '"SSEAlgorithm"')
        .replaceAll('"KmsMasterKeyId"', '"KMSMasterKeyID"')
      const Rules = JSON.parse(renamed) as ServerSideEncryptionConfiguration['Rules']
      return s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }))
    },
  ),
  'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration': ofBucket((Bucket, inputs, { s3 }) =>
    s3.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket,
        LifecycleConfiguration: { Rules: lifecycleRules(inputs) },
        TransitionDefaultMinimumObjectSize: text(
          inputs,
          'transitionDefaultMinimumObjectSize',
        ) as TransitionDefaultMinimumObjectSize,
      }),
    ),
  ),
  'aws:s3/bucketCorsConfiguration:BucketCorsConfiguration': ofBucket((Bucket, { corsRules }, { s3 }) =>
    s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: corsOf(corsRules) } })),
  ),
  'aws:s3/bucketPolicy:BucketPolicy': ofBucket((Bucket, inputs, { s3 }) =>
    s3.send(new PutBucketPolicyCommand({ Bucket, Policy: text(inputs, 'policy') })),
  ),
  'aws:s3/bucketNotification:BucketNotification': ofBucket((Bucket, { queues }, { s3 }) =>
    s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket,
        NotificationConfiguration: {
          QueueConfigurations: (queues as QueueTarget[]).map((queue) => ({
            Id: queue.id,
            QueueArn: queue.queueArn,
            Events: queue.events,
            Filter: {
              Key: {
                FilterRules: [
                  ...(queue.filterPrefix === undefined ? [] : [{ Name: 'prefix' as const, Value: queue.filterPrefix }]),
                  ...(queue.filterSuffix === undefined ? [] : [{ Name: 'suffix' as const, Value: queue.filterSuffix }]),
                ],
              },
            },
          })),
        },
      }),
    ),
  ),
  'aws:s3/bucketObjectv2:BucketObjectv2': async (inputs, { s3 }) => {
    const [Bucket, Key] = [text(inputs, 'bucket'), text(inputs, 'key')]
    const Body = Buffer.from(typeof inputs['content'] === 'string' ? inputs['content'] : '')
    await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: optionalText(inputs, 'contentType') }))
    return { id: `${Bucket}/${Key}`, state: {} }
  },
  'aws:dynamodb/table:Table': async (inputs, { dynamodb }) => {
    const TableName = text(inputs, 'name')
    const { TableDescription } = await dynamodb.send(
      new CreateTableCommand({
        TableName,
        BillingMode: text(inputs, 'billingMode') as 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: text(inputs, 'hashKey'), KeyType: 'HASH' }],
        AttributeDefinitions: (inputs['attributes'] as { name: string; type: 'S' }[]).map(({ name, type }) => ({
          AttributeName: name,
          AttributeType: type,
        })),
        DeletionProtectionEnabled: inputs['deletionProtectionEnabled'] === true,
        Tags: tagList(inputs),
      }),
    )
    const { enabled } = inputs['pointInTimeRecovery'] as { enabled: boolean }
    await dynamodb.send(
      new UpdateContinuousBackupsCommand({
        TableName,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: enabled },
      }),
    )
    return { id: TableName, state: { arn: answered(TableDescription?.TableArn, 'TableArn') } }
  },
}
