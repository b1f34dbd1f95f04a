import { describe } from 'vitest'
import { Requests, SqsQueue } from 'siltstone/internal/aws'
import { describeQueueInRealTime } from 'siltstone/contracts'
import { openQueue, parts, targets } from '@siltstone/emulated-aws'

describe.each(targets())('$name', (target) => {
  describeQueueInRealTime(
    'SQS',
    async (clock, maxReceiveCount) => {
      const made = await openQueue(target, maxReceiveCount)
      const requests = new Requests('sqs', { ...parts, clock })
      const queue = new SqsQueue(made.url, { client: made.newClient(), clock, requests })
      return {
        queue,
        dispose: async () => {
          await queue.close()
          await made.dispose()
        },
      }
    },
    { toleranceMs: 600, hasVagueReceipts: true, hasNoAge: true },
  )
})
