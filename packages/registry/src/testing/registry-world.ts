/** Processes of the registry over one store in memory, for tests. */
import { createHash } from 'node:crypto'
import { type Clock, type ObjectStore, seededRandom, systemIds } from 'siltstone/internal'
import { type FaultyOptions, faultyObjectStore, memoryEnvironment } from 'siltstone/testing'
import type { RegisterRequest } from '../store/artifact.ts'
import { Artifacts } from '../store/artifacts.ts'
import { Blobs } from '../store/blobs.ts'
import { Commits } from '../store/commits.ts'
import { Documents } from '../store/documents.ts'
import { ChunkedFiles } from '../xet/chunked-files.ts'
import { Xorbs } from '../xet/xorbs.ts'

/** Waits end at once; time goes on by a millisecond at each look. */
function quickClock(): Clock {
  let nowMs = Date.UTC(2026, 10, 1)
  return {
    nowMs: () => ++nowMs,
    monotonicMs: () => ++nowMs,
    sleep: () => new Promise((resolve) => void setImmediate(resolve)),
    timer: () => () => undefined,
  }
}

/** Processes over one store in memory. */
export function world(seed = 1) {
  const clock = quickClock()
  const { store } = memoryEnvironment({ seed, clock })
  const random = seededRandom(seed)
  const over = (seen: ObjectStore) => {
    const options = { store: seen, clock, ids: systemIds(clock, random) }
    const documents = new Documents(options)
    const xorbs = new Xorbs(seen)
    const chunkedFiles = new ChunkedFiles({ store: seen, documents, xorbs })
    const blobs = new Blobs(seen, { chunkedFiles })
    return {
      artifacts: new Artifacts(options),
      blobs,
      chunkedFiles,
      xorbs,
      documents,
      commits: new Commits({ documents, blobs, clock }),
      store: seen,
    }
  }
  return {
    store,
    clock,
    random,
    process: () => over(store),
    over,
    faulty: (options: FaultyOptions) => {
      const faulty = faultyObjectStore(store, options)
      return { ...over(faulty), faulty }
    },
  }
}

export const url = 'https://huggingface.co/harbour/tern-small'
export const model = (more: Partial<RegisterRequest> = {}): RegisterRequest => ({
  type: 'model',
  name: 'tern-small',
  url,
  by: 'ada',
  ...more,
})
export const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
export const bytes = (text: string) => new TextEncoder().encode(text)
export async function* stream(...texts: string[]) {
  for (const text of texts) yield bytes(text)
}
export const keysOf = async (store: ObjectStore, prefix: string) =>
  (await store.list(prefix)).objects.map(({ key }) => key)
