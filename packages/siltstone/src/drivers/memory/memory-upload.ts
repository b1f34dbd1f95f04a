import { uploadEnded } from '../../ports/upload-ended.ts'
import type { PutResult, Upload } from '../../ports/object-store.ts'

/** Collects the parts and puts them as one object. */
export class MemoryUpload implements Upload {
  #chunks: Uint8Array[] | undefined = []
  readonly #put: (body: Uint8Array) => Promise<PutResult>

  constructor(put: (body: Uint8Array) => Promise<PutResult>) {
    this.#put = put
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#chunks === undefined) throw uploadEnded()
    this.#chunks.push(new Uint8Array(chunk))
  }

  async complete(): Promise<PutResult> {
    if (this.#chunks === undefined) throw uploadEnded()
    const body = Buffer.concat(this.#chunks)
    this.#chunks = undefined
    return this.#put(body)
  }

  async abort(): Promise<void> {
    this.#chunks = undefined
  }
}
