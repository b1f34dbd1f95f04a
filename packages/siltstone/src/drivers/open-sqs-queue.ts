import type { Queue } from '../ports/queue.ts'
import type { S3EnvironmentOptions } from './aws/environment.ts'
import { loadAws } from './load-aws.ts'

/**
 * A queue of SQS by its URL, with the drivers for AWS loaded when they are first needed.
 * @throws SiltstoneError as `openSqsQueue` and `loadAws` do
 */
export async function openSqsQueueAt(url: string, options: S3EnvironmentOptions = {}): Promise<Queue> {
  return (await loadAws()).openSqsQueue(url, options)
}
