import { describeLeases } from '../../ports/lease.contract.ts'
import { MemoryObjectStore } from '../memory/memory-object-store.ts'
import { ObjectLeases } from './object-leases.ts'

describeLeases('objects', async (clock) => {
  const leases = new ObjectLeases(new MemoryObjectStore({ clock }), { clock })
  return { leases, dispose: () => leases.close() }
})
