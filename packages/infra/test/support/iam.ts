/** Decisions of IAM on the policies that the real programs register. */
import { runSimulation } from '@cloud-copilot/iam-simulate'
import type { PolicyDocument } from '../../src/policy/document.ts'
import { fill, type Names, type Resource, type Row, type Run } from '../../src/testing/index.ts'
import { ACCOUNT, all, bootstrap, only, REGION, run } from './program.ts'

export interface Policies {
  names: Names
  /** By subject: its own policies, and its permissions boundary. */
  identity: Record<string, PolicyDocument[]>
  boundary: PolicyDocument
  bucket: PolicyDocument
  queue: PolicyDocument
  objectBucket: PolicyDocument
  ingestQueue: PolicyDocument
  mediaQueue: PolicyDocument
}

const document = (resource: Resource, input = 'policy'): PolicyDocument =>
  JSON.parse(String(resource.inputs[input])) as PolicyDocument

export interface Deployment {
  stack: Run
  admin: Run
  /** The stack's name. */
  name: string
  account: string
  region: string
}

/** Options with which the program makes each subject of the permission table. */
export const EVERYTHING = {
  config: {
    objects: 'true',
    objectsMediaImage: `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/siltstone-media:0.1.0`,
    objectsTaskSubnets: 'subnet-1',
    objectsTranscribe: 'true',
    serverExecutionRoleArn: `arn:aws:iam::${ACCOUNT}:role/server-siltstone-execution`,
    registry: 'true',
    registryAdminPassword: 'a long password',
  },
  secrets: ['registryAdminPassword'],
}

/**
 * Policies of the programs, with nothing created.
 * @param config of the bootstrap program
 */
export async function collectPolicies(config: Record<string, string> = {}): Promise<Policies> {
  const name = 'prod'
  return policiesOf({
    stack: await run({ stack: name, ...EVERYTHING }),
    admin: await bootstrap(config),
    name,
    account: ACCOUNT,
    region: REGION,
  })
}

export function policiesOf({ stack, admin, name: stackName, account, region }: Deployment): Policies {
  const { resources } = stack
  const arn = (type: string, name: string) => String(only(resources, type, name).state['arn'])
  const role = (name: string) => [document(only(resources, 'aws:iam/rolePolicy:RolePolicy', name))]
  const managed = (name: string) => document(only(admin.resources, 'aws:iam/policy:Policy', name))
  return {
    names: {
      bucketArn: arn('aws:s3/bucket:Bucket', 'vectors-bucket'),
      queueArn: arn('aws:sqs/queue:Queue', 'delta-queue'),
      deadLetterQueueArn: arn('aws:sqs/queue:Queue', 'delta-dead'),
      tableArn: arn('aws:dynamodb/table:Table', 'locks-table'),
      functionArn: arn('aws:lambda/function:Function', 'functions-compactor'),
      objectBucketArn: arn('aws:s3/bucket:Bucket', 'objects-bucket'),
      ingestQueueArn: arn('aws:sqs/queue:Queue', 'ingest-queue'),
      mediaQueueArn: arn('aws:sqs/queue:Queue', 'media-queue'),
      clusterArn: arn('aws:ecs/cluster:Cluster', 'media-cluster'),
      taskDefinitionArn: arn('aws:ecs/taskDefinition:TaskDefinition', 'media-task'),
      account,
      region,
      stack: stackName,
    },
    identity: {
      producer: role('roles-producer-policy'),
      compactor: role('roles-compactor-policy'),
      query: role('roles-query-policy'),
      api: role('roles-api-policy'),
      ingest: role('ingest-worker-policy'),
      media: role('media-policy'),
      'media-task': role('media-task-policy'),
      registry: role('registry-policy'),
      schedule: role('schedule-policy'),
      service: [managed('deploy-s3-vector-service-access')],
      deploy: [
        managed('deploy-s3-vector-management'),
        managed('deploy-application-management'),
        managed('deploy-state-access'),
        ...all(admin.resources, 'aws:iam/policy:Policy')
          .filter((policy) => policy.name === 'deploy-server-management')
          .map((policy) => document(policy)),
      ],
    },
    boundary: managed('deploy-boundary'),
    bucket: document(only(resources, 'aws:s3/bucketPolicy:BucketPolicy', 'vectors-policy')),
    objectBucket: document(only(resources, 'aws:s3/bucketPolicy:BucketPolicy', 'objects-policy')),
    ingestQueue: document(only(resources, 'aws:sqs/queuePolicy:QueuePolicy', 'ingest-policy')),
    mediaQueue: document(only(resources, 'aws:sqs/queuePolicy:QueuePolicy', 'media-policy')),
    queue: document(only(resources, 'aws:sqs/queuePolicy:QueuePolicy', 'delta-policy')),
  }
}

/** The roles of the program carry the boundary; a user's service and the deployer do not. */
const BOUNDED = new Set([
  'producer',
  'compactor',
  'query',
  'api',
  'ingest',
  'media',
  'media-task',
  'registry',
  'schedule',
])

export interface Decision {
  verdict: string
  /** Condition keys that the evaluator does not know for the action, and therefore ignored. */
  ignored: string[]
}

export async function decide(row: Row, policies: Policies): Promise<Decision> {
  const { names } = policies
  const resource = fill(row.resource, names)
  const context = Object.fromEntries(
    Object.entries({ 'aws:SecureTransport': 'true', ...row.context }).map(([key, value]) => [
      key,
      typeof value === 'string' ? fill(value, names) : [...value],
    ]),
  )
  const resourcePolicy = policyOn(resource, policies)
  const result = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${names.account}:role/siltstone-${names.stack}-${row.subject}`,
        action: row.action,
        resource: { resource, accountId: names.account },
        contextVariables: context,
      },
      identityPolicies: (policies.identity[row.subject] ?? []).map((policy, at) => ({ name: `${at}`, policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy,
      ...(BOUNDED.has(row.subject) && {
        permissionBoundaryPolicies: [{ name: 'boundary', policy: policies.boundary }],
      }),
    },
    {},
  )
  if (result.resultType === 'error') return { verdict: `error ${JSON.stringify(result.errors)}`, ignored: [] }
  if (result.resultType !== 'single') return { verdict: `a ${result.resultType} result`, ignored: [] }
  return { verdict: result.overallResult, ignored: result.result.ignoredContextKeys ?? [] }
}

function policyOn(resource: string, { names, ...policies }: Policies): PolicyDocument | undefined {
  const isIn = (bucketArn: string) => resource === bucketArn || resource.startsWith(`${bucketArn}/`)
  if (isIn(names.objectBucketArn)) return policies.objectBucket
  if (isIn(names.bucketArn)) return policies.bucket
  if (resource === names.ingestQueueArn) return policies.ingestQueue
  if (resource === names.mediaQueueArn) return policies.mediaQueue
  return resource === names.queueArn ? policies.queue : undefined
}
