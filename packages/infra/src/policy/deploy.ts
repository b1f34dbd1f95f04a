/**
 * Two layers. A deployer manages buckets, queues, functions and roles, and cannot access objects. Runtime roles access
 * objects, and manage nothing.
 *
 * A deployer cannot reach objects through a role that it creates: every role must carry the permissions boundary, which
 * the deployer cannot edit or remove; it may pass roles only to Lambda and to the scheduler; and it cannot assume any
 * role. One path remains: a deployer writes the functions' code and the bucket's policy, and so could let code or another
 * principal read objects. Review of deployments closes the first, a resource control policy of the organisation the
 * second; a policy of this account cannot close them.
 */
import {
  BOUNDARY_NAME,
  BUCKET_PREFIX,
  checkAccount,
  checkStateBucket,
  NAME_PREFIX,
  PARAMETER_PREFIX,
  purposeBucketPattern,
  SERVER_ROLES,
  stateBucketName,
} from '../names.ts'
import { allow, deny, policy, type PolicyDocument } from './document.ts'

/** Makes a log group, sets how long it keeps its entries, and deletes it. */
export const LOG_GROUP_ACTIONS = [
  'logs:CreateLogGroup',
  'logs:DeleteLogGroup',
  'logs:PutRetentionPolicy',
  'logs:DeleteRetentionPolicy',
  'logs:ListTagsForResource',
  'logs:TagResource',
  'logs:UntagResource',
] as const

/** Every action of IAM but the passing of a role. A test compares it with the list of all actions of IAM. */
export const IDENTITY_ACTIONS = ['A', 'C', 'D', 'E', 'G', 'L', 'R', 'S', 'T', 'U', 'Put'].map(
  (begin) => `iam:${begin}*`,
)

export interface DeployScope {
  account: string
  /** Prefix of the names of the stack's resources; default: those of all stacks. */
  stack?: string | undefined
  /** Also the buckets of this project that are named by purpose, whatever the stack. */
  project?: string | undefined
}

const bucketPatterns = ({ stack, project }: DeployScope): string[] =>
  [
    `${BUCKET_PREFIX}${stack === undefined ? '*' : `${stack}-*`}`,
    ...(project === undefined ? [] : [purposeBucketPattern(project)]),
  ].map((name) => `arn:aws:s3:::${name}`)
const within = (buckets: readonly string[]) => buckets.map((bucket) => `${bucket}/*`)
const named = ({ stack }: DeployScope) => `${NAME_PREFIX}${stack === undefined ? '*' : `${stack}-*`}`
const arn = (service: string, scope: DeployScope, resource: string) =>
  `arn:aws:${service}:*:${checkAccount(scope.account)}:${resource}`
const role = (scope: DeployScope) => `arn:aws:iam::${checkAccount(scope.account)}:role/${named(scope)}`
export const boundaryArn = (account: string) => `arn:aws:iam::${checkAccount(account)}:policy/${BOUNDARY_NAME}`

/** Every action on an object or on parts of one. A test compares it with the list of all actions of S3. */
export const OBJECT_ACTIONS = [
  's3:*Object',
  's3:*ObjectVersion',
  's3:*ObjectAcl',
  's3:*ObjectVersionAcl',
  's3:*ObjectTagging',
  's3:*ObjectVersionTagging',
  's3:GetObjectVersion*ForReplication',
  's3:*ObjectRetention',
  's3:*ObjectLegalHold',
  's3:*ObjectAttributes',
  's3:*ObjectVersionAttributes',
  's3:*ObjectAnnotation',
  's3:*ObjectVersionAnnotation',
  's3:*ObjectAnnotations',
  's3:*ObjectVersionAnnotations',
  's3:*ObjectEncryption',
  's3:*ObjectTorrent',
  's3:*ObjectVersionTorrent',
  's3:*MultipartUpload*',
  's3:Replicate*',
  's3:InitiateReplication',
  's3:ObjectOwnerOverrideToBucketOwner',
  's3:BypassGovernanceRetention',
] as const

