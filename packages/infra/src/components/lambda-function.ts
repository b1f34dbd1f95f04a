import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { checkOneOf, InvalidArgument } from '../errors.ts'
import { common, type CommonArgs } from './common.ts'
import { type FunctionSettings, LOG_LEVELS, type LogLevel, METRICS_NAMESPACE } from './function-settings.ts'

export interface LambdaArgs extends CommonArgs {
  /** Folder with one folder per function, each holding `index.mjs` or `index.js` that exports `handler`. */
  codeDirectory: string
  logLevel?: LogLevel
  /** Default 30. */
  logRetentionDays?: number
  /** Default true. */
  tracing?: boolean
}

export interface LambdaFunction {
  /** Of the resources in the program. */
  id: string
  logsId: string
  /** On AWS. The function's name is unique in the account's region. */
  functionName: string
  logGroupName: string
  description: string
  /** A folder, or an image, which brings its own runtime. */
  code: { directory: string } | { imageUri: pulumi.Input<string> }
  settings: FunctionSettings
  roleArn: pulumi.Input<string>
  /** What the role may do: the function is made after it. */
  policy: pulumi.Resource | undefined
  layers: pulumi.Input<string>[]
  /** Executions at the same time; undefined: the account's. */
  concurrency: number | undefined
  variables: Record<string, pulumi.Input<string>>
}

/** A function of Node on arm64, or of an image for it, with a log group of its own, JSON logs and the variables that all functions have. */
export function createFunction(
  args: Omit<LambdaArgs, 'codeDirectory'>,
  { id, logsId, settings, layers, concurrency, ...made }: LambdaFunction,
  parent: pulumi.Resource,
): aws.lambda.Function {
  const { tags } = common(args)
  const logLevel = args.logLevel ?? 'INFO'
  const logGroup = new aws.cloudwatch.LogGroup(
    logsId,
    { name: made.logGroupName, retentionInDays: args.logRetentionDays ?? 30, tags },
    { parent },
  )
  return new aws.lambda.Function(
    id,
    {
      name: made.functionName,
      description: made.description,
      role: made.roleArn,
      architectures: ['arm64'],
      ...codeOf(made.code),
      memorySize: settings.memoryMb,
      timeout: settings.timeoutSeconds,
      ephemeralStorage: { size: settings.diskMb },
      loggingConfig: {
        logFormat: 'JSON',
        logGroup: logGroup.name,
        applicationLogLevel: logLevel,
        // The reports of durations and memory are at this level.
        systemLogLevel: 'INFO',
      },
      ...(concurrency !== undefined && { reservedConcurrentExecutions: concurrency }),
      tracingConfig: { mode: (args.tracing ?? true) ? 'Active' : 'PassThrough' },
      ...(layers.length > 0 && { layers }),
      environment: {
        variables: {
          LOG_LEVEL: logLevel,
          // The dimension of the metrics.
          POWERTOOLS_SERVICE_NAME: made.functionName,
          POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
          ...made.variables,
        },
      },
      tags,
    },
    { parent, dependsOn: made.policy === undefined ? [logGroup] : [made.policy, logGroup] },
  )
}

function codeOf(
  code: LambdaFunction['code'],
): Pick<aws.lambda.FunctionArgs, 'packageType' | 'imageUri' | 'runtime' | 'handler' | 'code'> {
  if ('imageUri' in code) return { packageType: 'Image', imageUri: code.imageUri }
  return {
    runtime: 'nodejs24.x',
    handler: 'index.handler',
    code: new pulumi.asset.FileArchive(code.directory),
  }
}

/** @throws InvalidArgument */
export function checkLogLevel(logLevel: LogLevel | undefined): void {
  if (logLevel !== undefined) checkOneOf('logLevel', logLevel, LOG_LEVELS)
}

/** @throws InvalidArgument unless the function's folder has its code and the log level is one */
export function checkLambda({ codeDirectory, logLevel }: LambdaArgs, folder: string): void {
  checkLogLevel(logLevel)
  const directory = join(codeDirectory, folder)
  if (!['index.mjs', 'index.js', 'index.cjs'].some((file) => existsSync(join(directory, file))))
    throw new InvalidArgument(
      'codeDirectory',
      directory,
      'there is no index.mjs or index.js: build the functions first',
    )
}

/**
 * The schedule invokes asynchronously, and Lambda would repeat a failed invocation twice within six hours. The next run of
 * the schedule does the same work.
 */
export function neverRepeat(name: string, functionName: pulumi.Input<string>, parent: pulumi.Resource): void {
  new aws.lambda.FunctionEventInvokeConfig(
    `${name}-scheduled`,
    { functionName, maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
    { parent },
  )
}
