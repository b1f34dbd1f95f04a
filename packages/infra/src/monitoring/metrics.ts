/**
 * The available metrics: the product's own, which the functions write to their logs in CloudWatch's embedded metric
 * format, and those of AWS's services. A test compares the first with the product's source, and every alarm and widget
 * with both.
 */
import { METRICS_NAMESPACE } from '../components/function-settings.ts'

export const PRODUCT_METRICS = [
  'CompactionDuration',
  'DeltasProcessed',
  'LockAcquisitionFailed',
  'DeltaQueueDepth',
  'SnapshotSize',
  'CompactionErrors',
  'compaction_without_progress',
  'merge_cannot_fit',
  'objects_done',
  'objects_dead',
  'registry_maintained',
] as const
export type ProductMetric = (typeof PRODUCT_METRICS)[number]

/** The one dimension of the product's metrics: the function's name. The same name with other dimensions is another metric. */
export const PRODUCT_DIMENSION = 'service'

/** Metrics of AWS that are used here, with their dimensions. */
export const AWS_METRICS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'AWS/SQS': {
    ApproximateNumberOfMessagesVisible: ['QueueName'],
    ApproximateNumberOfMessagesNotVisible: ['QueueName'],
    ApproximateAgeOfOldestMessage: ['QueueName'],
    NumberOfMessagesSent: ['QueueName'],
    NumberOfMessagesReceived: ['QueueName'],
  },
  'AWS/Lambda': {
    Duration: ['FunctionName'],
    Invocations: ['FunctionName'],
    Errors: ['FunctionName'],
    Throttles: ['FunctionName'],
    ConcurrentExecutions: ['FunctionName'],
    UrlRequestCount: ['FunctionName'],
    Url4xxCount: ['FunctionName'],
    Url5xxCount: ['FunctionName'],
    UrlRequestLatency: ['FunctionName'],
  },
  'AWS/DynamoDB': {
    ThrottledRequests: ['TableName', 'Operation'],
    ConsumedWriteCapacityUnits: ['TableName'],
    ConsumedReadCapacityUnits: ['TableName'],
  },
}

export interface Metric {
  namespace: string
  name: string
  dimensions: Readonly<Record<string, string>>
}

export const product = (name: ProductMetric, compactor: string): Metric => ({
  namespace: METRICS_NAMESPACE,
  name,
  dimensions: { [PRODUCT_DIMENSION]: compactor },
})

export const lambda = (name: string, functionName: string): Metric => ({
  namespace: 'AWS/Lambda',
  name,
  dimensions: { FunctionName: functionName },
})

export const sqs = (name: string, queueName: string): Metric => ({
  namespace: 'AWS/SQS',
  name,
  dimensions: { QueueName: queueName },
})
