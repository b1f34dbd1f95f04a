import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { type ClientOptions, clientConfig } from './client-config.ts'

export function dynamoDbClient(region: string | undefined, options: ClientOptions): DynamoDBClient {
  const client = new DynamoDBClient(clientConfig(region === undefined ? {} : { region }, options))
  options.onClient?.(client)
  return client
}
