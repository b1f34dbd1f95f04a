import { randomUUID } from 'node:crypto'
import { probeConditions, probeRaces } from 'siltstone/internal/aws'
import { openBucket, type Target } from '@siltstone/emulated-aws'

/** What is wrong with the server's conditional puts, if anything: without them no other test means much. */
export async function probe(target: Target): Promise<string | undefined> {
  const bucket = await openBucket(target)
  try {
    const store = bucket.store()
    return (
      (await probeConditions(store, () => `probe-${randomUUID()}`)) ??
      (await probeRaces(store, 'race', { writers: 16, rounds: 5 }))
    )
  } finally {
    await bucket.dispose()
  }
}
