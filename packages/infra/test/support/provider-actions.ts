/**
 * The actions that Pulumi's AWS provider needs to create, read, update and delete each type of resource.
 *
 * Compiled by hand on 2026-11-28 from what is documented and known of the API calls of terraform-provider-aws (create,
 * read, update, delete, and the tag functions, which also run on every read) and from AWS's Service Authorization
 * Reference for the action and resource of each call. It was not generated from the provider's sources, and no real
 * deployment has confirmed it yet; a call that is missing here shows as AccessDenied in the first `pulumi up` of a
 * restricted deployer. A test fails when a program declares a type that is not listed here, or when the version of
 * `@pulumi/aws` is another: go through the table again then.
 */
import type { Resource } from '../../src/testing/index.ts'

export const PROVIDER_VERSION = '7.48.0'

export interface Need {
  action: string
  /** Its ARN, or `*` where the action knows no resource. */
  resource: string
  context?: Record<string, string>
}

type Operation = 'create' | 'read' | 'update' | 'delete'

interface Type {
  /** Of the resource that the calls are about. */
  arn: (resource: Resource, place: Where) => string
  calls: Record<Operation, readonly string[]>
  /** Condition keys by action. */
  context?: (resource: Resource, place: Where) => Record<string, Record<string, string>>
  /** Of actions that are about another resource, or none. */
  elsewhere?: (resource: Resource, place: Where) => Record<string, string>
}

export interface Where {
  account: string
  region: string
  boundary: string
}

const own = ({ type, state }: Resource): string => {
  const { arn } = state
  if (typeof arn !== 'string') throw new Error(`a ${type} has no ARN`)
  return arn
}
const text = ({ inputs }: Resource, key: string): string => String(inputs[key])
const bucketOf = (resource: Resource) => `arn:aws:s3:::${text(resource, 'bucket')}`
const queueOf = (resource: Resource, { account, region }: Where) =>
  `arn:aws:sqs:${region}:${account}:${text(resource, 'queueUrl').split('/').at(-1)}`
const functionArn = (name: string, { account, region }: Where) =>
  name.startsWith('arn:') ? name : `arn:aws:lambda:${region}:${account}:function:${name}`
const roleArn = (name: string, { account }: Where) => `arn:aws:iam::${account}:role/${name}`

const configures = (put: string, get = put, remove: readonly string[] = [`s3:Put${put}`]): Type => ({
  arn: bucketOf,
  calls: { create: [`s3:Put${put}`, `s3:Get${get}`], read: [`s3:Get${get}`], update: [`s3:Put${put}`], delete: remove },
})
const queueAttribute: Type = {
  arn: queueOf,
  calls: {
    create: ['sqs:SetQueueAttributes', 'sqs:GetQueueAttributes'],
    read: ['sqs:GetQueueAttributes'],
    update: ['sqs:SetQueueAttributes'],
    delete: ['sqs:SetQueueAttributes'],
  },
}
const bounded = (_: Resource, { boundary }: Where) =>
  Object.fromEntries(
    ['iam:CreateRole', 'iam:PutRolePolicy', 'iam:DeleteRolePolicy', 'iam:UpdateRole', 'iam:UpdateRoleDescription'].map(
      (action) => [action, { 'iam:PermissionsBoundary': boundary }],
    ),
  )
const passedTo = (service: string) => ({ 'iam:PassRole': { 'iam:PassedToService': service } })

