import type { BigIntStats } from 'node:fs'
import { LruMap } from '../../lru.ts'

const MAX_ENTRIES = 20_000
/** Files younger than this are not remembered when read: another file could get the same inode and modification time. */
const RACY_MS = 2000

interface Entry {
  ino: bigint
  mtimeNs: bigint
  size: bigint
  etag: string
  /** The file was old when it was read, so no later file can look the same. */
  isSettled: boolean
}

/**
 * ETags of files that are too large to hash again each time, by path, inode, modification time and size. Bounded; the
 * least recently used go first. A file that is replaced within one tick of the clock could be taken for its predecessor
 * (the "racy git" problem), so what was read is remembered only once it is old; what this process wrote itself is
 * remembered at once, and forgotten when this process deletes or replaces it.
 */
export class EtagMemo {
  readonly #entries = new LruMap<string, Entry>(MAX_ENTRIES)

  find(path: string, stat: BigIntStats): string | undefined {
    const entry = this.#entries.get(path)
    if (entry === undefined) return undefined
    const isSame = entry.ino === stat.ino && entry.mtimeNs === stat.mtimeNs && entry.size === stat.size
    return isSame ? entry.etag : undefined
  }

  /** Only if no other file can have the same inode, time and size, as after two quick writes. */
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
    this.#entries.set(path, { ino, mtimeNs, size, etag, isSettled })
  }

  forget(path: string): void {
    this.#entries.delete(path)
  }
}
