/**
 * Descriptors of immutable objects, kept open so that a read is one system call instead of four. A descriptor outlives
 * the deletion of its file, which the port allows for immutable objects.
 */
import { type BigIntStats, closeSync } from 'node:fs'

const KEPT = 128

export interface OpenFile {
  fd: number
  stat: BigIntStats
}

export class KeptFiles {
  readonly #files = new Map<string, OpenFile>()

  find(path: string): OpenFile | undefined {
    const file = this.#files.get(path)
    if (file !== undefined) {
      this.#files.delete(path)
      this.#files.set(path, file)
    }
    return file
  }

  /** Takes over the file, and closes it later, never during the current turn of the event loop of the caller. */
  keep(path: string, file: OpenFile): void {
    this.#files.set(path, file)
    for (const [oldest, { fd }] of this.#files) {
      if (this.#files.size <= KEPT) break
      closeSync(fd)
      this.#files.delete(oldest)
    }
  }

  close(): void {
    for (const { fd } of this.#files.values()) closeSync(fd)
    this.#files.clear()
  }
}
