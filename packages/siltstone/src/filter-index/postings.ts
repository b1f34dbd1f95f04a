/**
 * Stored lists of ascending numbers. Each number is stored as its distance from the one before (for the first, from −1)
 * minus 1, as a varint: 7 bits per byte, the lowest first, with the high bit set on all bytes but the last. If at least one
 * number in 128 is listed, that takes about one byte per number; a Roaring bitmap takes two unless one in eight is listed.
 */
export class PostingBuffer {
  bytes: Uint8Array
  length = 0
  #last = -1
  /** Numbers in the current list. */
  count = 0

  constructor(sizeBytes = 1 << 16) {
    this.bytes = new Uint8Array(sizeBytes)
  }

  /** Begins a list, after the one before. */
  begin(): void {
    this.#last = -1
    this.count = 0
  }

  /** Numbers must ascend; adding the last one again has no effect. */
  add(number: number): void {
    if (number === this.#last) return
    if (this.length + 5 > this.bytes.length) this.#grow()
    let distance = number - this.#last - 1
    while (distance > 127) {
      this.bytes[this.length++] = (distance & 127) | 128
      distance >>>= 7
    }
    this.bytes[this.length++] = distance
    this.#last = number
    this.count++
  }

  /** Leaves room for bytes that the caller writes later. */
  skip(bytes: number): void {
    while (this.length + bytes > this.bytes.length) this.#grow()
    this.length += bytes
  }

  #grow(): void {
    const larger = new Uint8Array(this.bytes.length * 2)
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }

  clear(): void {
    this.length = 0
    this.begin()
  }
}

/** Calls `take` for each number of a list. @returns their count, or −1 if the bytes end within a number */
export function eachPosting(bytes: Uint8Array, start: number, end: number, take: (number: number) => void): number {
  let last = -1
  let count = 0
  let at = start
  while (at < end) {
    let distance = 0
    let factor = 1
    let byte: number
    do {
      if (at === end || factor > 2 ** 28) return -1
      byte = bytes[at++] as number
      distance += (byte & 127) * factor
      factor *= 128
    } while (byte > 127)
    last += distance + 1
    take(last)
    count++
  }
  return count
}
