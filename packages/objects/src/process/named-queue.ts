/** A queue of SQS that somebody named, for the notifications of buckets. */
import { openSqsQueueAt, type Queue } from 'siltstone/internal'

/** Who names a queue that is not there, or not allowed, learns it at once. @throws what the queue answers */
export async function openNamedQueue(url: string, parts: Parameters<typeof openSqsQueueAt>[1]): Promise<Queue> {
  const queue = await openSqsQueueAt(url, parts)
  try {
    await queue.depth()
  } catch (error) {
    await queue.close()
    throw error
  }
  return queue
}
