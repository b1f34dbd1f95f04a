import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { bedrockModelArn, checkEmbedder, type EmbedderChoice, embedderVariable } from '../embedder.ts'
import { checkInteger, checkOneOf, InvalidArgument } from '../errors.ts'
import { stackNames } from '../names.ts'
import { ingestPolicy, type IngestResources } from '../policy/ingest.ts'
import { common, whereabouts } from './common.ts'
import { createFunctionRole } from './function-role.ts'
import type { FunctionSettings } from './function-settings.ts'
import { createHourly } from './hourly.ts'
import { checkLambda, createFunction, type LambdaArgs, neverRepeat } from './lambda-function.ts'

/** As in the file of `siltstone serve --objects-rules`. The longest prefix decides. */
export interface ObjectRule {
  prefix?: string
  collection?: string
  /** False: objects below the prefix are not processed. */
  process?: boolean
}

export interface IngestWorkerArgs extends LambdaArgs {
  /** The store of the records. */
  bucket: { bucketName: pulumi.Input<string>; bucketArn: pulumi.Input<string> }
  objects: { bucketName: pulumi.Input<string>; bucketArn: pulumi.Input<string> }
  /** Notifications of the bucket of objects. */
  queue: {
    queueUrl: pulumi.Input<string>
    queueArn: pulumi.Input<string>
    visibilityTimeoutSeconds: number
    prefix: string
  }
  /** Wake-up calls for the compactor. */
  deltaQueue: { queueUrl: pulumi.Input<string>; queueArn: pulumi.Input<string> }
  lockTable: { tableName: pulumi.Input<string>; tableArn: pulumi.Input<string> }
  kmsKeyArn?: pulumi.Input<string>
  permissionsBoundaryArn?: pulumi.Input<string>
  /** With the default embedder's model. */
  layers?: pulumi.Input<string>[]
  /** As the functions'; with `openai`, the key that they keep is read. */
  embedder?: EmbedderChoice
  /** Collection of the records of objects that no rule gives another. Default `objects`. */
  collection?: string
  /** Beyond the rule that objects below the queue's prefix are processed into `collection`, and no others. */
  rules?: readonly ObjectRule[]
  /** As of the bucket of objects: so a sweep tells an expiry from a deletion. */
  expireDays?: Readonly<Record<string, number>>
  /** Whether records stay when their object expires. Default `keep`; a deletion always removes them. */
  onExpire?: 'keep' | 'delete'
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
/** Lambda's limit for all variables of a function is 4 KB. */
const MAX_RULES_BYTES = 3_000

/**
 * The function that makes objects searchable, for documents, e-mail, images, and what containers of recordings say. Steps
 * that need ffmpeg or a model of speech are left out, and the state of the object says so.
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
    const parent = { parent: this }
    const { role, policy } = createRole(name, args, this)
    const embedder = embedderVariable(args.embedder)
    const made = createFunction(
      args,
      {
        id: `${name}-function`,
        logsId: `${name}-logs`,
        functionName: names.ingest.function,
        logGroupName: names.ingest.logGroup,
        description: 'Siltstone: objects into records',
        folder: 'ingest',
        settings,
        roleArn: role.arn,
        policy,
        layers: args.layers ?? [],
        concurrency: undefined,
        variables: {
          SILTSTONE_DATA: pulumi.interpolate`s3://${args.bucket.bucketName}`,
          SILTSTONE_QUEUE_URL: args.deltaQueue.queueUrl,
          SILTSTONE_LOCK_TABLE: args.lockTable.tableName,
          SILTSTONE_OBJECTS_BUCKET: args.objects.bucketName,
          SILTSTONE_OBJECTS_QUEUE_URL: args.queue.queueUrl,
          SILTSTONE_OBJECTS_RULES: rulesOf(args),
          ...(embedder !== undefined && { SILTSTONE_EMBEDDER: embedder }),
          ...(args.embedder?.provider === 'openai' && { OPENAI_API_KEY_PARAMETER: names.parameters.openaiApiKey }),
        },
      },
      this,
    )
    new aws.lambda.EventSourceMapping(
      `${name}-notifications`,
      {
        eventSourceArn: args.queue.queueArn,
        functionName: made.name,
        // One object has the whole time and memory of a run; a run costs less than reading the object.
        batchSize: 1,
        maximumBatchingWindowInSeconds: 0,
        functionResponseTypes: ['ReportBatchItemFailures'],
        scalingConfig: { maximumConcurrency: checkInteger('maxConcurrency', args.maxConcurrency ?? 5, 2, 1_000) },
      },
      parent,
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
  checkEmbedder(args.embedder, args.embedder?.provider === 'openai')
  const settings = { ...DEFAULTS, ...args.settings }
  checkInteger('settings.memoryMb', settings.memoryMb, 1_024, 10_240)
  checkInteger('settings.timeoutSeconds', settings.timeoutSeconds, 60, 900)
  checkInteger('settings.diskMb', settings.diskMb, 512, 10_240)
  if (settings.timeoutSeconds > args.queue.visibilityTimeoutSeconds)
    throw new InvalidArgument(
      'settings.timeoutSeconds',
      settings.timeoutSeconds,
      `messages become visible again after ${args.queue.visibilityTimeoutSeconds} s: raise the queue's visibilityTimeoutSeconds`,
    )
  checkLambda(args, 'ingest')
  return settings
}

/** Each rule with the expiry of the longest prefix above it; and one for each prefix that expires and has no rule. */
function rulesOf({ queue, collection = 'objects', rules = [], expireDays = {}, onExpire }: IngestWorkerArgs): string {
  if (onExpire !== undefined) checkOneOf('onExpire', onExpire, ['keep', 'delete'])
  const named = new Map<string, ObjectRule>([['', { process: queue.prefix === '', collection }]])
  if (queue.prefix !== '') named.set(queue.prefix, { collection })
  for (const { prefix = '', ...rule } of rules) named.set(prefix, rule)
  const longest = (prefixes: Iterable<string>, key: string): string | undefined =>
    [...prefixes].filter((prefix) => key.startsWith(prefix)).sort((a, b) => b.length - a.length)[0]
  const of = (prefix: string): ObjectRule => named.get(longest(named.keys(), prefix) ?? '') ?? {}
  const all = [...new Set([...named.keys(), ...Object.keys(expireDays)])].map((prefix) => {
    const expires = longest(Object.keys(expireDays), prefix)
    return {
      ...(prefix !== '' && { prefix }),
      ...of(prefix),
      ...(expires !== undefined && { expireDays: expireDays[expires], ...(onExpire && { onExpire }) }),
    }
  })
  const text = JSON.stringify({ rules: all })
  if (Buffer.byteLength(text) > MAX_RULES_BYTES)
    throw new InvalidArgument(
      'rules',
      `${Buffer.byteLength(text)} bytes`,
      `use at most ${MAX_RULES_BYTES} bytes of JSON`,
    )
  return text
}

function createRole(name: string, args: IngestWorkerArgs, component: pulumi.Resource) {
  const { stack } = common(args)
  const names = stackNames(stack)
  const { account, region } = whereabouts({ parent: component })
  const resources: pulumi.Output<IngestResources> = pulumi.output({
    bucketArn: args.bucket.bucketArn,
    objectBucketArn: args.objects.bucketArn,
    ingestQueueArn: args.queue.queueArn,
    queueArn: args.deltaQueue.queueArn,
    lockTableArn: args.lockTable.tableArn,
    logGroupArn: pulumi.interpolate`arn:aws:logs:${region}:${account}:log-group:${names.ingest.logGroup}`,
    kmsKeyArn: args.kmsKeyArn,
    parameterArns:
      args.embedder?.provider === 'openai'
        ? [pulumi.interpolate`arn:aws:ssm:${region}:${account}:parameter${names.parameters.openaiApiKey}`]
        : [],
    bedrockModelArn: region.apply((id) => bedrockModelArn(args.embedder, id)),
  })
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
