import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { queuePolicy } from '../policy/resource-policies.ts'
import { policyText, whereabouts } from './common.ts'

interface QueuePairArgs {
  names: { queue: string; deadLetterQueue: string }
  visibilityTimeoutSeconds: number
  retentionSeconds: number
  deadLetterRetentionSeconds: number
  /** Receives before a message becomes a dead letter. */
  maxReceiveCount: number
  tags: Record<string, string>
  /** A bucket that may send notifications. */
  bucketArn: pulumi.Input<string> | undefined
}

export interface QueuePair {
  queue: aws.sqs.Queue
  dead: aws.sqs.Queue
  /** The policy of the queue: a bucket can be told to notify once it is attached. */
  attached: aws.sqs.QueuePolicy
}

/** A queue and the one that its dead letters go to, encrypted, each with a policy that only serves this pair. */
export function queuePair(name: string, args: QueuePairArgs, parent: { parent: pulumi.Resource }): QueuePair {
  const { names, maxReceiveCount, tags, bucketArn } = args
  const shared = { sqsManagedSseEnabled: true, tags }
  const dead = new aws.sqs.Queue(
    `${name}-dead`,
    { name: names.deadLetterQueue, messageRetentionSeconds: args.deadLetterRetentionSeconds, ...shared },
    parent,
  )
  const queue = new aws.sqs.Queue(
    `${name}-queue`,
    {
      name: names.queue,
      visibilityTimeoutSeconds: args.visibilityTimeoutSeconds,
      messageRetentionSeconds: args.retentionSeconds,
      receiveWaitTimeSeconds: 20,
      redrivePolicy: pulumi.jsonStringify({ deadLetterTargetArn: dead.arn, maxReceiveCount }),
      ...shared,
    },
    parent,
  )
  new aws.sqs.RedriveAllowPolicy(
    `${name}-redrive`,
    {
      queueUrl: dead.url,
      redriveAllowPolicy: pulumi.jsonStringify({ redrivePermission: 'byQueue', sourceQueueArns: [queue.arn] }),
    },
    parent,
  )
  const { account } = whereabouts(parent)
  const source = bucketArn === undefined ? undefined : pulumi.output({ arn: bucketArn, account })
  const attached = new aws.sqs.QueuePolicy(
    `${name}-policy`,
    {
      queueUrl: queue.url,
      policy: policyText(pulumi.all([queue.arn, source]).apply(([arn, bucket]) => queuePolicy(arn, bucket))),
    },
    parent,
  )
  new aws.sqs.QueuePolicy(
    `${name}-dead-policy`,
    { queueUrl: dead.url, policy: policyText(dead.arn.apply((arn) => queuePolicy(arn))) },
    parent,
  )
  return { queue, dead, attached }
}
