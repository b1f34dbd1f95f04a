import { SQSClient } from '@aws-sdk/client-sqs'
import { type ClientOptions, clientConfig } from './client-config.ts'

/** The endpoint is that of the environment, or of the queue's URL. */
export function sqsClient(region: string | undefined, options: ClientOptions): SQSClient {
  const client = new SQSClient(clientConfig(region === undefined ? {} : { region }, options))
  options.onClient?.(client)
  return client
}
