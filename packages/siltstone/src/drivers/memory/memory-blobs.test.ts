import { describeBlobStore } from '../../ports/blob-store.contract.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemIds } from '../../host/system-ids.ts'
import { systemRandom } from '../../host/system-random.ts'
import { MemoryBlobs } from './memory-blobs.ts'

describeBlobStore('memory', async () => {
  const buckets = new MemoryBlobs({ clock: systemClock, ids: systemIds(systemClock, systemRandom) })
  await buckets.createBucket('test-bucket')
  return { store: buckets.bucket('test-bucket'), dispose: () => buckets.close() }
})
