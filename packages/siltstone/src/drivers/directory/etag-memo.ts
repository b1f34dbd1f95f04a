import type { BigIntStats } from 'node:fs'

const MAX_ENTRIES = 20_000
/** Files younger than this are not remembered when read: another file could get the same inode and time of change. */
const RACY_MS = 2000

interface Entry {
  ino: bigint
  mtimeNs: bigint
  size: bigint
  etag: string
  /** It was old when it was read, so that no later file can look the same. */
  isSettled: boolean
}

/**
 * ETags of files that are too large to hash again each time, by path, inode, time of change and size. Bounded; the
 * oldest go first. A file that was changed within the clock's tick could be taken for its forerunner (the "racy git"
 * problem), so what was read is remembered only once it is old; what this process wrote itself is remembered at once,
 * and forgotten when it deletes or replaces it.
 */
export class EtagMemo {
  readonly #entries = new Map<string, Entry>()

  find(path: string, stat: BigIntStats): string | undefined {
    const entry = this.#entries.get(path)
    if (entry === undefined) return undefined
    const isSame = entry.ino === stat.ino && entry.mtimeNs === stat.mtimeNs && entry.size === stat.size
    return isSame ? entry.etag : undefined
  }

  /** Only what certainly was not replaced by a file with the same inode, time and size, as two quick writers might. */
  findSettled(path: string, stat: BigIntStats): string | undefined {
    return this.#entries.get(path)?.isSettled === true ? this.find(path, stat) : undefined
  }

  rememberRead(path: string, stat: BigIntStats, etag: string, nowMs: number): void {
    if (nowMs - Number(stat.mtimeNs / 1_000_000n) > RACY_MS) this.#remember(path, stat, etag, true)
  }

  rememberWritten(path: string, stat: BigIntStats, etag: string): void {
    this.#remember(path, stat, etag, false)
  }

  #remember(path: string, { ino, mtimeNs, size }: BigIntStats, etag: string, isSettled: boolean): void {
    this.#entries.delete(path)
    this.#entries.set(path, { ino, mtimeNs, size, etag, isSettled })
    if (this.#entries.size > MAX_ENTRIES) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest)
        break
      }
    }
  }

  forget(path: string): void {
    this.#entries.delete(path)
  }
}