/** Layer 1: buckets and their configuration, but no objects. Pulumi's state is in another bucket. */
export function storageManagementPolicy(scope: DeployScope): PolicyDocument {
  const buckets = bucketPatterns(scope)
  return policy(
    allow(
      'ManageBuckets',
      [
        's3:CreateBucket',
        's3:DeleteBucket',
        // Also needed to check whether a bucket exists. It shows the names of keys.
        's3:ListBucket',
        's3:GetBucket*',
        's3:PutBucket*',
        's3:DeleteBucketPolicy',
        's3:GetEncryptionConfiguration',
        's3:PutEncryptionConfiguration',
        's3:GetLifecycleConfiguration',
        's3:PutLifecycleConfiguration',
        's3:GetAccelerateConfiguration',
        's3:GetReplicationConfiguration',
        's3:PutReplicationConfiguration',
        's3:GetIntelligentTieringConfiguration',
        's3:PutIntelligentTieringConfiguration',
        's3:ListTagsForResource',
        's3:TagResource',
        's3:UntagResource',
      ],
      buckets,
    ),
    allow('FindBuckets', ['s3:ListAllMyBuckets'], ['*']),
    deny('TouchNoObject', OBJECT_ACTIONS, within(buckets)),
  )
}

/**
 * Layer 1: the objects of Pulumi's state, for a state in a bucket (`pulumi login s3://…`). Object rights end at that bucket,
 * whose name must not begin as those of stores do.
 */
export function statePolicy(
  { account, project }: DeployScope,
  stateBucket: string = stateBucketName(account),
): PolicyDocument {
  const bucket = `arn:aws:s3:::${checkStateBucket(stateBucket, project)}`
  return policy(
    allow('State', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], [`${bucket}/*`]),
    allow('ListState', ['s3:ListBucket', 's3:GetBucketLocation'], [bucket]),
  )
}

