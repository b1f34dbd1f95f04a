const FORGET_AT = 1_000
/** What an entry costs beside its value: typed arrays, places in maps. */
const ENTRY_BYTES = 256

/**
 * Parsed blocks of immutable objects, bounded in bytes. Never invalidated.
 *
 * The oldest go first, but who was used since gets a second chance (CLOCK; Corbató, 1968): unlike least-recently-used,
 * a hit moves nothing, and a search makes a hundred of them. Blocks lie by number on a shelf for each section, because
 * names made and hashed for each of them would cost more than the search.
 */
export class BlockCache {
  readonly limitBytes: number
  readonly #shelves = new Map<string, WeakRef<BlockShelf>>()
  /** Oldest first, from `#oldest` on. */
  #queue: Entry[] = []
  #oldest = 0
  #sizeBytes = 0
  #forgetAt = FORGET_AT
  hits = 0
  misses = 0

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** The same for the same name, as long as somebody holds it. */
  shelf(name: string): BlockShelf {
    let shelf = this.#shelves.get(name)?.deref()
    if (!shelf) {
      this.#forgetUnheld()
      shelf = new BlockShelf(this, (entry) => this.#add(entry))
      this.#shelves.set(name, new WeakRef(shelf))
    }
    return shelf
  }

  #forgetUnheld(): void {
    if (this.#shelves.size < this.#forgetAt) return
    for (const [name, shelf] of this.#shelves) if (!shelf.deref()) this.#shelves.delete(name)
    this.#forgetAt = Math.max(FORGET_AT, this.#shelves.size * 2)
  }

  #add(entry: Entry): boolean {
    // One block may not push out everything else.
    if (entry.sizeBytes > this.limitBytes / 4) return false
    this.#queue.push(entry)
    this.#sizeBytes += entry.sizeBytes
    while (this.#sizeBytes > this.limitBytes) this.#dropOne()
    return true
  }

  #dropOne(): void {
    const entry = this.#queue[this.#oldest++] as Entry
    if (entry.used) {
      entry.used = false
      this.#queue.push(entry)
    } else {
      this.#sizeBytes -= entry.sizeBytes
      entry.shelf.drop(entry)
    }
    if (this.#oldest > 1_024 && this.#oldest > this.#queue.length / 2) {
      this.#queue = this.#queue.slice(this.#oldest)
      this.#oldest = 0
    }
  }
}

interface Entry {
  shelf: BlockShelf
  number: number
  value: unknown
  sizeBytes: number
  used: boolean
}

/** The cached blocks of one section, by number. */
export class BlockShelf {
  readonly #cache: BlockCache
  readonly #add: (entry: Entry) => boolean
  readonly #entries = new Map<number, Entry>()

  constructor(cache: BlockCache, add: (entry: Entry) => boolean) {
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
    entry.used = true
    return entry.value
  }

  /** Keeps the old value where there is one: blocks do not change. */
  set(number: number, value: unknown, sizeBytes: number): void {
    if (this.#entries.has(number)) return
    const entry = { shelf: this, number, value, sizeBytes: sizeBytes + ENTRY_BYTES, used: false }
    this.#entries.set(number, entry)
    if (!this.#add(entry)) this.#entries.delete(number)
  }

  /** For the cache. */
  drop(entry: Entry): void {
    this.#entries.delete(entry.number)
  }
}
