import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { checkInteger, checkOneOf, InvalidArgument } from '../errors.ts'
import { stackNames } from '../names.ts'
import { serverPolicy } from '../policy/server.ts'
import { tasksTrust } from '../policy/trust.ts'
import { common, type CommonArgs, policyText, whereabouts } from './common.ts'

export interface ServerArgs extends CommonArgs {
  /** Of `deploy/container/Dockerfile`, in a registry that the execution role may read. */
  image: pulumi.Input<string>
  bucketName: pulumi.Input<string>
  bucketArn: pulumi.Input<string>
  /** Wakes the server for compactions; without a queue it looks for work by itself. */
  queue?: { url: pulumi.Input<string>; arn: pulumi.Input<string> }
  /** Keeps the leases; without a table they are objects of the bucket. */
  lockTable?: { name: pulumi.Input<string>; arn: pulumi.Input<string> }
  /** The bucket's customer key, if it has one. */
  kmsKeyArn?: pulumi.Input<string>
  /** JSON of the server's tokens, kept in Systems Manager. Required: the service can be reached from the internet. */
  tokens: pulumi.Input<string>
  /** Of `ServerRoles`, or roles of yours with the same policies. */
  executionRoleArn: pulumi.Input<string>
  infrastructureRoleArn: pulumi.Input<string>
  permissionsBoundaryArn?: pulumi.Input<string>
  /** In units of 1/1024 processor: 256, 512, 1024, 2048 or 4096. Default 1024. */
  cpuUnits?: number
  /** 512 to 8,192; default 2,048. */
  memoryMb?: number
  /** Tasks at the same time: several servers may share one bucket. Default 1 to 2. */
  minTasks?: number
  maxTasks?: number
  /** Two or more subnets, and security groups, instead of the default network of the account. */
  network?: { subnets: pulumi.Input<pulumi.Input<string>[]>; securityGroups: pulumi.Input<pulumi.Input<string>[]> }
  /** Additional environment variables. */
  variables?: Record<string, pulumi.Input<string>>
  /** Default 30. */
  logRetentionDays?: number
}

const CPU_UNITS = ['256', '512', '1024', '2048', '4096'] as const
const PORT = 8_000

/**
 * `siltstone serve` in a container, as a service of ECS in Express Mode: Fargate, with a load balancer, a certificate and
 * an HTTPS address that ECS manages. It answers the whole API and compacts; several may run beside each other and beside
 * the functions.
 *
 * Outputs: `server_url`, `server_service_arn`, `server_role_arn`.
 * @throws InvalidArgument
 */
export class Server extends pulumi.ComponentResource {
  readonly url: pulumi.Output<string | undefined>
  readonly serviceArn: pulumi.Output<string>
  readonly roleArn: pulumi.Output<string>

  constructor(name: string, args: ServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super('siltstone:aws:Server', name, {}, opts)
    const { stack, tags } = common(args)
    const names = stackNames(stack)
    const size = sizeOf(args)
    const parent = { parent: this }
    const { account } = whereabouts(parent)
    const role = new aws.iam.Role(
      `${name}-role`,
      {
        name: names.server,
        description: `What the server of ${stack} may do`,
        assumeRolePolicy: policyText(account.apply(tasksTrust)),
        ...(args.permissionsBoundaryArn !== undefined && { permissionsBoundary: args.permissionsBoundaryArn }),
        tags,
      },
      parent,
    )
    const resources = pulumi.output({
      bucketArn: args.bucketArn,
      queueArn: args.queue?.arn,
      lockTableArn: args.lockTable?.arn,
      kmsKeyArn: args.kmsKeyArn,
    })
    const policy = new aws.iam.RolePolicy(
      `${name}-policy`,
      { name: 'server', role: role.name, policy: policyText(resources.apply(serverPolicy)) },
      parent,
    )
    const logGroup = new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      { name: names.serverLogGroup, retentionInDays: args.logRetentionDays ?? 30, tags },
      parent,
    )
    const tokens = new aws.ssm.Parameter(
      `${name}-tokens`,
      { name: names.parameters.serverTokens, type: 'SecureString', value: pulumi.secret(args.tokens), tags },
      parent,
    )
    const service = new aws.ecs.ExpressGatewayService(
      `${name}-service`,
      {
        serviceName: names.server,
        executionRoleArn: args.executionRoleArn,
        infrastructureRoleArn: args.infrastructureRoleArn,
        taskRoleArn: role.arn,
        cpu: size.cpu,
        memory: size.memory,
        healthCheckPath: '/healthz',
        primaryContainer: {
          image: args.image,
          containerPort: PORT,
          awsLogsConfigurations: [{ logGroup: logGroup.name, logStreamPrefix: 'server' }],
          environments: Object.entries(variablesOf(args)).map(([key, value]) => ({ name: key, value })),
          secrets: [{ name: 'SILTSTONE_TOKENS', valueFrom: tokens.arn }],
        },
        scalingTargets: [
          {
            autoScalingMetric: 'AVERAGE_CPU',
            autoScalingTargetValue: 60,
            minTaskCount: size.minTasks,
            maxTaskCount: size.maxTasks,
          },
        ],
        ...(args.network !== undefined && { networkConfigurations: [args.network] }),
        tags,
      },
      // A service that loses its policy first does not end: the provider's advice.
      { ...parent, dependsOn: [policy] },
    )
    this.url = service.ingressPaths.apply((paths) => paths?.[0]?.endpoint)
    this.serviceArn = service.serviceArn
    this.roleArn = role.arn
    this.registerOutputs({ server_url: this.url, server_service_arn: this.serviceArn, server_role_arn: this.roleArn })
  }
}

function variablesOf({ bucketName, queue, lockTable, variables }: ServerArgs): Record<string, pulumi.Input<string>> {
  return {
    SILTSTONE_DATA: pulumi.interpolate`s3://${bucketName}`,
    SILTSTONE_HOST: '0.0.0.0',
    SILTSTONE_PORT: String(PORT),
    ...(queue !== undefined && { SILTSTONE_QUEUE_URL: queue.url }),
    ...(lockTable !== undefined && { SILTSTONE_LOCK_TABLE: lockTable.name }),
    ...variables,
  }
}

function sizeOf(args: ServerArgs): { cpu: string; memory: string; minTasks: number; maxTasks: number } {
  const minTasks = checkInteger('minTasks', args.minTasks ?? 1, 1, 100)
  const maxTasks = checkInteger('maxTasks', args.maxTasks ?? Math.max(2, minTasks), 1, 100)
  if (maxTasks < minTasks) throw new InvalidArgument('maxTasks', maxTasks, `use at least minTasks, ${minTasks}`)
  return {
    cpu: checkOneOf('cpuUnits', String(args.cpuUnits ?? 1_024), CPU_UNITS),
    memory: String(checkInteger('memoryMb', args.memoryMb ?? 2_048, 512, 8_192)),
    minTasks,
    maxTasks,
  }
}
