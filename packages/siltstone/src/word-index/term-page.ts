/**
 * Pages of terms. A page is its CRC-32 (over all that follows), the number of its terms, the offset of its first list in
 * the section (f64), the terms' keys in ascending order, then for each term in the same order the number of its postings
 * and either its postings (as many as `INLINE_POSTINGS`) or the length of its list in bytes. The lists of a page lie one
 * after another. Numbers after the keys are varints: 7 bits per byte, the lowest first. A posting in a page is twice the
 * distance of its row (as in a list), plus 1 and followed by its payload unless that is 0. The rest of a page is zero.
 */
import { crc32 } from '#codec'
import { firstWhere } from '../binary-search.ts'
import { readUint32, writeUint32 } from '../codec/bytes.ts'
import type { KeySpace } from './keys.ts'
import { INLINE_POSTINGS, PAGE_HEAD_BYTES } from './layout.ts'

/** What a page knows of a term. */
export interface TermEntry {
  /** Rows that have it. */
  count: number
  /** Its list in the section; undefined: the postings are in the page. */
  list?: { offset: number; length: number }
  postings?: { rows: Uint32Array; payloads: Uint32Array }
}

/** Terms that wait for their pages, by ascending key. */
export class PendingTerms {
  readonly keySpace: KeySpace
  readonly keys: number[] = []
  /** Ends of what follows the keys, in `#bytes`. */
  readonly #ends: number[] = []
  /** Of the lists that are not in the pages. */
  readonly #listBytes: number[] = []
  #bytes = new Uint8Array(1 << 14)
  #length = 0

  constructor(keySpace: KeySpace) {
    this.keySpace = keySpace
  }

  /** A term whose postings are in the page. */
  addInline(key: number, rows: Uint32Array, payloads: Uint32Array): void {
    this.#varint(rows.length)
    let last = -1
    for (let i = 0; i < rows.length; i++) {
      const payload = payloads[i] as number
      this.#varint(2 * ((rows[i] as number) - last - 1) + (payload === 0 ? 0 : 1))
      if (payload !== 0) this.#varint(payload)
      last = rows[i] as number
    }
    this.#end(key, 0)
  }

  addListed(key: number, count: number, listBytes: number): void {
    this.#varint(count)
    this.#varint(listBytes)
    this.#end(key, listBytes)
  }

  #varint(number: number): void {
    if (this.#length + 8 > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    let rest = number
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
  }

  #end(key: number, listBytes: number): void {
    this.keys.push(key)
    this.#ends.push(this.#length)
    this.#listBytes.push(listBytes)
  }

  #start(i: number): number {
    return i === 0 ? 0 : (this.#ends[i - 1] as number)
  }

  /** Of a page with some of the terms. */
  sizeBytes(first: number, end: number): number {
    return PAGE_HEAD_BYTES + (end - first) * this.keySpace.bytes + this.#start(end) - this.#start(first)
  }

  /** Of the lists of some terms. */
  listBytes(first: number, end: number): number {
    let sum = 0
    for (let i = first; i < end; i++) sum += this.#listBytes[i] as number
    return sum
  }

  /** @param firstList offset of the first list in the section */
  page(first: number, end: number, firstList: number, pageBytes: number): Uint8Array {
    const page = new Uint8Array(pageBytes)
    writeUint32(page, 4, end - first)
    new DataView(page.buffer).setFloat64(8, firstList, true)
    let at = PAGE_HEAD_BYTES
    const { bytes } = this.keySpace
    for (let i = first; i < end; i++) {
      const key = this.keys[i] as number
      writeUint32(page, at, key % 2 ** 32)
      for (let k = 4; k < bytes; k++) page[at + k] = Math.floor(key / 256 ** k)
      at += bytes
    }
    page.set(this.#bytes.subarray(this.#start(first), this.#start(end)), at)
    writeUint32(page, 0, crc32(page.subarray(4)))
    return page
  }
}

type Fail = (reason: string) => never

export class TermPage {
  readonly #bytes: Uint8Array
  readonly #keys: KeySpace
  readonly #fail: Fail
  readonly terms: number

  /** @param fail throws the error of a damaged page */
  constructor(bytes: Uint8Array, keys: KeySpace, fail: Fail) {
    this.#bytes = bytes
    this.#keys = keys
    this.#fail = fail
    if (crc32(bytes.subarray(4)) !== readUint32(bytes, 0)) fail('does not match its checksum')
    this.terms = readUint32(bytes, 4)
    if (PAGE_HEAD_BYTES + this.terms * keys.bytes > bytes.length) fail(`says that it has ${this.terms} terms`)
  }

  get sizeBytes(): number {
    return this.#bytes.length
  }

  key(i: number): number {
    const at = PAGE_HEAD_BYTES + i * this.#keys.bytes
    let key = readUint32(this.#bytes, at)
    for (let k = 4; k < this.#keys.bytes; k++) key += (this.#bytes[at + k] as number) * 256 ** k
    return key
  }

  /**
   * The terms with some keys; undefined for a key that the page does not have. Reads the page once for all, since the
   * length of a term is only known when it is read.
   */
  find(keys: readonly number[]): (TermEntry | undefined)[] {
    const found = new Array<TermEntry | undefined>(keys.length)
    const places = new Map<number, number[]>()
    let last = -1
    for (const [i, key] of keys.entries()) {
      const place = firstWhere(this.terms, (at) => this.key(at) >= key)
      if (place === this.terms || this.key(place) !== key) continue
      const others = places.get(place)
      if (others) others.push(i)
      else places.set(place, [i])
      last = Math.max(last, place)
    }
    this.#read(last + 1, places, (place, entry) => {
      for (const i of places.get(place) ?? []) found[i] = entry
    })
    return found
  }

  /** Where the lists of the terms are that have one. */
  lists(): { offset: number; length: number }[] {
    const places: { offset: number; length: number }[] = []
    this.#read(this.terms, undefined, (_, { list }) => {
      if (list) places.push(list)
    })
    return places
  }

  /** @param wanted of the first `terms` terms, those whose postings are kept */
  #read(
    terms: number,
    wanted: { has(place: number): boolean } | undefined,
    take: (place: number, entry: TermEntry) => void,
  ): void {
    const bytes = this.#bytes
    let at = PAGE_HEAD_BYTES + this.terms * this.#keys.bytes
    const next = (): number => {
      let number = 0
      let factor = 1
      for (;;) {
        const byte = bytes[at++]
        if (byte === undefined || factor > 2 ** 35) return this.#fail('ends within a term')
        number += (byte & 127) * factor
        if (byte < 128) return number
        factor *= 128
      }
    }
    let offset = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(8, true)
    for (let i = 0; i < terms; i++) {
      const count = next()
      if (count > INLINE_POSTINGS) {
        const length = next()
        take(i, { count, list: { offset, length } })
        offset += length
      } else if (wanted?.has(i) !== true) {
        for (let k = 0; k < count; k++) if (next() % 2 !== 0) next()
      } else {
        const rows = new Uint32Array(count)
        const payloads = new Uint32Array(count)
        let row = -1
        for (let k = 0; k < count; k++) {
          const step = next()
          row += Math.floor(step / 2) + 1
          rows[k] = row
          payloads[k] = step % 2 === 0 ? 0 : next()
        }
        take(i, { count, postings: { rows, payloads } })
      }
    }
  }
}
