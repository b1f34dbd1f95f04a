/** Numbers keys of terms in the order of their first use: an open hash table in flat memory. Keys are integers of up to 53 bits. */
export class KeyNumbers {
  /** By number. */
  #keys = new Float64Array(1 << 11)
  /** Numbers, plus 1. At least twice as many as keys. */
  #slots = new Int32Array(1 << 12)
  #count = 0

  get count(): number {
    return this.#count
  }

  key(number: number): number {
    return this.#keys[number] as number
  }

  /** @returns the number of the key, from 0 */
  of(key: number): number {
    const mask = this.#slots.length - 1
    let slot = hashOf(key) & mask
    for (let place = this.#slots[slot] as number; place > 0; place = this.#slots[slot] as number) {
      if (this.#keys[place - 1] === key) return place - 1
      slot = (slot + 1) & mask
    }
    const number = this.#count++
    if (number === this.#keys.length) {
      const keys = new Float64Array(2 * number)
      keys.set(this.#keys)
      this.#keys = keys
    }
    this.#keys[number] = key
    this.#slots[slot] = number + 1
    if (2 * this.#count >= this.#slots.length) this.#grow()
    return number
  }

  /** @returns the number of the key; −1 if it has none */
  find(key: number): number {
    const mask = this.#slots.length - 1
    for (let slot = hashOf(key) & mask; ; slot = (slot + 1) & mask) {
      const number = (this.#slots[slot] as number) - 1
      if (number < 0 || this.#keys[number] === key) return number
    }
  }

  #grow(): void {
    const slots = new Int32Array(2 * this.#slots.length)
    const mask = slots.length - 1
    for (let number = 0; number < this.#count; number++) {
      let slot = hashOf(this.#keys[number] as number) & mask
      while ((slots[slot] as number) > 0) slot = (slot + 1) & mask
      slots[slot] = number + 1
    }
    this.#slots = slots
  }
}

/** Keys are spread over their range, but not their lowest bits alone: pages of one index share the highest. */
function hashOf(key: number): number {
  const low = key | 0
  return (low ^ (low >>> 15) ^ Math.floor(key / 2 ** 32)) | 0
}
