import { EntryQueue } from './entry-queue.ts'

const FORGET_AT = 1_000
/** What an entry costs beside its value: typed arrays, places in maps. */
const ENTRY_BYTES = 256
/** Of the cache, for blocks that were used once so far. */
const NEWCOMERS_SHARE = 0.1
/** More uses than this count as this many. */
const MOST_USES = 3

/**
 * Parsed blocks of immutable objects, bounded in bytes. Never invalidated.
 *
 * Which block goes is decided as in S3-FIFO (Yang et al., SOSP 2023). A new block stands in a short queue; if it is not
 * used again before it comes to the front, it is gone, and only its number is remembered for a while. Used again, or asked
 * for while it is remembered, it comes into the main queue, where each use gives it another round. So pages of vectors,
 * most of which one search wants once, do not push out the lists that every hundredth search wants; and a hit moves
 * nothing, of which a search makes a hundred.
 *
 * Blocks lie by number on a shelf for each section, because names made and hashed for each of them would cost more than
 * the search.
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

  /** The same for the same name, as long as somebody holds it. */
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
    // One block may not push out everything else.
    if (entry.sizeBytes > this.limitBytes / 4) return false
    while (this.sizeBytes + entry.sizeBytes > this.limitBytes) this.#dropOne()
    ;(wasThere ? this.#main : this.#newcomers).push(entry)
    return true
  }

  /** Drops one, or moves one: repeated, it comes to an end, because every round takes uses away. */
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

  /** Numbers of as many bytes of blocks as the cache holds. */
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

  /** Keeps the old value where there is one: blocks do not change. */
  set(number: number, value: unknown, sizeBytes: number): void {
    if (this.#entries.has(number)) return
    const entry: Entry = { shelf: this, number, value, sizeBytes: sizeBytes + ENTRY_BYTES, uses: 0 }
    const wasThere = this.#remembered.delete(number)
    if (this.#add(entry, wasThere)) this.#entries.set(number, entry)
  }

  /** For the cache. */
  drop(entry: Entry): void {
    this.#entries.delete(entry.number)
  }

  /** For the cache: it was dropped, and is known when it comes again. */
  remember(number: number): void {
    this.#remembered.add(number)
  }

  /** For the cache. */
  forget(number: number): void {
    this.#remembered.delete(number)
  }
}
