/** A separate queue and dead-letter queue for a test. */
import { CreateQueueCommand, DeleteQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { sqsClient } from 'siltstone/internal/aws'
import { silentLogger } from 'siltstone/internal'
import { freshName, type Target } from './targets.ts'

export interface TestQueue {
  url: string
  newClient(): SQSClient
  dispose(): Promise<void>
}

/** @param maxReceiveCount undefined: no dead-letter queue */
export async function openQueue({ endpoint }: Target, maxReceiveCount?: number): Promise<TestQueue> {
  const name = freshName('queue')
  const newClient = () => sqsClient(endpoint === undefined ? {} : { endpoint }, { log: silentLogger })
  const client = newClient()
  const urls: string[] = []
  const create = async (QueueName: string, Attributes: Record<string, string> = {}) => {
    const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName, Attributes }))
    urls.push(QueueUrl)
    return QueueUrl
  }
  let attributes: Record<string, string> = { VisibilityTimeout: '900' }
  if (maxReceiveCount !== undefined) {
    const QueueUrl = await create(`${name}-dead`)
    const got = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }))
    const deadLetterTargetArn = got.Attributes?.QueueArn
    attributes = { ...attributes, RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }) }
  }
  const url = await create(name, attributes)
  return {
    url,
    newClient,
    dispose: async () => {
      for (const QueueUrl of urls) await client.send(new DeleteQueueCommand({ QueueUrl }))
      client.destroy()
    },
  }
}
