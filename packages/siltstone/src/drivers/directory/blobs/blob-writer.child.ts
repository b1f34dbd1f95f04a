/** A process that puts blobs until it is killed, and says which puts were acknowledged; for the tests of the directory. */
import { systemClock } from '../../../host/system-clock.ts'
import { systemRandom } from '../../../host/system-random.ts'
import { DirectoryBlobs } from './directory-blobs.ts'

const [root = '', name = ''] = process.argv.slice(2)
const buckets = await DirectoryBlobs.open(root, { clock: systemClock, random: systemRandom })
await buckets.createBucket('killed')
const store = buckets.bucket('killed')

async function writer(lane: number): Promise<never> {
  for (let n = 0; ; n++) {
    const key = `${name}/${lane}/${n % 3}`
    const size = n % 2 === 0 ? 100 : 40_000
    const body = Buffer.alloc(size, (n % 250) + 1)
    if (n % 5 === 4) {
      const { uploadId } = await store.createUpload(key)
      const part = await store.putPart(key, uploadId, 1, body)
      await store.completeUpload(key, uploadId, [part])
    } else await store.put(key, body)
    // Synchronous: what was acknowledged is known to the parent, whenever the kill comes.
    process.stdout.write(`${JSON.stringify({ key, n, size, byte: (n % 250) + 1 })}\n`)
  }
}

await Promise.all([0, 1, 2, 3].map(writer))
