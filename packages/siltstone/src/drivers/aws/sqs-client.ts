import { SQSClient } from '@aws-sdk/client-sqs'
import { type ClientOptions, clientConfig, type ServicePlace } from './client-config.ts'

export function sqsClient(place: ServicePlace, options: ClientOptions): SQSClient {
  const client = new SQSClient(clientConfig(place, options))
  options.onClient?.(client)
  return client
}
