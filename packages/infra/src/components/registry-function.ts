import { join } from 'node:path'
import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { bedrockModelArn } from '../embedder.ts'
import { checkInteger, checkPattern, InvalidArgument } from '../errors.ts'
import { stackNames } from '../names.ts'
import { registryPolicy } from '../policy/registry.ts'
import { common, whereabouts } from './common.ts'
import { createFunctionRole } from './function-role.ts'
import { componentSettings, type FunctionSettings } from './function-settings.ts'
import { createHourly } from './hourly.ts'
import { checkLambda, createFunction, type LambdaArgs, neverRepeat } from './lambda-function.ts'
import { permitAnybody } from './open-url.ts'
import { checkStoreAccess, type StoreAccessArgs, storeParameters, storeVariables } from './store-access.ts'

export interface RegistryFunctionArgs extends LambdaArgs, StoreAccessArgs {
  /** The store: artifacts and their files, accounts, and the index. */
  bucket: { bucketName: pulumi.Input<string>; bucketArn: pulumi.Input<string> }
  /** Wake-up calls for the compactor, which folds the index. */
  deltaQueue: { queueUrl: pulumi.Input<string>; queueArn: pulumi.Input<string> }
  /** Of the first admin, who is made if absent. Kept in Systems Manager, not in the function's environment. */
  adminPassword: pulumi.Input<string>
  /** Default `admin`. */
  adminUser?: string
  /** For reading models and datasets of Hugging Face's hub. Kept in Systems Manager, as the password. */
  hubToken?: pulumi.Input<string>
  /** For reading GitHub, which answers 60 requests an hour without one. Likewise. */
  githubToken?: pulumi.Input<string>
  kmsKeyArn?: pulumi.Input<string>
  permissionsBoundaryArn?: pulumi.Input<string>
  /** With the default embedder's model. */
  layers?: pulumi.Input<string>[]
  /** More variables of the registry, `REGISTRY_GATE` for example (docs/how-to/registry.md). No secrets. */
  variables?: Record<string, string>
  /** Default 1,769 MB, 120 s, 512 MB of disk. */
  settings?: Partial<FunctionSettings>
  /** Executions at the same time: more are answered 429. It limits what callers without a token can cost. Default: the account's. */
  concurrency?: number
  /** Hours between two runs of maintenance, 1 to 168. Default 24. */
  maintainHours?: number
  /** Maintenance deletes contents of files that no version names, at most each so many hours; 0: never, the default. */
  gcHours?: number
  /** With the former: days after which versions are forgotten that no branch and no tag names; 0: never, the default. */
  keepDays?: number
}

/** The event with which the schedule starts maintenance. */
const MAINTAIN_EVENT = { source: 'scheduled', action: 'maintain' } as const
/** Between two runs of maintenance. */
export const MAINTAIN_HOURS = 24
/** A rating asks other services, and a request waits for it. */
const DEFAULTS: FunctionSettings = { memoryMb: 1_769, timeoutSeconds: 120, diskMb: 512 }

/**
 * The artifact registry behind a URL, with accounts of its own: a caller without a token can log in and read what is public. Clients of
 * the Hub send their token where a signature of IAM would be, so the URL itself asks for none.
 *
 * Outputs: `function_name`, `function_arn`, `role_arn`, `schedule_name`, `url`.
 * @throws InvalidArgument
 */
export class RegistryFunction extends pulumi.ComponentResource {
  readonly functionName: pulumi.Output<string>
  readonly functionArn: pulumi.Output<string>
  readonly roleArn: pulumi.Output<string>
  readonly scheduleName: pulumi.Output<string>
  readonly url: pulumi.Output<string>

