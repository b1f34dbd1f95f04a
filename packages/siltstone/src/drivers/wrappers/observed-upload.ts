import type { PutResult, Upload } from '../../ports/object-store.ts'

/** What a wrapper does around the requests of an upload: a part for each `write`, then one to complete it. */
export interface UploadHooks {
  beforeWrite(sizeBytes: number): void | Promise<void>
  beforeComplete(): void | Promise<void>
  afterComplete?(result: PutResult): void
}

export function observedUpload(inner: Upload, hooks: UploadHooks): Upload {
  return {
    write: async (chunk) => {
      await hooks.beforeWrite(chunk.length)
      await inner.write(chunk)
    },
    complete: async () => {
      await hooks.beforeComplete()
      const result = await inner.complete()
      hooks.afterComplete?.(result)
      return result
    },
    ...(inner.sha256 && { sha256: () => inner.sha256?.() ?? '' }),
    abort: () => inner.abort(),
  }
}
