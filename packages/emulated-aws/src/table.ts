/** A separate table of leases for a test. */
import {
  CreateTableCommand,
  DeleteTableCommand,
  type DynamoDBClient,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb'
import { dynamoDbClient, KEY_ATTRIBUTE } from 'siltstone/internal/aws'
import { silentLogger } from 'siltstone/internal'
import { freshName, type Target } from './targets.ts'

export interface TestTable {
  name: string
  newClient(): DynamoDBClient
  dispose(): Promise<void>
}

export async function openTable({ endpoint }: Target): Promise<TestTable> {
  const name = freshName('locks')
  const newClient = () => dynamoDbClient(endpoint === undefined ? {} : { endpoint }, { log: silentLogger })
  const client = newClient()
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: KEY_ATTRIBUTE, KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: KEY_ATTRIBUTE, AttributeType: 'S' }],
    }),
  )
  await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1 }, { TableName: name })
  return {
    name,
    newClient,
    dispose: async () => {
      await client.send(new DeleteTableCommand({ TableName: name }))
      client.destroy()
    },
  }
}
