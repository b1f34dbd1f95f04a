import { describe } from 'vitest'
import { DynamoDbLeases, ObjectLeases, Requests } from 'siltstone/internal/aws'
import type { Clock } from 'siltstone/internal'
import { describeLeases } from 'siltstone/contracts'
import { openBucket, openTable, parts, targets } from '@siltstone/emulated-aws'

describe.each(targets())('$name', (target) => {
  const openLeases = async (clock: Clock) => {
    const table = await openTable(target)
    const requests = new Requests('dynamodb', { ...parts, clock })
    const leases = new DynamoDbLeases(table.name, { client: table.newClient(), clock, requests })
    return {
      leases,
      dispose: async () => {
        await leases.close()
        await table.dispose()
      },
    }
  }
  // moto checks the condition and applies the change without a lock between its threads.
  describeLeases('DynamoDB', openLeases, { isAtomic: !target.name.startsWith('moto') })

  describeLeases('objects on S3', async (clock) => {
    const bucket = await openBucket(target)
    const store = bucket.store()
    const leases = new ObjectLeases(store.privateFolder(), { clock })
    return {
      leases,
      dispose: async () => {
        await leases.close()
        await store.close()
        await bucket.dispose()
      },
    }
  })
})
