import { describeLeases } from '../../ports/lease.contract.ts'
import { MemoryLeases } from './memory-leases.ts'

describeLeases('memory', async (clock) => {
  const leases = new MemoryLeases({ clock })
  return { leases, dispose: () => leases.close() }
})
