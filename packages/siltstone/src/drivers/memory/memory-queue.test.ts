import { MemoryQueue } from './memory-queue.ts'
import { describeQueue } from '../../ports/queue.contract.ts'

describeQueue('memory', async (clock, maxReceiveCount) => {
  const queue = new MemoryQueue({ clock, maxReceiveCount })
  return { queue, dispose: () => queue.close() }
})
