/** What all workers over a bucket of objects have in common: functions from a zip, from an image, and tasks. */
import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { bedrockModelArn } from '../embedder.ts'
import { checkInteger, checkOneOf, InvalidArgument } from '../errors.ts'
import type { IngestResources } from '../policy/ingest.ts'
import { whereabouts } from './common.ts'
import { checkStoreAccess, type StoreAccessArgs, storeParameters, storeVariables } from './store-access.ts'

/** As in the file of `siltstone serve --objects-rules`. The longest prefix decides. */
export interface ObjectRule {
  prefix?: string
  collection?: string
  /** False: objects below the prefix are not processed. */
  process?: boolean
}

/** Where recordings go. */
export interface MediaTarget {
  queueUrl: pulumi.Input<string>
  queueArn: pulumi.Input<string>
  task?: TaskTarget
}

export interface TaskTarget {
  clusterArn: pulumi.Input<string>
  /** Family: the newest revision runs. */
  family: string
  /** Of the process, and of what starts it. */
  roleArns: pulumi.Input<string>[]
  subnets: pulumi.Input<pulumi.Input<string>[]>
  securityGroups: pulumi.Input<pulumi.Input<string>[]>
  assignPublicIp: boolean
  /** Recordings that are larger begin here. */
  aboveMb: number
}

/** Of the task definition. */
export const TASK_CONTAINER = 'media'

export interface ObjectWorkerArgs extends StoreAccessArgs {
  /** The store of the records. */
  bucket: { bucketName: pulumi.Input<string>; bucketArn: pulumi.Input<string> }
  objects: { bucketName: pulumi.Input<string>; bucketArn: pulumi.Input<string> }
  /** Wake-up calls for the compactor. */
  deltaQueue: { queueUrl: pulumi.Input<string>; queueArn: pulumi.Input<string> }
  lockTable: { tableName: pulumi.Input<string>; tableArn: pulumi.Input<string> }
  kmsKeyArn?: pulumi.Input<string>
  permissionsBoundaryArn?: pulumi.Input<string>
  /** Collection of the records of objects that no rule gives another. Default `objects`. */
  collection?: string
  /** Beyond the rule that objects below the queue's prefix are processed into `collection`, and no others. */
  rules?: readonly ObjectRule[]
  /** As of the bucket of objects: so a sweep tells an expiry from a deletion. */
  expireDays?: Readonly<Record<string, number>>
  /** Whether records stay when their object expires. Default `keep`; a deletion always removes them. */
  onExpire?: 'keep' | 'delete'
}

interface WorkerParts {
  queueUrl: pulumi.Input<string>
  tier: 'function' | 'media' | 'task'
  /** JSON. */
  rules: string
}

/** @throws InvalidArgument */
export function objectVariables(
  args: ObjectWorkerArgs & { media?: MediaTarget },
  { queueUrl, tier, rules }: WorkerParts,
): Record<string, pulumi.Input<string>> {
  checkStoreAccess(args)
  return {
    ...storeVariables(args),
    SILTSTONE_OBJECTS_BUCKET: args.objects.bucketName,
    SILTSTONE_OBJECTS_QUEUE_URL: queueUrl,
    SILTSTONE_OBJECTS_RULES: rules,
    ...handOverVariables(args.media, tier),
  }
}

function handOverVariables(
  media: MediaTarget | undefined,
  tier: WorkerParts['tier'],
): Record<string, pulumi.Input<string>> {
  if (media === undefined) return {}
  const { task } = media
  return {
    SILTSTONE_OBJECTS_TIER: tier,
    ...(tier === 'function' && { SILTSTONE_OBJECTS_MEDIA_QUEUE_URL: media.queueUrl }),
    ...(task !== undefined &&
      tier !== 'task' && {
        SILTSTONE_OBJECTS_TASK: pulumi.jsonStringify({
          cluster: task.clusterArn,
          taskDefinition: task.family,
          container: TASK_CONTAINER,
          subnets: task.subnets,
          securityGroups: task.securityGroups,
          assignPublicIp: task.assignPublicIp,
        }),
        SILTSTONE_OBJECTS_TASK_ABOVE_MB: String(task.aboveMb),
      }),
  }
}

/** Lambda's limit for all variables of a function is 4 KB. */
const MAX_RULES_BYTES = 2_500

/** Each rule with the expiry of the longest prefix above it; and one for each prefix that expires and has no rule. */
export function objectRules(
  { collection = 'objects', rules = [], expireDays = {}, onExpire }: ObjectWorkerArgs,
  uploads: string,
): string {
  if (onExpire !== undefined) checkOneOf('onExpire', onExpire, ['keep', 'delete'])
  const named = new Map<string, ObjectRule>([['', { process: uploads === '', collection }]])
  if (uploads !== '') named.set(uploads, { collection })
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

/** One object has the whole time, memory and disk of a run, which costs less than reading the object. */
export function takeOneByOne(
  id: string,
  made: { queueArn: pulumi.Input<string>; functionName: pulumi.Input<string>; maxConcurrency: number },
  parent: pulumi.Resource,
): void {
  new aws.lambda.EventSourceMapping(
    id,
    {
      eventSourceArn: made.queueArn,
      functionName: made.functionName,
      batchSize: 1,
      maximumBatchingWindowInSeconds: 0,
      functionResponseTypes: ['ReportBatchItemFailures'],
      scalingConfig: { maximumConcurrency: checkInteger('maxConcurrency', made.maxConcurrency, 2, 1_000) },
    },
    { parent },
  )
}

interface OwnResources {
  /** That it receives from. */
  queueArn: pulumi.Input<string>
  logGroup: string
  /** Whether it hands recordings over by the queue of `media`. */
  sendsToMedia?: boolean
  transcribes?: boolean
}

/** For `ingestPolicy`. */
export function objectResources(
  args: ObjectWorkerArgs & { media?: MediaTarget },
  { queueArn, logGroup, sendsToMedia = true, transcribes = false }: OwnResources,
  component: pulumi.Resource,
): pulumi.Output<IngestResources> {
  const { account, region } = whereabouts({ parent: component })
  const { media } = args
  return pulumi.output({
    bucketArn: args.bucket.bucketArn,
    objectBucketArn: args.objects.bucketArn,
    ingestQueueArn: queueArn,
    mediaQueueArn: sendsToMedia ? media?.queueArn : undefined,
    task: media?.task && {
      definitionArn: pulumi.interpolate`arn:aws:ecs:${region}:${account}:task-definition/${media.task.family}:*`,
      clusterArn: media.task.clusterArn,
      roleArns: media.task.roleArns,
    },
    transcribe: transcribes ? { account, region } : undefined,
    queueArn: args.deltaQueue.queueArn,
    lockTableArn: args.lockTable.tableArn,
    logGroupArn: pulumi.interpolate`arn:aws:logs:${region}:${account}:log-group:${logGroup}`,
    kmsKeyArn: args.kmsKeyArn,
    parameterArns: storeParameters(args).map(
      (each) => pulumi.interpolate`arn:aws:ssm:${region}:${account}:parameter${each}`,
    ),
    bedrockModelArn: region.apply((id) => bedrockModelArn(args.embedder, id)),
  })
}
