import { randomUUID } from 'node:crypto'
import { probeConditions, probeRaces } from 'siltstone/internal'
import { openBucket, type Target } from '@siltstone/emulated-aws'

/** Checks the server's conditional puts, on which all other tests depend. Returns what is wrong, if anything. */
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