/** Layer 1: everything else in a stack. */
export function applicationManagementPolicy(scope: DeployScope): PolicyDocument {
  const names = named(scope)
  const roles = [role(scope)]
  const boundary = boundaryArn(scope.account)
  return policy(
    allow(
      'Queues',
      [
        'sqs:CreateQueue',
        'sqs:DeleteQueue',
        'sqs:GetQueueUrl',
        'sqs:GetQueueAttributes',
        'sqs:SetQueueAttributes',
        'sqs:ListQueueTags',
        'sqs:TagQueue',
        'sqs:UntagQueue',
      ],
      [arn('sqs', scope, names)],
    ),
    allow(
      'Tables',
      [
        'dynamodb:CreateTable',
        'dynamodb:UpdateTable',
        'dynamodb:DeleteTable',
        'dynamodb:Describe*',
        'dynamodb:UpdateContinuousBackups',
        'dynamodb:ListTagsOfResource',
        'dynamodb:TagResource',
        'dynamodb:UntagResource',
      ],
      [arn('dynamodb', scope, `table/${names}`)],
    ),
    allow(
      'Functions',
      [
        'lambda:CreateFunction*',
        'lambda:UpdateFunction*',
        'lambda:DeleteFunction*',
        'lambda:GetFunction*',
        'lambda:GetPolicy',
        'lambda:PutFunctionConcurrency',
        'lambda:PutFunctionEventInvokeConfig',
        'lambda:AddPermission',
        'lambda:RemovePermission',
        'lambda:ListVersionsByFunction',
        'lambda:ListTags',
        'lambda:TagResource',
        'lambda:UntagResource',
      ],
      [arn('lambda', scope, `function:${names}`)],
    ),
    allow(
      'Layers',
      ['lambda:PublishLayerVersion', 'lambda:GetLayerVersion', 'lambda:DeleteLayerVersion'],
      [arn('lambda', scope, `layer:${names}`)],
    ),
    allow(
      'Mappings',
      ['lambda:CreateEventSourceMapping', 'lambda:UpdateEventSourceMapping', 'lambda:DeleteEventSourceMapping'],
      ['*'],
      { ArnLike: { 'lambda:FunctionArn': arn('lambda', scope, `function:${names}`) } },
    ),
    // The tags of a mapping are read and written without its function, so any mapping of the account is allowed.
    allow(
      'MappingTags',
      ['lambda:ListTags', 'lambda:TagResource', 'lambda:UntagResource'],
      [arn('lambda', scope, 'event-source-mapping:*')],
    ),
    // Reading a mapping and the lists knows no function.
    allow(
      'Look',
      [
        'lambda:GetEventSourceMapping',
        'logs:DescribeLogGroups',
        'cloudwatch:DescribeAlarms',
        'ssm:DescribeParameters',
        'sts:GetCallerIdentity',
      ],
      ['*'],
    ),
    allow('Logs', LOG_GROUP_ACTIONS, [arn('logs', scope, `log-group:/aws/lambda/${names}`)]),
    allow(
      'Watch',
      [
        'cloudwatch:PutMetricAlarm',
        'cloudwatch:DeleteAlarms',
        'cloudwatch:ListTagsForResource',
        'cloudwatch:TagResource',
        'cloudwatch:UntagResource',
      ],
      [arn('cloudwatch', scope, `alarm:${names}`)],
    ),
    allow(
      'Dashboards',
      ['cloudwatch:PutDashboard', 'cloudwatch:GetDashboard', 'cloudwatch:DeleteDashboards'],
      [`arn:aws:cloudwatch::${scope.account}:dashboard/ChromaDB-${scope.stack ?? '*'}`],
    ),
    allow(
      'Topics',
      [
        'sns:CreateTopic',
        'sns:DeleteTopic',
        'sns:GetTopicAttributes',
        'sns:SetTopicAttributes',
        'sns:Subscribe',
        'sns:Unsubscribe',
        'sns:*SubscriptionAttributes',
        'sns:ListSubscriptionsByTopic',
        'sns:ListTagsForResource',
        'sns:TagResource',
        'sns:UntagResource',
      ],
      [arn('sns', scope, names)],
    ),
    // The provider reads what it wrote; so a deployer, who sets these secrets, can read them.
    allow(
      'Secrets',
      [
        'ssm:PutParameter',
        'ssm:GetParameter',
        'ssm:GetParameters',
        'ssm:DeleteParameter',
        'ssm:ListTagsForResource',
        'ssm:AddTagsToResource',
        'ssm:RemoveTagsFromResource',
      ],
      [arn('ssm', scope, `parameter/${PARAMETER_PREFIX}${scope.stack === undefined ? '*' : `${scope.stack}/*`}`)],
    ),
    allow(
      'Schedules',
      ['scheduler:CreateSchedule', 'scheduler:UpdateSchedule', 'scheduler:DeleteSchedule', 'scheduler:GetSchedule'],
      [arn('scheduler', scope, `schedule/default/${names}`)],
    ),
    allow(
      'SeeRoles',
      [
        'iam:GetRole',
        'iam:GetRolePolicy',
        'iam:ListRolePolicies',
        'iam:ListAttachedRolePolicies',
        'iam:ListInstanceProfilesForRole',
        'iam:ListRoleTags',
        'iam:TagRole',
        'iam:UntagRole',
        'iam:DeleteRole',
      ],
      roles,
    ),
    // Description and length of sessions; trust and boundary are changed by an administrator.
    allow(
      'MakeBoundedRoles',
      ['iam:CreateRole', 'iam:UpdateRole', 'iam:UpdateRoleDescription', 'iam:PutRolePolicy', 'iam:DeleteRolePolicy'],
      roles,
      {
        StringEquals: { 'iam:PermissionsBoundary': boundary },
      },
    ),
    allow('HandOverRoles', ['iam:PassRole'], roles, {
      StringEquals: { 'iam:PassedToService': ['lambda.amazonaws.com', 'scheduler.amazonaws.com'] },
    }),
    deny('KeepBoundary', ['iam:DeleteRolePermissionsBoundary', 'iam:PutRolePermissionsBoundary'], ['*']),
    deny(
      'KeepBoundaryAsItIs',
      ['iam:CreatePolicyVersion', 'iam:DeletePolicy', 'iam:DeletePolicyVersion', 'iam:SetDefaultPolicyVersion'],
      ['*'],
    ),
    deny('AssumeNoRole', ['sts:AssumeRole', 'iam:UpdateAssumeRolePolicy'], ['*']),
    deny('InvokeNothing', ['lambda:InvokeFunction', 'lambda:InvokeFunctionUrl'], ['*']),
  )
}

/** Layer 2: the most that any role of a function may do, regardless of the policy that a deployer gives it. */
export function runtimeBoundary(account: string, project?: string): PolicyDocument {
  const scope = { account }
  const buckets = bucketPatterns({ account, project })
  return policy(
    allow(
      'Objects',
      ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListBucket'],
      [...buckets, ...within(buckets)],
    ),
    allow(
      'Messages',
      [
        'sqs:SendMessage',
        'sqs:ReceiveMessage',
        'sqs:DeleteMessage',
        'sqs:ChangeMessageVisibility',
        'sqs:GetQueueAttributes',
      ],
      [arn('sqs', scope, named(scope))],
    ),
    allow(
      'Locks',
      ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
      [arn('dynamodb', scope, `table/${named(scope)}`)],
    ),
    allow('Schedule', ['lambda:InvokeFunction'], [arn('lambda', scope, `function:${named(scope)}`)]),
    allow(
      'Logs',
      ['logs:CreateLogStream', 'logs:PutLogEvents'],
      [arn('logs', scope, `log-group:/aws/lambda/${named(scope)}:*`)],
    ),
    allow('Secrets', ['ssm:GetParameter'], [arn('ssm', scope, `parameter/${PARAMETER_PREFIX}*`)]),
    allow('Embed', ['bedrock:InvokeModel'], ['arn:aws:bedrock:*::foundation-model/*']),
    // Transcribe knows no resource of this. What is heard goes to a bucket of ours.
    allow('Transcribe', ['transcribe:StartTranscriptionJob'], ['*'], {
      StringLike: {
        'transcribe:OutputBucketName': bucketPatterns({ account, project }).map((each) =>
          each.slice('arn:aws:s3:::'.length),
        ),
      },
    }),
    allow(
      'FollowTranscripts',
      ['transcribe:GetTranscriptionJob', 'transcribe:DeleteTranscriptionJob'],
      [arn('transcribe', scope, `transcription-job/${NAME_PREFIX}*`)],
    ),
    allow('StartTasks', ['ecs:RunTask'], [arn('ecs', scope, `task-definition/${named(scope)}`)]),
    // To no function: only tasks of recordings can be given a role.
    allow(
      'HandOverTaskRoles',
      ['iam:PassRole'],
      [`${role(scope)}-media-task`, `arn:aws:iam::${account}:role/${SERVER_ROLES.execution}`],
      { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    ),
    allow('Traces', ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*']),
    allow('Keys', ['kms:Decrypt', 'kms:GenerateDataKey'], [arn('kms', scope, 'key/*')], {
      StringLike: { 'kms:ViaService': 's3.*.amazonaws.com' },
    }),
    deny(
      'ManageNothing',
      [
        's3:CreateBucket',
        's3:DeleteBucket*',
        's3:PutBucket*',
        's3:Put*Configuration',
        's3:DeleteObjectVersion',
        's3:BypassGovernanceRetention',
        ...IDENTITY_ACTIONS,
      ],
      ['*'],
    ),
  )
}

/**
 * Layer 2 for your own services that open a bucket with the library (Lambda, App Runner, containers): objects of
 * these buckets and a wake-up call, no bucket management.
 */
export function serviceAccessPolicy(scope: DeployScope): PolicyDocument {
  const buckets = bucketPatterns(scope)
  return policy(
    allow('Objects', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'], within(buckets)),
    allow('List', ['s3:ListBucket'], buckets),
    allow('WakeUp', ['sqs:SendMessage'], [arn('sqs', scope, `${named(scope)}delta`)]),
    deny('ManageNothing', ['s3:CreateBucket', 's3:DeleteBucket*', 's3:PutBucket*', 's3:Put*Configuration'], ['*']),
  )
}
