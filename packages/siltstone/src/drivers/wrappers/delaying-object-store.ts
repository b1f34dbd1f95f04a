import type { Clock } from '../../ports/clock.ts'
import { interceptedStore } from '../../ports/forwarding-store.ts'
import type { ObjectStore, ObjectStoreCapabilities } from '../../ports/object-store.ts'
import { observedUpload } from './observed-upload.ts'

export type DelayedOperation = 'get' | 'head' | 'put' | 'list' | 'delete'

export interface DelayingOptions {
  clock: Clock
  /** Milliseconds before the request takes effect; `sentBytes` is the size of its body, 0 where it has none. */
  delayMs: Partial<Record<DelayedOperation, number>> | ((operation: DelayedOperation, sentBytes: number) => number)
  /** What the delayed store claims. Default: as the inner store; claim more only while no other process writes. */
  capabilities?: ObjectStoreCapabilities
}

/** Waits before each request, as a distant store would: to measure what depends on round trips. */
export function delayingObjectStore(inner: ObjectStore, options: DelayingOptions): ObjectStore {
  const { clock, delayMs, capabilities } = options
  const delay = async (operation: DelayedOperation, sentBytes = 0): Promise<void> => {
    const ms = typeof delayMs === 'function' ? delayMs(operation, sentBytes) : (delayMs[operation] ?? 0)
    if (ms > 0) await clock.sleep(ms)
  }
  return interceptedStore(
    inner,
    async ({ operation, sentBytes }, send) => {
      if (operation !== 'upload') await delay(operation, sentBytes)
      return send()
    },
    {
      description: `${inner.description}, delayed`,
      upload: async (key, uploadOptions) =>
        observedUpload(await inner.upload(key, uploadOptions), {
          beforeWrite: (sizeBytes) => delay('put', sizeBytes),
          beforeComplete: () => delay('put'),
        }),
      ...(capabilities && { capabilities }),
    },
  )
}
