/**
 * The names in directories that were read before and have not changed since. Each strong read lists the log, and an idle
 * log may hold thousands of folded entries.
 *
 * The modification time of a directory shows whether a name was added or removed. Two changes within one tick of the
 * file system's clock give the same time (the "racy git" problem), so names are remembered only if they were read more
 * than any tick after that time was first seen. Only differences of the process's own monotonic clock are used, so a
 * clock that is set, or that differs from the file system's, does no harm.
 *
 * Not for file systems that answer `stat` from a cache while another machine changes them.
 */
import type { BigIntStats } from 'node:fs'

const MAX_NAMES = 100_000
/** Longer than one tick of the clock of any file system. */
const RACY_MS = 2_000

interface Entry {
  ino: bigint
  mtimeNs: bigint
  ctimeNs: bigint
  /** When the directory was first found with these times. */
  sinceMs: number
  /** Undefined as long as a change might not show. */
  names: readonly string[] | undefined
}

export class NamesMemo {
  readonly #entries = new Map<string, Entry>()
  readonly #monotonicMs: () => number
  #size = 0

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs
  }

  /**
   * @param stat the current state of the directory
   * @returns the names, or a function that remembers the names which the caller reads next
   */
  find(path: string, stat: BigIntStats): readonly string[] | ((names: readonly string[]) => void) {
    const entry = this.#entryOf(path, stat)
    if (entry.names !== undefined) return entry.names
    const isSettled = this.#monotonicMs() - entry.sinceMs > RACY_MS
    return (names) => {
      if (isSettled && this.#entries.get(path) === entry) this.#remember(path, entry, names)
    }
  }

  #entryOf(path: string, { ino, mtimeNs, ctimeNs }: BigIntStats): Entry {
    const known = this.#entries.get(path)
    if (known !== undefined) {
      if (known.ino === ino && known.mtimeNs === mtimeNs && known.ctimeNs === ctimeNs) return known
      this.#forget(path, known)
    }
    const entry: Entry = { ino, mtimeNs, ctimeNs, sinceMs: this.#monotonicMs(), names: undefined }
    this.#entries.set(path, entry)
    this.#size += 1
    this.#shrink()
    return entry
  }

  #remember(path: string, entry: Entry, names: readonly string[]): void {
    if (entry.names !== undefined || names.length > MAX_NAMES / 2) return
    entry.names = names
    this.#size += names.length
    // The newest entry is the last to be forgotten.
    this.#entries.delete(path)
    this.#entries.set(path, entry)
    this.#shrink()
  }

  #shrink(): void {
    for (const [oldest, entry] of this.#entries) {
      if (this.#size <= MAX_NAMES) break
      this.#forget(oldest, entry)
    }
  }

  #forget(path: string, entry: Entry): void {
    this.#entries.delete(path)
    this.#size -= 1 + (entry.names?.length ?? 0)
  }
}
