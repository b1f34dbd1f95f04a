/**
 * Descriptors of objects that never change, kept open: a read is then one system call instead of four. A descriptor
 * outlives the deletion of its file, which is allowed for what never changes: its content is still the content.
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

  /** It belongs to this from now on, and is closed some time later, never while the caller's turn lasts. */
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
