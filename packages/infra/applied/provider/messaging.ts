import { CreateTopicCommand, SetTopicAttributesCommand, SubscribeCommand } from '@aws-sdk/client-sns'
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  type QueueAttributeName,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs'
import { answered, type Inputs, type Maker, tagList, tagMap, text } from './inputs.ts'

const QUEUE_ATTRIBUTES: Readonly<Record<string, QueueAttributeName>> = {
  visibilityTimeoutSeconds: 'VisibilityTimeout',
  messageRetentionSeconds: 'MessageRetentionPeriod',
  receiveWaitTimeSeconds: 'ReceiveMessageWaitTimeSeconds',
  sqsManagedSseEnabled: 'SqsManagedSseEnabled',
  redrivePolicy: 'RedrivePolicy',
}

function queueAttributes(inputs: Inputs): Partial<Record<QueueAttributeName, string>> {
  const attributes: Partial<Record<QueueAttributeName, string>> = {}
  for (const [key, value] of Object.entries(inputs)) {
    if (key === 'name' || key === 'tags') continue
    const attribute = QUEUE_ATTRIBUTES[key]
    if (attribute === undefined) throw new Error(`there is no attribute for ${key} of a queue`)
    attributes[attribute] = String(value)
  }
  return attributes
}

const attributeOfQueue =
  (attribute: QueueAttributeName, input: string): Maker =>
  async (inputs, { sqs }) => {
    const QueueUrl = text(inputs, 'queueUrl')
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { [attribute]: text(inputs, input) } }))
    return { id: QueueUrl, state: {} }
  }

export const MESSAGING: Readonly<Record<string, Maker>> = {
  'aws:sqs/queue:Queue': async (inputs, { sqs }) => {
    const made = await sqs.send(
      new CreateQueueCommand({
        QueueName: text(inputs, 'name'),
        Attributes: queueAttributes(inputs),
        tags: tagMap(inputs),
      }),
    )
    const url = answered(made.QueueUrl, 'QueueUrl')
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
    )
    return { id: url, state: { url, arn: answered(Attributes?.QueueArn, 'QueueArn') } }
  },
  'aws:sqs/queuePolicy:QueuePolicy': attributeOfQueue('Policy', 'policy'),
  'aws:sqs/redriveAllowPolicy:RedriveAllowPolicy': attributeOfQueue('RedriveAllowPolicy', 'redriveAllowPolicy'),
  'aws:sns/topic:Topic': async (inputs, { sns }) => {
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: text(inputs, 'name'), Tags: tagList(inputs) }))
    const arn = answered(TopicArn, 'TopicArn')
    return { id: arn, state: { arn } }
  },
  'aws:sns/topicPolicy:TopicPolicy': async (inputs, { sns }) => {
    const TopicArn = text(inputs, 'arn')
    const AttributeValue = text(inputs, 'policy')
    await sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName: 'Policy', AttributeValue }))
    return { id: TopicArn, state: {} }
  },
  'aws:sns/topicSubscription:TopicSubscription': async (inputs, { sns }) => {
    const { SubscriptionArn } = await sns.send(
      new SubscribeCommand({
        TopicArn: text(inputs, 'topic'),
        Protocol: text(inputs, 'protocol'),
        Endpoint: text(inputs, 'endpoint'),
        ReturnSubscriptionArn: true,
      }),
    )
    return { id: answered(SubscriptionArn, 'SubscriptionArn'), state: {} }
  },
}