  constructor(name: string, args: RegistryFunctionArgs, opts?: pulumi.ComponentResourceOptions) {
    super('siltstone:aws:RegistryFunction', name, {}, opts)
    const settings = checked(args)
    const { stack, tags } = common(args)
    const names = stackNames(stack)
    const parent = { parent: this }
    const { role, policy } = createRole(name, args, this)
    const secret = (id: string, parameter: string, value: pulumi.Input<string>) =>
      new aws.ssm.Parameter(
        `${name}-${id}`,
        { name: parameter, type: 'SecureString', value: pulumi.secret(value), tags },
        parent,
      ).name
    const { parameters } = names
    const password = secret('admin-password', parameters.registryAdminPassword, args.adminPassword)
    const tokens = {
      ...(args.hubToken !== undefined && {
        HF_TOKEN_PARAMETER: secret('hub-token', parameters.registryHubToken, args.hubToken),
      }),
      ...(args.githubToken !== undefined && {
        GITHUB_TOKEN_PARAMETER: secret('github-token', parameters.registryGithubToken, args.githubToken),
      }),
    }
    const made = createFunction(
      args,
      {
        id: `${name}-function`,
        logsId: `${name}-logs`,
        functionName: names.registry.function,
        logGroupName: names.registry.logGroup,
        description: 'Siltstone: artifact registry',
        code: { directory: join(args.codeDirectory, 'registry') },
        settings,
        roleArn: role.arn,
        policy,
        layers: args.layers ?? [],
        concurrency:
          args.concurrency === undefined ? undefined : checkInteger('concurrency', args.concurrency, 1, 10_000),
        variables: { ...variablesOf(args, password), ...tokens },
      },
      this,
    )
    const url = new aws.lambda.FunctionUrl(
      `${name}-url`,
      { functionName: made.name, authorizationType: 'NONE', invokeMode: 'BUFFERED' },
      parent,
    )
    permitAnybody(name, made.name, this)
    neverRepeat(name, made.name, this)
    this.functionName = made.name
    this.functionArn = made.arn
    this.roleArn = role.arn
    this.url = url.functionUrl
    this.scheduleName = createHourly(
      name,
      args,
      {
        names: names.registry,
        functionArn: made.arn,
        hours: args.maintainHours ?? MAINTAIN_HOURS,
        field: 'maintainHours',
        purpose: 'maintenance of the registry',
        description: 'finishes what the registry left, and deletes what expired',
        event: MAINTAIN_EVENT,
      },
      this,
    )
    this.registerOutputs({
      function_name: this.functionName,
      function_arn: this.functionArn,
      role_arn: this.roleArn,
      schedule_name: this.scheduleName,
      url: this.url,
    })
  }
}

function checked(args: RegistryFunctionArgs): FunctionSettings {
  checkStoreAccess(args)
  // Without it nobody could ever log in.
  if (args.adminPassword === undefined || args.adminPassword === '')
    throw new InvalidArgument('adminPassword', args.adminPassword, 'give the password of the first admin, as a secret')
  for (const variable of Object.keys(args.variables ?? {}))
    checkPattern(
      'variables',
      variable,
      /^REGISTRY_(?!ADMIN_)[A-Z_]+$/,
      'use variables that begin with REGISTRY_, and no admin',
    )
  const settings = componentSettings(DEFAULTS, args.settings, { memoryMb: 512, timeoutSeconds: 30 })
  const gcHours = checkInteger('gcHours', args.gcHours ?? 0, 0, 10_000)
  const keepDays = checkInteger('keepDays', args.keepDays ?? 0, 0, 100_000)
  if (keepDays > 0 && gcHours === 0)
    throw new InvalidArgument('keepDays', keepDays, 'set gcHours, too: versions are forgotten by its runs')
  checkLambda(args, 'registry')
  return settings
}

function variablesOf(
  args: RegistryFunctionArgs,
  passwordParameter: pulumi.Output<string>,
): Record<string, pulumi.Input<string>> {
  return {
    ...storeVariables(args),
    ...args.variables,
    REGISTRY_ADMIN_USER: args.adminUser ?? 'admin',
    REGISTRY_ADMIN_PASSWORD_PARAMETER: passwordParameter,
    SILTSTONE_REGISTRY_GC_HOURS: String(args.gcHours ?? 0),
    SILTSTONE_REGISTRY_KEEP_DAYS: String(args.keepDays ?? 0),
  }
}

function createRole(name: string, args: RegistryFunctionArgs, component: pulumi.Resource) {
  const { stack } = common(args)
  const names = stackNames(stack)
  const { account, region } = whereabouts({ parent: component })
  const parameters = [
    names.parameters.registryAdminPassword,
    ...(args.hubToken === undefined ? [] : [names.parameters.registryHubToken]),
    ...(args.githubToken === undefined ? [] : [names.parameters.registryGithubToken]),
    ...storeParameters(args),
  ]
  const resources = pulumi.output({
    bucketArn: args.bucket.bucketArn,
    queueArn: args.deltaQueue.queueArn,
    logGroupArn: pulumi.interpolate`arn:aws:logs:${region}:${account}:log-group:${names.registry.logGroup}`,
    kmsKeyArn: args.kmsKeyArn,
    parameterArns: parameters.map((each) => pulumi.interpolate`arn:aws:ssm:${region}:${account}:parameter${each}`),
    bedrockModelArn: region.apply((id) => bedrockModelArn(args.embedder, id)),
  })
  return createFunctionRole(
    args,
    {
      id: `${name}-role`,
      policyId: `${name}-policy`,
      name: names.registry.function,
      policyName: 'registry',
      description: `What the registry of ${stack} may do`,
      document: resources.apply(registryPolicy),
    },
    component,
  )
}
