/**
 * Numbers words in the order of their first use: an open hash table. A word is found by a hash of its characters in the text that it
 * stands in, so a known word costs no string of its own.
 */

const FIRST_SLOTS = 1 << 12

export class WordTable {
  /** Numbers of words, plus 1. At least twice as many as words. */
  #slots = new Int32Array(FIRST_SLOTS)
  #words: string[] = []
  #hashes = new Int32Array(FIRST_SLOTS / 2)

  /** How many words there are. */
  get size(): number {
    return this.#words.length
  }

  /** @param end behind the word @returns the number of the word from `start`, from 0; −1 if it is not there */
  find(text: string, start: number, end: number): number {
    const hash = hashOf(text, start, end)
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = (slots[slot] as number) - 1
      if (number < 0) return -1
      const word = this.#words[number] as string
      if (this.#hashes[number] === hash && word.length === end - start && text.startsWith(word, start)) return number
    }
  }

  /** Adds a word that is not there. @returns its number */
  add(word: string): number {
    const number = this.#words.length
    if (number === this.#hashes.length) {
      const hashes = new Int32Array(2 * number)
      hashes.set(this.#hashes)
      this.#hashes = hashes
    }
    // A copy: a slice of a long text would keep the text in memory.
    this.#words.push(JSON.parse(JSON.stringify(word)) as string)
    this.#hashes[number] = hashOf(word, 0, word.length)
    if (2 * this.#words.length >= this.#slots.length) this.#grow()
    else place(this.#slots, this.#hashes[number] as number, number)
    return number
  }

  clear(): void {
    this.#slots = new Int32Array(FIRST_SLOTS)
    this.#words = []
    this.#hashes = new Int32Array(FIRST_SLOTS / 2)
  }

  #grow(): void {
    this.#slots = new Int32Array(2 * this.#slots.length)
    for (let number = 0; number < this.#words.length; number++)
      place(this.#slots, this.#hashes[number] as number, number)
  }
}

function place(slots: Int32Array, hash: number, number: number): void {
  const mask = slots.length - 1
  let slot = hash & mask
  while ((slots[slot] as number) > 0) slot = (slot + 1) & mask
  slots[slot] = number + 1
}

/** FNV-1a (Fowler, Noll and Vo) over code units. */
function hashOf(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  // The lowest bits depend on the lowest bits of the characters alone.
  return hash ^ (hash >>> 15)
}
