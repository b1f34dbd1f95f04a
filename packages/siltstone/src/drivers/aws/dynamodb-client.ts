import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { type ClientOptions, clientConfig, type ServicePlace } from './client-config.ts'

export function dynamoDbClient(place: ServicePlace, options: ClientOptions): DynamoDBClient {
  const client = new DynamoDBClient(clientConfig(place, options))
  options.onClient?.(client)
  return client
}
