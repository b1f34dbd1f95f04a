import * as pulumi from '@pulumi/pulumi'
import { checkPattern, InvalidArgument } from '../errors.ts'
import { UPLOAD_PREFIX } from '../keys.ts'
import { stackNames } from '../names.ts'
import { ingestPolicy } from '../policy/ingest.ts'
import { common } from './common.ts'
import { createFunctionRole } from './function-role.ts'
import { componentSettings, type FunctionSettings, type LogLevel } from './function-settings.ts'
import { checkLogLevel, createFunction } from './lambda-function.ts'
import { createMediaTask, type MediaTaskArgs } from './media-task.ts'
import {
  type MediaTarget,
  objectResources,
  objectRules,
  objectVariables,
  type ObjectWorkerArgs,
  takeOneByOne,
  type TaskTarget,
} from './object-worker.ts'
import { queuePair } from './queue-pair.ts'

export interface MediaWorkerArgs extends ObjectWorkerArgs {
  /** Of `deploy/media/Dockerfile` for arm64, in a repository of ECR in this account and region. */
  image: pulumi.Input<string>
  /** Of uploads, as of the `IngestQueue`. Default `uploads/`. */
  prefix?: string
  /** Default 4,096 MB, 900 s, 10,240 MB of disk, which has to hold a recording. */
  settings?: Partial<FunctionSettings>
  /** Recordings that are worked on at the same time, each by one instance. 2 to 1,000, default 2. */
  maxConcurrency?: number
  /** Has speech written by Amazon Transcribe instead of by the image's model, which knows English. */
  transcribe?: {
    /** As Transcribe names it, `de-DE` for example. Default: Transcribe finds out. */
    language?: string
  }
  /** For what takes longer than a function may run. Without it such a recording is given up after five attempts. */
  task?: MediaTaskArgs
  logLevel?: LogLevel
  /** Default 30. */
  logRetentionDays?: number
  /** Default true. */
  tracing?: boolean
}

const DEFAULTS: FunctionSettings = { memoryMb: 4_096, timeoutSeconds: 900, diskMb: 10_240 }
const DAY_SECONDS = 86_400
/** Six times the longest run, as AWS advises; 12 hours is the most. */
const VISIBILITY_SECONDS = 5_400
const MAX_RECEIVES = 5

/**
 * The function that makes recordings searchable, from an image with ffmpeg and a model of speech, and the tasks of Fargate that go on
 * where its time ends. The `IngestWorker` hands recordings over to it. Nothing of it costs anything while there are none.
 *
 * Outputs: `function_name`, `function_arn`, `role_arn`, `queue_url`, `queue_arn`, `dead_letter_queue_url`, `task_definition`.
 * @throws InvalidArgument
 */
export class MediaWorker extends pulumi.ComponentResource implements MediaTarget {
  readonly functionName: pulumi.Output<string>
  readonly functionArn: pulumi.Output<string>
  readonly roleArn: pulumi.Output<string>
  readonly queueUrl: pulumi.Output<string>
  readonly queueArn: pulumi.Output<string>
  readonly deadLetterQueueUrl: pulumi.Output<string>
  readonly task?: TaskTarget
  readonly taskDefinition: pulumi.Output<string> | undefined

  constructor(name: string, args: MediaWorkerArgs, opts?: pulumi.ComponentResourceOptions) {
    super('siltstone:aws:MediaWorker', name, {}, opts)
    const settings = checked(args)
    const { stack, tags } = common(args)
    const names = stackNames(stack).media
    const parent = { parent: this }
    const { queue, dead } = queuePair(
      name,
      {
        names,
        visibilityTimeoutSeconds: VISIBILITY_SECONDS,
        retentionSeconds: 14 * DAY_SECONDS,
        deadLetterRetentionSeconds: 14 * DAY_SECONDS,
        maxReceiveCount: MAX_RECEIVES,
        tags,
        bucketArn: undefined,
      },
      parent,
    )
    const rules = objectRules(args, args.prefix ?? UPLOAD_PREFIX)
    const own = { queueArn: queue.arn, sendsToMedia: false, transcribes: args.transcribe !== undefined }
    const speech: Record<string, pulumi.Input<string>> = {
      ...(args.transcribe !== undefined && { SILTSTONE_TRANSCRIBE_BUCKET: args.objects.bucketName }),
      ...(args.transcribe?.language !== undefined && { SILTSTONE_TRANSCRIBE_LANGUAGE: args.transcribe.language }),
    }
    const media = { queueUrl: queue.url, queueArn: queue.arn }
    const task =
      args.task &&
      createMediaTask(
        name,
        { ...args, task: args.task },
        {
          variables: {
            ...objectVariables({ ...args, media }, { queueUrl: queue.url, tier: 'task', rules }),
            ...speech,
          },
          policy: objectResources(args, { ...own, logGroup: names.taskLogGroup }, this).apply(ingestPolicy),
        },
        this,
      )
    const target: MediaTarget = { ...media, ...(task && { task: task.target }) }
    const { role, policy } = createFunctionRole(
      args,
      {
        id: `${name}-role`,
        policyId: `${name}-policy`,
        name: names.function,
        policyName: 'media',
        description: `What the function for recordings of ${stack} may do`,
        document: objectResources({ ...args, media: target }, { ...own, logGroup: names.logGroup }, this).apply(
          ingestPolicy,
        ),
      },
      this,
    )
    const made = createFunction(
      args,
      {
        id: `${name}-function`,
        logsId: `${name}-logs`,
        functionName: names.function,
        logGroupName: names.logGroup,
        description: 'Siltstone: recordings into records',
        code: { imageUri: args.image },
        settings,
        roleArn: role.arn,
        policy,
        layers: [],
        concurrency: undefined,
        variables: {
          ...objectVariables({ ...args, media: target }, { queueUrl: queue.url, tier: 'media', rules }),
          ...speech,
          // What is done and what is dead is counted with the objects of the other function.
          POWERTOOLS_SERVICE_NAME: stackNames(stack).ingest.function,
        },
      },
      this,
    )
    takeOneByOne(
      `${name}-recordings`,
      { queueArn: queue.arn, functionName: made.name, maxConcurrency: args.maxConcurrency ?? 2 },
      this,
    )
    this.functionName = made.name
    this.functionArn = made.arn
    this.roleArn = role.arn
    this.queueUrl = queue.url
    this.queueArn = queue.arn
    this.deadLetterQueueUrl = dead.url
    if (task !== undefined) this.task = task.target
    this.taskDefinition = task?.definitionArn
    this.registerOutputs({
      function_name: this.functionName,
      function_arn: this.functionArn,
      role_arn: this.roleArn,
      queue_url: this.queueUrl,
      queue_arn: this.queueArn,
      dead_letter_queue_url: this.deadLetterQueueUrl,
      task_definition: this.taskDefinition,
    })
  }
}

function checked(args: MediaWorkerArgs): FunctionSettings {
  const settings = componentSettings(DEFAULTS, args.settings, { memoryMb: 2_048, timeoutSeconds: 60 })
  const language = args.transcribe?.language
  if (language !== undefined)
    checkPattern('transcribe.language', language, /^[a-z]{2,3}-[A-Z]{2}$/, 'use a code such as en-US or de-DE')
  checkLogLevel(args.logLevel)
  if (args.image === '') throw new InvalidArgument('image', args.image, 'give the image of deploy/media/Dockerfile')
  return settings
}
