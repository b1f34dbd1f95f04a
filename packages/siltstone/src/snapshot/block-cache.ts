import { EntryQueue } from './entry-queue.ts'

const FORGET_AT = 1_000
/** What an entry costs in addition to its value: typed arrays, entries in maps. */
const ENTRY_BYTES = 256
/** Share of the cache for blocks that have been used only once. */
const NEWCOMERS_SHARE = 0.1
/** Uses are counted up to this number. */
const MOST_USES = 3

/**
 * Parsed blocks of immutable objects, bounded in bytes. Never invalidated.
 *
 * Blocks are evicted as in S3-FIFO (Yang et al., SOSP 2023). A new block enters a short queue. If it is not used again
 * before it reaches the front, it is evicted, and only its number is remembered for a while. If it is used again, or
 * requested while it is remembered, it enters the main queue, where each use gives it another round. So pages of
 * vectors, most of which are read once by one search, do not evict the lists that one search in a hundred reads. A hit
 * moves no entry, which matters because a search makes a hundred hits.
 *
 * Blocks are stored by number on one shelf per section, because creating and hashing a name for each of them would cost
 * more than the search.
 */
export class BlockCache {
  readonly limitBytes: number
  readonly #shelves = new Map<string, WeakRef<BlockShelf>>()
  readonly #newcomers = new EntryQueue<Entry>()
  readonly #main = new EntryQueue<Entry>()
  readonly #remembered = new EntryQueue<Remembered>()
  #forgetAt = FORGET_AT
  hits = 0
  misses = 0

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  get sizeBytes(): number {
    return this.#newcomers.sizeBytes + this.#main.sizeBytes
  }

  /** The shelf of a name: the same one as long as it is referenced. */
  shelf(name: string): BlockShelf {
    let shelf = this.#shelves.get(name)?.deref()
    if (!shelf) {
      this.#forgetUnheld()
      shelf = new BlockShelf(this, (entry, wasThere) => this.#add(entry, wasThere))
      this.#shelves.set(name, new WeakRef(shelf))
    }
    return shelf
  }

  #forgetUnheld(): void {
    if (this.#shelves.size < this.#forgetAt) return
    for (const [name, shelf] of this.#shelves) if (!shelf.deref()) this.#shelves.delete(name)
    this.#forgetAt = Math.max(FORGET_AT, this.#shelves.size * 2)
  }

  #add(entry: Entry, wasThere: boolean): boolean {
    // One block must not evict all others.
    if (entry.sizeBytes > this.limitBytes / 4) return false
    while (this.sizeBytes + entry.sizeBytes > this.limitBytes) this.#dropOne()
    ;(wasThere ? this.#main : this.#newcomers).push(entry)
    return true
  }

  /** Evicts an entry or moves one. Repeating this ends, because every round takes uses away. */
  #dropOne(): void {
    if (this.#main.length === 0 || this.#newcomers.sizeBytes > this.limitBytes * NEWCOMERS_SHARE) {
      const entry = this.#newcomers.shift()
      if (entry.uses > 0) {
        entry.uses = 0
        this.#main.push(entry)
        return
      }
      entry.shelf.drop(entry)
      this.#remember(entry)
      return
    }
    const entry = this.#main.shift()
    if (entry.uses === 0) entry.shelf.drop(entry)
    else {
      entry.uses--
      this.#main.push(entry)
    }
  }

  /** Remembers the numbers of evicted blocks, of as many bytes in total as the cache holds. */
  #remember({ shelf, number, sizeBytes }: Entry): void {
    shelf.remember(number)
    this.#remembered.push({ shelf, number, sizeBytes })
    while (this.#remembered.sizeBytes > this.limitBytes) {
      const oldest = this.#remembered.shift()
      oldest.shelf.forget(oldest.number)
    }
  }
}

interface Remembered {
  shelf: BlockShelf
  number: number
  sizeBytes: number
}

interface Entry extends Remembered {
  value: unknown
  uses: number
}

/** The cached blocks of one section, by number. */
export class BlockShelf {
  readonly #cache: BlockCache
  readonly #add: (entry: Entry, wasThere: boolean) => boolean
  readonly #entries = new Map<number, Entry>()
  readonly #remembered = new Set<number>()

  constructor(cache: BlockCache, add: (entry: Entry, wasThere: boolean) => boolean) {
    this.#cache = cache
    this.#add = add
  }

  get(number: number): unknown {
    const entry = this.#entries.get(number)
    if (!entry) {
      this.#cache.misses++
      return undefined
    }
    this.#cache.hits++
    if (entry.uses < MOST_USES) entry.uses++
    return entry.value
  }

  /** Keeps the old value if there is one: blocks do not change. */
  set(number: number, value: unknown, sizeBytes: number): void {
    if (this.#entries.has(number)) return
    const entry: Entry = { shelf: this, number, value, sizeBytes: sizeBytes + ENTRY_BYTES, uses: 0 }
    const wasThere = this.#remembered.delete(number)
    if (this.#add(entry, wasThere)) this.#entries.set(number, entry)
  }

  /** Called by the cache. */
  drop(entry: Entry): void {
    this.#entries.delete(entry.number)
  }

  /** Called by the cache: the block was evicted, and is recognised when it comes again. */
  remember(number: number): void {
    this.#remembered.add(number)
  }

  /** Called by the cache. */
  forget(number: number): void {
    this.#remembered.delete(number)
  }
}
