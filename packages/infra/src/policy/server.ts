/**
 * What a server in a container needs (`components/server.ts`), in two layers as everything else: an administrator makes the
 * two roles that ECS uses, a deployer makes the service and the role of its process, within the permissions boundary.
 */
import {
  CATALOG_PREFIX,
  DELTA_PREFIX,
  DRIVER_PREFIX,
  DUE_PREFIX,
  EMBEDDING_PREFIX,
  KEY_PATTERNS,
  SNAPSHOT_PREFIX,
} from '../keys.ts'
import { checkAccount, NAME_PREFIX, PARAMETER_PREFIX, SERVER_ROLES } from '../names.ts'
import { type DeployScope, LOG_GROUP_ACTIONS } from './deploy.ts'
import { allow, deny, policy, type PolicyDocument } from './document.ts'
import { key, list, lock, objects, wakeUp } from './roles.ts'

/** Managed by AWS: image and logs of a task; load balancer, certificate, security groups and scaling of a service. */
export const EXECUTION_POLICY = 'arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy'
export const INFRASTRUCTURE_POLICY =
  'arn:aws:iam::aws:policy/service-role/AmazonECSInfrastructureRoleforExpressGatewayServices'

export interface ServerResources {
  bucketArn: string
  /** Without a queue, `serve` looks for work by itself. */
  queueArn?: string | undefined
  /** Without a table, leases are objects of the bucket. */
  lockTableArn?: string | undefined
  kmsKeyArn?: string | undefined
}

/** The process of `siltstone serve`: the whole API, compaction and garbage collection; versions of objects stay. */
export function serverPolicy({ queueArn, lockTableArn, ...resources }: ServerResources): PolicyDocument {
  const driver = `${DRIVER_PREFIX}*`
  const written = [KEY_PATTERNS.log, KEY_PATTERNS.snapshots, KEY_PATTERNS.catalog, KEY_PATTERNS.due, driver]
  return policy(
    allow('Read', ['s3:GetObject'], objects(resources, ...written, KEY_PATTERNS.embeddings)),
    allow(
      'Write',
      ['s3:PutObject', 's3:AbortMultipartUpload'],
      objects(resources, ...written, KEY_PATTERNS.embeddings),
    ),
    // Never pointers: the pointer of a collection is kept permanently.
    allow(
      'Collect',
      ['s3:DeleteObject'],
      objects(
        resources,
        KEY_PATTERNS.log,
        ...KEY_PATTERNS.immutable,
        driver,
        KEY_PATTERNS.catalog,
        KEY_PATTERNS.due,
        KEY_PATTERNS.embeddings,
      ),
    ),
    list(resources, DELTA_PREFIX, SNAPSHOT_PREFIX, CATALOG_PREFIX, DUE_PREFIX, EMBEDDING_PREFIX),
    queueArn === undefined
      ? undefined
      : allow(
          'TakeWakeUps',
          ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
          [queueArn],
        ),
    queueArn === undefined ? undefined : wakeUp({ queueArn }),
    lockTableArn === undefined ? undefined : lock({ lockTableArn }),
    key(resources, 'kms:GenerateDataKey', 'kms:Decrypt'),
  )
}

const ecsRole = (account: string, name: string) => `arn:aws:iam::${account}:role/${name}`

/**
 * Layer 1, for accounts with servers or with tasks for recordings: services, clusters and tasks of ECS with our names, images of
 * functions, and handing over the roles that they need.
 */
export function serverManagementPolicy({ account, stack }: DeployScope): PolicyDocument {
  checkAccount(account)
  const names = `${NAME_PREFIX}${stack === undefined ? '*' : `${stack}-*`}`
  const arn = (service: string, resource: string) => `arn:aws:${service}:*:${account}:${resource}`
  return policy(
    allow(
      'Services',
      [
        'ecs:CreateExpressGatewayService',
        'ecs:DescribeExpressGatewayService',
        'ecs:UpdateExpressGatewayService',
        'ecs:DeleteExpressGatewayService',
        'ecs:DescribeServices',
        'ecs:ListTagsForResource',
        'ecs:TagResource',
        'ecs:UntagResource',
      ],
      [arn('ecs', `service/default/${names}`)],
    ),
    allow(
      'MediaTasks',
      [
        'ecs:CreateCluster',
        'ecs:UpdateCluster',
        'ecs:DeleteCluster',
        'ecs:DescribeClusters',
        'ecs:RegisterTaskDefinition',
        'ecs:ListTagsForResource',
        'ecs:TagResource',
        'ecs:UntagResource',
      ],
      [arn('ecs', `cluster/${names}`), arn('ecs', `task-definition/${names}`)],
    ),
    // ECS knows no resource of these.
    allow('MediaDefinitions', ['ecs:DescribeTaskDefinition', 'ecs:DeregisterTaskDefinition'], ['*']),
    // Lambda takes a function's image with the rights of who makes the function.
    allow(
      'Images',
      ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', 'ecr:GetRepositoryPolicy', 'ecr:SetRepositoryPolicy'],
      [arn('ecr', `repository/${NAME_PREFIX}*`)],
    ),
    allow('DefaultCluster', ['ecs:CreateCluster', 'ecs:DescribeClusters'], [arn('ecs', 'cluster/default')]),
    allow('ServerLogs', LOG_GROUP_ACTIONS, [
      arn('logs', `log-group:/${PARAMETER_PREFIX}${stack === undefined ? '*' : `${stack}/*`}`),
    ]),
    allow(
      'HandOverServerRoles',
      ['iam:PassRole'],
      [
        ...Object.values(SERVER_ROLES).map((name) => ecsRole(account, name)),
        ecsRole(account, `${names}server`),
        ecsRole(account, `${names}media-task`),
      ],
      { StringEquals: { 'iam:PassedToService': ['ecs.amazonaws.com', 'ecs-tasks.amazonaws.com'] } },
    ),
    deny('EnterNoContainer', ['ecs:ExecuteCommand'], ['*']),
  )
}

/** In addition to AWS's policy for executions: the secrets that a task is started with. */
export function executionSecretsPolicy(account: string): PolicyDocument {
  return policy(
    allow(
      'ReadSecrets',
      ['ssm:GetParameters'],
      [`arn:aws:ssm:*:${checkAccount(account)}:parameter/${PARAMETER_PREFIX}*`],
    ),
  )
}
