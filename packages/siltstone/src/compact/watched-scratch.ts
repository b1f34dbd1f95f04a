import { isSiltstoneError } from '../errors.ts'
import type { Scratch, ScratchFile } from '../ports/scratch.ts'

/** A scratch disk that remembers whether it was ever full. */
export class WatchedScratch implements Scratch {
  readonly #scratch: Scratch
  wasFull = false

  constructor(scratch: Scratch) {
    this.#scratch = scratch
  }

  async create(): Promise<ScratchFile> {
    const file = await this.#watch(() => this.#scratch.create())
    const append = (bytes: Uint8Array) => this.#watch(() => file.append(bytes))
    return {
      get sizeBytes() {
        return file.sizeBytes
      },
      append,
      read: (offset, into) => file.read(offset, into),
      discard: () => file.discard(),
    }
  }

  async freeBytes(): Promise<number> {
    return (await this.#scratch.freeBytes?.()) ?? Infinity
  }

  async #watch<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (isSiltstoneError(error, 'unavailable') && error.code === 'disk-full') this.wasFull = true
      throw error
    }
  }
}
