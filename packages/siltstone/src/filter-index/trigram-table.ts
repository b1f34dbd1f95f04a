/**
 * Numbers trigrams (three UTF-16 code units, the units in which JavaScript's `includes` compares) in order of first use.
 * Uses open addressing: a `Map` with keys of more than 32 bits would take most of the time of a build.
 */
export class TrigramTable {
  count = 0
  /** For each trigram: its first two units as one word, and its third. */
  pairs = new Uint32Array(1_024)
  thirds = new Uint16Array(1_024)
  /** Number + 1, or 0 for an empty slot. At most half of the slots are used. */
  #slots = new Uint32Array(4_096)

  numberOf(pair: number, third: number): number {
    const mask = this.#slots.length - 1
    let slot = hash(pair, third) & mask
    for (;;) {
      const number = (this.#slots[slot] as number) - 1
      if (number < 0) return this.#add(slot, pair, third)
      if (this.pairs[number] === pair && this.thirds[number] === third) return number
      slot = (slot + 1) & mask
    }
  }

  #add(slot: number, pair: number, third: number): number {
    const number = this.count++
    if (number === this.pairs.length) {
      this.pairs = grown(this.pairs, new Uint32Array(2 * number))
      this.thirds = grown(this.thirds, new Uint16Array(2 * number))
    }
    this.pairs[number] = pair
    this.thirds[number] = third
    this.#slots[slot] = number + 1
    if (this.count * 2 > this.#slots.length) this.#rehash()
    return number
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2)
    const mask = slots.length - 1
    for (let number = 0; number < this.count; number++) {
      let slot = hash(this.pairs[number] as number, this.thirds[number] as number) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = number + 1
    }
    this.#slots = slots
  }

  /** The numbers in the order of their trigrams. */
  sorted(): Uint32Array {
    const { pairs, thirds } = this
    const numbers = new Uint32Array(this.count)
    for (let number = 0; number < numbers.length; number++) numbers[number] = number
    return numbers.sort(
      (a, b) => (pairs[a] as number) - (pairs[b] as number) || (thirds[a] as number) - (thirds[b] as number),
    )
  }
}

export function grown<T extends Uint32Array | Uint16Array>(old: T, larger: T): T {
  larger.set(old)
  return larger
}

function hash(pair: number, third: number): number {
  let mixed = Math.imul(pair ^ (third * 0x9e3779b1), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 13)) >>> 0
}
