import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { checkInteger } from '../errors.ts'
import { UPLOAD_PREFIX } from '../keys.ts'
import { stackNames } from '../names.ts'
import { common, type CommonArgs } from './common.ts'
import { queuePair } from './queue-pair.ts'

const DAY_SECONDS = 86_400

export interface IngestQueueArgs extends CommonArgs {
  /** The bucket that notifies. Only this component may configure its notifications. */
  bucket: { bucketName: pulumi.Input<string>; bucketArn: pulumi.Input<string> }
  /** Objects below it are told of. Default `uploads/`. */
  prefix?: string
  /**
   * How long a received message stays hidden; at least the worker's timeout. Default 1,800: six times the timeout, as AWS
   * advises. A worker that fails shows the message again earlier.
   */
  visibilityTimeoutSeconds?: number
  /** Default 14 days, the maximum, also of the dead letters. */
  retentionSeconds?: number
  /** Receives before a message becomes a dead letter. Default 5. */
  maxReceiveCount?: number
}

/**
 * Notifications of a bucket of objects: uploads, deletions and expiries. A message only says "look at this key": a lost one
 * is found by the next sweep, and a duplicate has no effect. There is no filter by suffix: types are told from the content.
 *
 * Outputs: `queue_url`, `queue_arn`, `queue_name`, `dead_letter_queue_url`, `dead_letter_queue_arn`,
 * `dead_letter_queue_name`.
 * @throws InvalidArgument
 */
export class IngestQueue extends pulumi.ComponentResource {
  readonly queueUrl: pulumi.Output<string>
  readonly queueArn: pulumi.Output<string>
  readonly queueName: pulumi.Output<string>
  readonly deadLetterQueueUrl: pulumi.Output<string>
  readonly deadLetterQueueArn: pulumi.Output<string>
  readonly deadLetterQueueName: pulumi.Output<string>
  readonly visibilityTimeoutSeconds: number
  readonly prefix: string

  constructor(name: string, args: IngestQueueArgs, opts?: pulumi.ComponentResourceOptions) {
    super('siltstone:aws:IngestQueue', name, {}, opts)
    const { stack, tags } = common(args)
    const names = stackNames(stack).ingest
    const { visibilityTimeoutSeconds = 1_800, retentionSeconds = 14 * DAY_SECONDS } = args
    this.visibilityTimeoutSeconds = checkInteger('visibilityTimeoutSeconds', visibilityTimeoutSeconds, 60, 43_200)
    const retention = checkInteger('retentionSeconds', retentionSeconds, 60, 14 * DAY_SECONDS)
    const maxReceiveCount = checkInteger('maxReceiveCount', args.maxReceiveCount ?? 5, 1, 1_000)
    this.prefix = args.prefix ?? UPLOAD_PREFIX
    const parent = { parent: this }
    const { queue, dead, attached } = queuePair(
      name,
      {
        names,
        visibilityTimeoutSeconds: this.visibilityTimeoutSeconds,
        retentionSeconds: retention,
        deadLetterRetentionSeconds: 14 * DAY_SECONDS,
        maxReceiveCount,
        tags,
        bucketArn: args.bucket.bucketArn,
      },
      parent,
    )
    new aws.s3.BucketNotification(
      `${name}-notification`,
      {
        bucket: args.bucket.bucketName,
        queues: [
          {
            id: 'objects',
            queueArn: queue.arn,
            events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:LifecycleExpiration:*'],
            ...(this.prefix !== '' && { filterPrefix: this.prefix }),
          },
        ],
      },
      // S3 sends a test message when notifications are configured, so the queue must accept it by then.
      { ...parent, dependsOn: [attached] },
    )
    this.queueUrl = queue.url
    this.queueArn = queue.arn
    this.queueName = queue.name
    this.deadLetterQueueUrl = dead.url
    this.deadLetterQueueArn = dead.arn
    this.deadLetterQueueName = dead.name
    this.registerOutputs({
      queue_url: this.queueUrl,
      queue_arn: this.queueArn,
      queue_name: this.queueName,
      dead_letter_queue_url: this.deadLetterQueueUrl,
      dead_letter_queue_arn: this.deadLetterQueueArn,
      dead_letter_queue_name: this.deadLetterQueueName,
    })
  }
}
