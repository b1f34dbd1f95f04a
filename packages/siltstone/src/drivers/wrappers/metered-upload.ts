import type { PutResult, Upload } from '../../ports/object-store.ts'

export interface UploadHooks {
  beforeWrite(bytes: number): Promise<void>
  beforeComplete(): Promise<void>
  afterComplete?(result: PutResult): void
}

/** An upload with something to do at each of its requests: for decorators of the object store. */
export class MeteredUpload implements Upload {
  readonly #inner: Upload
  readonly #hooks: UploadHooks

  constructor(inner: Upload, hooks: UploadHooks) {
    this.#inner = inner
    this.#hooks = hooks
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#hooks.beforeWrite(chunk.length)
    await this.#inner.write(chunk)
  }

  async complete(): Promise<PutResult> {
    await this.#hooks.beforeComplete()
    const result = await this.#inner.complete()
    this.#hooks.afterComplete?.(result)
    return result
  }

  abort(): Promise<void> {
    return this.#inner.abort()
  }
}
