import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { checkInteger } from '../errors.ts'
import { DELTA_PREFIX, DELTA_SUFFIX } from '../keys.ts'
import { stackNames } from '../names.ts'
import { common, type CommonArgs } from './common.ts'
import { queuePair } from './queue-pair.ts'

const DAY_SECONDS = 86_400

export interface DeltaQueueArgs extends CommonArgs {
  /**
   * How long a received message stays hidden; at least the compactor's timeout. Default 5,410: six times the timeout and
   * the mapping's window, as AWS advises, so that a throttled invocation does not use up the receives. Nothing waits for a
   * failed message until then: the schedule compacts what it announced.
   */
  visibilityTimeoutSeconds?: number
  /** Default 4 days. */
  retentionSeconds?: number
  /** Default 14 days, the maximum. */
  deadLetterRetentionSeconds?: number
  /** Receives before a message becomes a dead letter. Default 5: a throttled invocation counts as one. */
  maxReceiveCount?: number
  /**
   * A bucket whose new deltas wake the compactor, also those of producers that send no message. Only this component may
   * configure the bucket's notifications.
   */
  bucket?: { bucketName: pulumi.Input<string>; bucketArn: pulumi.Input<string> }
}

/**
 * Wake-up calls for the compactor. Only the bucket holds data: a lost message delays a fold at most until the next run of
 * the schedule, and a duplicate has no effect.
 *
 * Outputs: `queue_url`, `queue_arn`, `queue_name`, `dead_letter_queue_url`, `dead_letter_queue_arn`,
 * `dead_letter_queue_name`.
 * @throws InvalidArgument
 */
export class DeltaQueue extends pulumi.ComponentResource {
  readonly queueUrl: pulumi.Output<string>
  readonly queueArn: pulumi.Output<string>
  readonly queueName: pulumi.Output<string>
  readonly deadLetterQueueUrl: pulumi.Output<string>
  readonly deadLetterQueueArn: pulumi.Output<string>
  readonly deadLetterQueueName: pulumi.Output<string>
  readonly visibilityTimeoutSeconds: number

  constructor(name: string, args: DeltaQueueArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super('siltstone:aws:DeltaQueue', name, {}, opts)
    const { stack, tags } = common(args)
    const names = stackNames(stack)
    const seconds = (field: keyof DeltaQueueArgs, value: number | undefined, fallback: number, max: number) =>
      checkInteger(field, value ?? fallback, 60, max)
    const visibility = seconds('visibilityTimeoutSeconds', args.visibilityTimeoutSeconds, 5_410, 43_200)
    const retention = seconds('retentionSeconds', args.retentionSeconds, 4 * DAY_SECONDS, 14 * DAY_SECONDS)
    const deadRetention = seconds(
      'deadLetterRetentionSeconds',
      args.deadLetterRetentionSeconds,
      14 * DAY_SECONDS,
      14 * DAY_SECONDS,
    )
    const maxReceiveCount = checkInteger('maxReceiveCount', args.maxReceiveCount ?? 5, 1, 1_000)
    const parent = { parent: this }
    const { queue, dead, attached } = queuePair(
      name,
      {
        names,
        visibilityTimeoutSeconds: visibility,
        retentionSeconds: retention,
        deadLetterRetentionSeconds: deadRetention,
        maxReceiveCount,
        tags,
        bucketArn: args.bucket?.bucketArn,
      },
      parent,
    )
    if (args.bucket !== undefined) {
      new aws.s3.BucketNotification(
        `${name}-notification`,
        {
          bucket: args.bucket.bucketName,
          queues: [
            {
              id: 'delta',
              queueArn: queue.arn,
              events: ['s3:ObjectCreated:*'],
              filterPrefix: DELTA_PREFIX,
              filterSuffix: DELTA_SUFFIX,
            },
          ],
        },
        // S3 sends a test message when notifications are configured, so the queue must accept it by then.
        { ...parent, dependsOn: [attached] },
      )
    }

    this.queueUrl = queue.url
    this.queueArn = queue.arn
    this.queueName = queue.name
    this.deadLetterQueueUrl = dead.url
    this.deadLetterQueueArn = dead.arn
    this.deadLetterQueueName = dead.name
    this.visibilityTimeoutSeconds = visibility
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
