import { interceptedStore, receivedBytes } from '../../ports/forwarding-store.ts'
import type { ObjectStore } from '../../ports/object-store.ts'
import { observedUpload } from './observed-upload.ts'

/** Requests as S3 would bill them, and the bytes of bodies. An upload is one put for each part, and one to complete. */
export interface StoreCounts {
  get: number
  head: number
  put: number
  list: number
  /** Calls; S3 takes up to 1,000 keys in one. */
  delete: number
  deletedKeys: number
  /** Answers `not-found`, `not-modified`, `exists` or `mismatch` among them. */
  refused: number
  bytesIn: number
  bytesOut: number
}

export function noCounts(): StoreCounts {
  return { get: 0, head: 0, put: 0, list: 0, delete: 0, deletedKeys: 0, refused: 0, bytesIn: 0, bytesOut: 0 }
}

export interface CountingObjectStore extends ObjectStore {
  /** A copy of the counts so far. */
  counts(): StoreCounts
  /** The counts so far, which start again at zero. */
  takeCounts(): StoreCounts
}

/** Counts the requests to a store, to measure an operation or to compute its cost. */
export function countingObjectStore(inner: ObjectStore): CountingObjectStore {
  let counts = noCounts()
  const countPut = (sizeBytes: number) => {
    counts.put++
    counts.bytesIn += sizeBytes
  }
  const countRefusal = (answer: { status: string } | undefined) => {
    if (answer?.status !== 'ok') counts.refused++
  }
  const store = interceptedStore(
    inner,
    async ({ operation, sentBytes }, send) => {
      if (operation === 'put') countPut(sentBytes)
      else if (operation !== 'upload') counts[operation]++
      const answer = await send()
      counts.bytesOut += receivedBytes(answer)
      if (answer === undefined) counts.refused++
      else if ('status' in answer) countRefusal(answer)
      return answer
    },
    {
      upload: async (key, options) =>
        observedUpload(await inner.upload(key, options), {
          beforeWrite: countPut,
          beforeComplete: () => countPut(0),
          afterComplete: countRefusal,
        }),
      delete: (keys, options) => {
        counts.delete++
        counts.deletedKeys += keys.length
        return inner.delete(keys, options)
      },
    },
  )
  return Object.assign(store, {
    counts: () => ({ ...counts }),
    takeCounts: () => {
      const taken = counts
      counts = noCounts()
      return taken
    },
  })
}
