/** The tasks of Fargate for recordings that take longer than a function may run: a cluster, a task definition and a role. */
import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { checkInteger, checkOneOf, InvalidArgument } from '../errors.ts'
import { stackNames } from '../names.ts'
import type { PolicyDocument } from '../policy/document.ts'
import { tasksTrust } from '../policy/trust.ts'
import { common, type CommonArgs, policyText, whereabouts } from './common.ts'
import { METRICS_NAMESPACE, type LogLevel } from './function-settings.ts'
import { TASK_CONTAINER, type TaskTarget } from './object-worker.ts'

export interface MediaTaskArgs {
  /** One or more, from which a task reaches S3, SQS, ECR and CloudWatch. */
  subnets: pulumi.Input<pulumi.Input<string>[]>
  /** Default: the one of the network. */
  securityGroups?: pulumi.Input<pulumi.Input<string>[]>
  /** Default true, as a subnet without a NAT gateway or endpoints needs. Nothing listens in a task. */
  assignPublicIp?: boolean
  /** Of `ServerRoles`, or a role of yours with the same policies: fetches the image and writes the log. */
  executionRoleArn: pulumi.Input<string>
  /** In units of 1/1024 processor: 1024, 2048, 4096 or 8192. Default 4,096. */
  cpuUnits?: number
  /** Twice to eight times the units, in MB. Default twice. */
  memoryMb?: number
  /** 21 to 200; default 50. It has to hold a recording. */
  diskGb?: number
  /** Recordings that are larger begin here, and smaller ones where a function was not enough. Default 2,000. */
  aboveMb?: number
}

interface MadeFor extends CommonArgs {
  image: pulumi.Input<string>
  task: MediaTaskArgs
  permissionsBoundaryArn?: pulumi.Input<string>
  logLevel?: LogLevel
  logRetentionDays?: number
}

const CPU_UNITS = ['1024', '2048', '4096', '8192'] as const

/** @throws InvalidArgument */
export function createMediaTask(
  name: string,
  args: MadeFor,
  made: { variables: Record<string, pulumi.Input<string>>; policy: pulumi.Input<PolicyDocument> },
  component: pulumi.Resource,
): { target: TaskTarget; definitionArn: pulumi.Output<string> } {
  const { stack, tags } = common(args)
  const names = stackNames(stack).media
  const { task } = args
  const size = sizeOf(task)
  const parent = { parent: component }
  const { account, region } = whereabouts(parent)
  const role = new aws.iam.Role(
    `${name}-task-role`,
    {
      name: names.taskRole,
      description: `What tasks for recordings of ${stack} may do`,
      assumeRolePolicy: policyText(account.apply(tasksTrust)),
      ...(args.permissionsBoundaryArn !== undefined && { permissionsBoundary: args.permissionsBoundaryArn }),
      tags,
    },
    parent,
  )
  const policy = new aws.iam.RolePolicy(
    `${name}-task-policy`,
    { name: 'media', role: role.name, policy: policyText(made.policy) },
    parent,
  )
  const logGroup = new aws.cloudwatch.LogGroup(
    `${name}-task-logs`,
    { name: names.taskLogGroup, retentionInDays: args.logRetentionDays ?? 30, tags },
    parent,
  )
  const cluster = new aws.ecs.Cluster(`${name}-cluster`, { name: names.cluster, tags }, parent)
  const variables = {
    ...made.variables,
    LOG_LEVEL: args.logLevel ?? 'INFO',
    SILTSTONE_MEMORY_MB: size.memory,
    POWERTOOLS_SERVICE_NAME: stackNames(stack).ingest.function,
    POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
  }
  const container = {
    name: TASK_CONTAINER,
    image: args.image,
    essential: true,
    environment: Object.entries(variables).map(([key, value]) => ({ name: key, value })),
    // It gives its object back when it is told to stop.
    stopTimeout: 60,
    logConfiguration: {
      logDriver: 'awslogs',
      options: { 'awslogs-group': logGroup.name, 'awslogs-region': region, 'awslogs-stream-prefix': 'task' },
    },
  }
  const definition = new aws.ecs.TaskDefinition(
    `${name}-task`,
    {
      family: names.task,
      requiresCompatibilities: ['FARGATE'],
      networkMode: 'awsvpc',
      runtimePlatform: { cpuArchitecture: 'ARM64', operatingSystemFamily: 'LINUX' },
      cpu: size.cpu,
      memory: size.memory,
      ephemeralStorage: { sizeInGib: size.diskGb },
      executionRoleArn: task.executionRoleArn,
      taskRoleArn: role.arn,
      containerDefinitions: pulumi.jsonStringify([container]),
      tags,
    },
    { ...parent, dependsOn: [policy] },
  )
  return {
    definitionArn: definition.arn,
    target: {
      clusterArn: cluster.arn,
      family: names.task,
      roleArns: [role.arn, task.executionRoleArn],
      subnets: task.subnets,
      securityGroups: task.securityGroups ?? [],
      assignPublicIp: task.assignPublicIp ?? true,
      aboveMb: checkInteger('task.aboveMb', task.aboveMb ?? 2_000, 0, 1_000_000),
    },
  }
}

function sizeOf({ subnets, cpuUnits = 4_096, memoryMb = 2 * cpuUnits, diskGb = 50 }: MediaTaskArgs) {
  if (Array.isArray(subnets) && subnets.length === 0)
    throw new InvalidArgument('task.subnets', '[]', 'name at least one subnet')
  return {
    cpu: checkOneOf('task.cpuUnits', String(cpuUnits), CPU_UNITS),
    memory: String(checkInteger('task.memoryMb', memoryMb, 2 * cpuUnits, 8 * cpuUnits)),
    diskGb: checkInteger('task.diskGb', diskGb, 21, 200),
  }
}
