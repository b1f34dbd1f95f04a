import { join } from 'node:path'
import * as pulumi from '@pulumi/pulumi'
import { InvalidArgument } from '../errors.ts'
import { stackNames } from '../names.ts'
import { ingestPolicy } from '../policy/ingest.ts'
import { common } from './common.ts'
import { createFunctionRole } from './function-role.ts'
import { componentSettings, type FunctionSettings } from './function-settings.ts'
import { createHourly } from './hourly.ts'
import { checkLambda, createFunction, type LambdaArgs, neverRepeat } from './lambda-function.ts'
import {
  type MediaTarget,
  objectResources,
  objectRules,
  objectVariables,
  type ObjectWorkerArgs,
  takeOneByOne,
} from './object-worker.ts'

export interface IngestWorkerArgs extends ObjectWorkerArgs, LambdaArgs {
  /** Notifications of the bucket of objects. */
  queue: {
    queueUrl: pulumi.Input<string>
    queueArn: pulumi.Input<string>
    visibilityTimeoutSeconds: number
    prefix: string
  }
  /** With the default embedder's model. */
  layers?: pulumi.Input<string>[]
  /** Takes the recordings. Without it this function reads of them what their containers say. */
  media?: MediaTarget
  /** Default 2,048 MB, 300 s, 2,048 MB of disk. */
  settings?: Partial<FunctionSettings>
  /** Objects that are worked on at the same time, each by one instance. 2 to 1,000, default 5. */
  maxConcurrency?: number
  /** Hours between two sweeps, which find what no notification told. A sweep reads four times an object. Default 24. */
  sweepHours?: number
}

/** The event with which the schedule starts the worker. */
const SWEEP_EVENT = { source: 'scheduled', action: 'sweep' } as const
const DEFAULTS: FunctionSettings = { memoryMb: 2_048, timeoutSeconds: 300, diskMb: 2_048 }

/**
 * The function that makes objects searchable, for documents, e-mail and images. Recordings go to a `MediaWorker`; without one this
 * function reads what their containers say, leaves out the steps that need ffmpeg or a model of speech, and the state of the object says so.
 *
 * Outputs: `function_name`, `function_arn`, `role_arn`, `schedule_name`.
 * @throws InvalidArgument
 */
export class IngestWorker extends pulumi.ComponentResource {
  readonly functionName: pulumi.Output<string>
  readonly functionArn: pulumi.Output<string>
  readonly roleArn: pulumi.Output<string>
  readonly scheduleName: pulumi.Output<string>

  constructor(name: string, args: IngestWorkerArgs, opts?: pulumi.ComponentResourceOptions) {
    super('siltstone:aws:IngestWorker', name, {}, opts)
    const settings = checked(args)
    const names = stackNames(common(args).stack)
    const { role, policy } = createRole(name, args, this)
    const made = createFunction(
      args,
      {
        id: `${name}-function`,
        logsId: `${name}-logs`,
        functionName: names.ingest.function,
        logGroupName: names.ingest.logGroup,
        description: 'Siltstone: objects into records',
        code: { directory: join(args.codeDirectory, 'ingest') },
        settings,
        roleArn: role.arn,
        policy,
        layers: args.layers ?? [],
        concurrency: undefined,
        variables: objectVariables(args, {
          queueUrl: args.queue.queueUrl,
          tier: 'function',
          rules: objectRules(args, args.queue.prefix),
        }),
      },
      this,
    )
    takeOneByOne(
      `${name}-notifications`,
      { queueArn: args.queue.queueArn, functionName: made.name, maxConcurrency: args.maxConcurrency ?? 5 },
      this,
    )
    neverRepeat(name, made.name, this)
    this.functionName = made.name
    this.functionArn = made.arn
    this.roleArn = role.arn
    this.scheduleName = createHourly(
      name,
      args,
      {
        names: names.ingest,
        functionArn: made.arn,
        hours: args.sweepHours ?? 24,
        field: 'sweepHours',
        purpose: 'sweeps of objects',
        description: 'finds objects that no notification told of',
        event: SWEEP_EVENT,
      },
      this,
    )
    this.registerOutputs({
      function_name: this.functionName,
      function_arn: this.functionArn,
      role_arn: this.roleArn,
      schedule_name: this.scheduleName,
    })
  }
}

function checked(args: IngestWorkerArgs): FunctionSettings {
  const settings = componentSettings(DEFAULTS, args.settings, { memoryMb: 1_024, timeoutSeconds: 60 })
  if (settings.timeoutSeconds > args.queue.visibilityTimeoutSeconds)
    throw new InvalidArgument(
      'settings.timeoutSeconds',
      settings.timeoutSeconds,
      `messages become visible again after ${args.queue.visibilityTimeoutSeconds} s: raise the queue's visibilityTimeoutSeconds`,
    )
  checkLambda(args, 'ingest')
  return settings
}

function createRole(name: string, args: IngestWorkerArgs, component: pulumi.Resource) {
  const { stack } = common(args)
  const names = stackNames(stack)
  const resources = objectResources(args, { queueArn: args.queue.queueArn, logGroup: names.ingest.logGroup }, component)
  return createFunctionRole(
    args,
    {
      id: `${name}-role`,
      policyId: `${name}-policy`,
      name: names.ingest.function,
      policyName: 'ingest',
      description: `What the ingest function of ${stack} may do`,
      document: resources.apply(ingestPolicy),
    },
    component,
  )
}