export const PROVIDER_ACTIONS: Readonly<Record<string, Type>> = {
  'aws:s3/bucket:Bucket': {
    arn: own,
    calls: {
      create: ['s3:CreateBucket', 's3:PutBucketTagging', 's3:TagResource'],
      read: [
        's3:ListBucket',
        's3:GetBucketPolicy',
        's3:GetBucketAcl',
        's3:GetBucketCORS',
        's3:GetBucketWebsite',
        's3:GetBucketVersioning',
        's3:GetAccelerateConfiguration',
        's3:GetBucketRequestPayment',
        's3:GetBucketLogging',
        's3:GetLifecycleConfiguration',
        's3:GetReplicationConfiguration',
        's3:GetEncryptionConfiguration',
        's3:GetBucketObjectLockConfiguration',
        's3:GetBucketLocation',
        's3:GetBucketTagging',
        's3:ListTagsForResource',
      ],
      update: ['s3:PutBucketTagging', 's3:TagResource', 's3:UntagResource'],
      // With forceDestroy the provider deletes objects, which a deployer may not: an administrator destroys those.
      delete: ['s3:DeleteBucket'],
    },
  },
  'aws:s3/bucketOwnershipControls:BucketOwnershipControls': configures('BucketOwnershipControls'),
  'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock': configures('BucketPublicAccessBlock'),
  'aws:s3/bucketVersioning:BucketVersioning': configures('BucketVersioning'),
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration':
    configures('EncryptionConfiguration'),
  'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration': configures('LifecycleConfiguration'),
  'aws:s3/bucketCorsConfiguration:BucketCorsConfiguration': configures('BucketCORS'),
  'aws:s3/bucketPolicy:BucketPolicy': configures('BucketPolicy', 'BucketPolicy', ['s3:DeleteBucketPolicy']),
  'aws:s3/bucketNotification:BucketNotification': configures('BucketNotification'),
  'aws:sqs/queue:Queue': {
    arn: own,
    calls: {
      create: ['sqs:CreateQueue', 'sqs:TagQueue'],
      read: ['sqs:GetQueueAttributes', 'sqs:GetQueueUrl', 'sqs:ListQueueTags'],
      update: ['sqs:SetQueueAttributes', 'sqs:TagQueue', 'sqs:UntagQueue'],
      delete: ['sqs:DeleteQueue'],
    },
  },
  'aws:sqs/queuePolicy:QueuePolicy': queueAttribute,
  'aws:sqs/redriveAllowPolicy:RedriveAllowPolicy': queueAttribute,
  'aws:dynamodb/table:Table': {
    arn: own,
    calls: {
      create: ['dynamodb:CreateTable', 'dynamodb:TagResource', 'dynamodb:UpdateContinuousBackups'],
      read: [
        'dynamodb:DescribeTable',
        'dynamodb:DescribeContinuousBackups',
        'dynamodb:DescribeTimeToLive',
        'dynamodb:ListTagsOfResource',
      ],
      update: [
        'dynamodb:UpdateTable',
        'dynamodb:UpdateContinuousBackups',
        'dynamodb:TagResource',
        'dynamodb:UntagResource',
      ],
      delete: ['dynamodb:DeleteTable'],
    },
  },
  'aws:iam/role:Role': {
    arn: own,
    context: bounded,
    calls: {
      create: ['iam:CreateRole', 'iam:TagRole'],
      read: [
        'iam:GetRole',
        'iam:ListRolePolicies',
        'iam:GetRolePolicy',
        'iam:ListAttachedRolePolicies',
        'iam:ListRoleTags',
      ],
      // Not iam:UpdateAssumeRolePolicy and iam:PutRolePermissionsBoundary: an administrator changes trust and boundaries.
      update: ['iam:UpdateRole', 'iam:UpdateRoleDescription', 'iam:TagRole', 'iam:UntagRole'],
      delete: ['iam:ListInstanceProfilesForRole', 'iam:ListRolePolicies', 'iam:DeleteRolePolicy', 'iam:DeleteRole'],
    },
  },
  'aws:iam/rolePolicy:RolePolicy': {
    arn: (resource, place) => roleArn(text(resource, 'role'), place),
    context: bounded,
    calls: {
      create: ['iam:PutRolePolicy', 'iam:GetRolePolicy'],
      read: ['iam:GetRolePolicy'],
      update: ['iam:PutRolePolicy'],
      delete: ['iam:DeleteRolePolicy'],
    },
  },
  'aws:lambda/function:Function': {
    arn: own,
    context: () => passedTo('lambda.amazonaws.com'),
    elsewhere: (resource, { account, region }) => ({
      'iam:PassRole': text(resource, 'role'),
      'lambda:GetLayerVersion': `arn:aws:lambda:${region}:${account}:layer:siltstone-prod-model:1`,
    }),
    calls: {
      create: [
        'lambda:CreateFunction',
        'iam:PassRole',
        'lambda:GetLayerVersion',
        'lambda:PutFunctionConcurrency',
        'lambda:TagResource',
      ],
      read: [
        'lambda:GetFunction',
        'lambda:GetFunctionConfiguration',
        'lambda:GetFunctionCodeSigningConfig',
        'lambda:GetFunctionConcurrency',
        'lambda:ListVersionsByFunction',
        'lambda:ListTags',
      ],
      update: [
        'lambda:UpdateFunctionCode',
        'lambda:UpdateFunctionConfiguration',
        'lambda:PutFunctionConcurrency',
        'lambda:DeleteFunctionConcurrency',
        'lambda:TagResource',
        'lambda:UntagResource',
      ],
      delete: ['lambda:DeleteFunction'],
    },
  },
  'aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig': {
    arn: (resource, place) => functionArn(text(resource, 'functionName'), place),
    calls: {
      create: ['lambda:PutFunctionEventInvokeConfig'],
      read: ['lambda:GetFunctionEventInvokeConfig'],
      update: ['lambda:PutFunctionEventInvokeConfig'],
      delete: ['lambda:DeleteFunctionEventInvokeConfig'],
    },
  },
  'aws:ecs/expressGatewayService:ExpressGatewayService': {
    arn: ({ state }) => String(state['serviceArn']),
    // Of three roles: the two of ECS, and that of the process.
    context: () => passedTo('ecs-tasks.amazonaws.com'),
    elsewhere: (resource, { account, region }) => ({
      'iam:PassRole': text(resource, 'taskRoleArn'),
      'ecs:CreateCluster': `arn:aws:ecs:${region}:${account}:cluster/default`,
    }),
    calls: {
      create: ['ecs:CreateExpressGatewayService', 'ecs:CreateCluster', 'iam:PassRole', 'ecs:TagResource'],
      read: ['ecs:DescribeExpressGatewayService', 'ecs:ListTagsForResource'],
      update: ['ecs:UpdateExpressGatewayService', 'ecs:DescribeServices', 'ecs:TagResource', 'ecs:UntagResource'],
      delete: ['ecs:DeleteExpressGatewayService', 'ecs:DescribeServices'],
    },
  },
  'aws:ecs/cluster:Cluster': {
    arn: own,
    calls: {
      create: ['ecs:CreateCluster', 'ecs:DescribeClusters', 'ecs:TagResource'],
      read: ['ecs:DescribeClusters', 'ecs:ListTagsForResource'],
      update: ['ecs:UpdateCluster', 'ecs:TagResource', 'ecs:UntagResource'],
      delete: ['ecs:DeleteCluster', 'ecs:DescribeClusters'],
    },
  },
  'aws:ecs/taskDefinition:TaskDefinition': {
    arn: own,
    // Of two roles: that of the process, and of what starts it.
    context: () => passedTo('ecs-tasks.amazonaws.com'),
    elsewhere: (resource) => ({
      'iam:PassRole': text(resource, 'taskRoleArn'),
      'ecs:DescribeTaskDefinition': '*',
      'ecs:DeregisterTaskDefinition': '*',
    }),
    calls: {
      create: ['ecs:RegisterTaskDefinition', 'iam:PassRole', 'ecs:TagResource'],
      read: ['ecs:DescribeTaskDefinition', 'ecs:ListTagsForResource'],
      // A change is a new revision.
      update: ['ecs:TagResource', 'ecs:UntagResource'],
      delete: ['ecs:DeregisterTaskDefinition'],
    },
  },
  'aws:lambda/layerVersion:LayerVersion': {
    arn: own,
    elsewhere: (resource) => ({ 'lambda:PublishLayerVersion': own(resource).replace(/:\d+$/, '') }),
    calls: {
      create: ['lambda:PublishLayerVersion'],
      read: ['lambda:GetLayerVersion'],
      update: [],
      delete: ['lambda:DeleteLayerVersion'],
    },
  },
  'aws:lambda/functionUrl:FunctionUrl': {
    arn: (resource, place) => functionArn(text(resource, 'functionName'), place),
    calls: {
      // For a URL without IAM the provider adds a permission of its own.
      create: ['lambda:CreateFunctionUrlConfig', 'lambda:AddPermission'],
      read: ['lambda:GetFunctionUrlConfig'],
      update: ['lambda:UpdateFunctionUrlConfig', 'lambda:AddPermission', 'lambda:RemovePermission'],
      delete: ['lambda:DeleteFunctionUrlConfig'],
    },
  },
  'aws:lambda/permission:Permission': {
    arn: (resource, place) => functionArn(text(resource, 'function'), place),
    calls: {
      create: ['lambda:AddPermission', 'lambda:GetPolicy'],
      read: ['lambda:GetPolicy'],
      update: [],
      delete: ['lambda:RemovePermission', 'lambda:GetPolicy'],
    },
  },
  'aws:lambda/eventSourceMapping:EventSourceMapping': {
    arn: (_, { account, region }) =>
      `arn:aws:lambda:${region}:${account}:event-source-mapping:11111111-2222-4333-8444-555555555555`,
    elsewhere: () => ({ 'lambda:CreateEventSourceMapping': '*' }),
    context: (resource, place) => {
      const key = { 'lambda:FunctionArn': functionArn(text(resource, 'functionName'), place) }
      return Object.fromEntries(
        ['Create', 'Get', 'Update', 'Delete'].map((verb) => [`lambda:${verb}EventSourceMapping`, key]),
      )
    },
    calls: {
      create: ['lambda:CreateEventSourceMapping', 'lambda:GetEventSourceMapping', 'lambda:TagResource'],
      read: ['lambda:GetEventSourceMapping', 'lambda:ListTags'],
      update: ['lambda:UpdateEventSourceMapping', 'lambda:TagResource', 'lambda:UntagResource'],
      delete: ['lambda:DeleteEventSourceMapping', 'lambda:GetEventSourceMapping'],
    },
  },
  'aws:cloudwatch/logGroup:LogGroup': {
    arn: own,
    elsewhere: () => ({ 'logs:DescribeLogGroups': '*' }),
    calls: {
      create: ['logs:CreateLogGroup', 'logs:PutRetentionPolicy', 'logs:TagResource'],
      read: ['logs:DescribeLogGroups', 'logs:ListTagsForResource'],
      update: ['logs:PutRetentionPolicy', 'logs:DeleteRetentionPolicy', 'logs:TagResource', 'logs:UntagResource'],
      delete: ['logs:DeleteLogGroup'],
    },
  },
  'aws:cloudwatch/metricAlarm:MetricAlarm': {
    arn: own,
    calls: {
      create: ['cloudwatch:PutMetricAlarm', 'cloudwatch:TagResource'],
      read: ['cloudwatch:DescribeAlarms', 'cloudwatch:ListTagsForResource'],
      update: ['cloudwatch:PutMetricAlarm', 'cloudwatch:TagResource', 'cloudwatch:UntagResource'],
      delete: ['cloudwatch:DeleteAlarms'],
    },
  },
  'aws:cloudwatch/dashboard:Dashboard': {
    arn: (resource, { account }) => `arn:aws:cloudwatch::${account}:dashboard/${text(resource, 'dashboardName')}`,
    calls: {
      create: ['cloudwatch:PutDashboard'],
      read: ['cloudwatch:GetDashboard'],
      update: ['cloudwatch:PutDashboard'],
      delete: ['cloudwatch:DeleteDashboards'],
    },
  },
  'aws:scheduler/schedule:Schedule': {
    arn: own,
    context: () => passedTo('scheduler.amazonaws.com'),
    elsewhere: (resource) => ({
      'iam:PassRole': String((resource.inputs['target'] as { roleArn?: unknown } | undefined)?.roleArn),
    }),
    calls: {
      create: ['scheduler:CreateSchedule', 'iam:PassRole'],
      read: ['scheduler:GetSchedule'],
      update: ['scheduler:UpdateSchedule', 'iam:PassRole'],
      delete: ['scheduler:DeleteSchedule'],
    },
  },
  'aws:ssm/parameter:Parameter': {
    arn: own,
    elsewhere: () => ({ 'ssm:DescribeParameters': '*' }),
    calls: {
      create: ['ssm:PutParameter', 'ssm:AddTagsToResource'],
      read: ['ssm:GetParameter', 'ssm:DescribeParameters', 'ssm:ListTagsForResource'],
      update: ['ssm:PutParameter', 'ssm:AddTagsToResource', 'ssm:RemoveTagsFromResource'],
      delete: ['ssm:DeleteParameter'],
    },
  },
  'aws:sns/topic:Topic': {
    arn: own,
    calls: {
      create: ['sns:CreateTopic', 'sns:TagResource', 'sns:SetTopicAttributes'],
      read: ['sns:GetTopicAttributes', 'sns:ListTagsForResource'],
      update: ['sns:SetTopicAttributes', 'sns:TagResource', 'sns:UntagResource'],
      delete: ['sns:DeleteTopic'],
    },
  },
  'aws:sns/topicPolicy:TopicPolicy': {
    arn: (resource) => text(resource, 'arn'),
    calls: {
      create: ['sns:SetTopicAttributes', 'sns:GetTopicAttributes'],
      read: ['sns:GetTopicAttributes'],
      update: ['sns:SetTopicAttributes'],
      delete: ['sns:SetTopicAttributes'],
    },
  },
  'aws:sns/topicSubscription:TopicSubscription': {
    arn: (resource) => text(resource, 'topic'),
    calls: {
      create: ['sns:Subscribe', 'sns:GetSubscriptionAttributes', 'sns:ListSubscriptionsByTopic'],
      read: ['sns:GetSubscriptionAttributes'],
      update: ['sns:SetSubscriptionAttributes'],
      delete: ['sns:Unsubscribe'],
    },
  },
}

/** What the provider needs to make, keep and remove a resource. @throws Error for a type that is not in the table */
export function needsOf(resource: Resource, place: Where): Need[] {
  const type = PROVIDER_ACTIONS[resource.type]
  if (type === undefined) throw new Error(`add ${resource.type} to test/support/provider-actions.ts`)
  const contexts = type.context?.(resource, place) ?? {}
  const elsewhere = type.elsewhere?.(resource, place) ?? {}
  return [...new Set(Object.values(type.calls).flat())].map((action) => {
    const context = contexts[action]
    return { action, resource: elsewhere[action] ?? type.arn(resource, place), ...(context && { context }) }
  })
}
