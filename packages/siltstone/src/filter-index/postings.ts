/**
 * Lists of ascending numbers as they are stored: each as its distance from the one before (the first from −1), less 1, in
 * bytes of 7 bits, the lowest first, the high bit set on all but the last. Where one number in 128 is listed, that is a
 * byte for each; a Roaring bitmap takes two until one in eight is.
 */
export class PostingBuffer {
  bytes: Uint8Array
  length = 0
  #last = -1
  /** In the list begun last. */
  count = 0

  constructor(sizeBytes = 1 << 16) {
    this.bytes = new Uint8Array(sizeBytes)
  }

  /** The next list follows the one before. */
  begin(): void {
    this.#last = -1
    this.count = 0
  }

  /** Ascending; the last one again is no change. */
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

  /** Room for what is written later. */
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

/** Calls `take` for every number of a list. @returns how many there were, or −1 when the bytes end within one */
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
