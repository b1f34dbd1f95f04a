/**
 * A perfect hash: each text of a fixed set has a slot of its own, which is found without the texts, from a table of about two
 * bits for each of them. Texts are hashed into buckets of about four. For each bucket, the largest first, the least seed is
 * taken with which its texts have free slots (Belazzougui, Botelho & Dietzfelbinger, "Hash, displace, and compress", ESA
 * 2009). A text that is not of the set has a slot, too, which says nothing.
 */
import { hash64 } from './hash64.ts'

const BUCKET_TEXTS = 4
/** Share of the slots that have a text: the last buckets need some free slots to choose from. */
const LOAD = 0.95
/** A bucket that finds no slots with fewer seeds has two texts with one hash. */
const MOST_SEEDS = 1 << 20

export interface PerfectHash {
  /** At least one. */
  slots: number
  /** Of each bucket; at least one. */
  seeds: ArrayLike<number>
}

/** @returns 0 to before `slots` */
export function slotOf(text: string, { slots, seeds }: PerfectHash): number {
  const { hi, lo } = hash64(text)
  return slotWith(lo, seeds[hi % seeds.length] as number, slots)
}

const FINGERPRINT_BITS = 6

/** Bits of each text of a set, in the place of its slot, that most texts which are not of the set do not have in theirs: one in 64 has. */
export class Fingerprints {
  readonly bytes: Uint8Array
  readonly #hash: PerfectHash

  /** @param bytes `sizeBytes(hash)` of them; default: without a text */
  constructor(hash: PerfectHash, bytes: Uint8Array = new Uint8Array(Fingerprints.sizeBytes(hash))) {
    this.bytes = bytes
    this.#hash = hash
  }

  static sizeBytes({ slots }: PerfectHash): number {
    return Math.ceil((slots * FINGERPRINT_BITS) / 8)
  }

  /** Call once for each text of the set. */
  add(text: string): void {
    const { bytes } = this
    const { byte, shift, print } = this.#placeOf(text)
    bytes[byte] = (bytes[byte] as number) | (print << shift)
    if (byte + 1 < bytes.length) bytes[byte + 1] = (bytes[byte + 1] as number) | ((print << shift) >>> 8)
  }

  /** Whether it may be of the set. */
  has(text: string): boolean {
    const { byte, shift, print } = this.#placeOf(text)
    const bits = (this.bytes[byte] as number) | ((this.bytes[byte + 1] ?? 0) << 8)
    return ((bits >>> shift) & (2 ** FINGERPRINT_BITS - 1)) === print
  }

  #placeOf(text: string): { byte: number; shift: number; print: number } {
    const bit = slotOf(text, this.#hash) * FINGERPRINT_BITS
    return { byte: bit >>> 3, shift: bit & 7, print: hash64(text).hi >>> (32 - FINGERPRINT_BITS) }
  }
}

/** The end of MurmurHash3, over a number that differs for each seed. */
function slotWith(low: number, seed: number, slots: number): number {
  let h = low ^ Math.imul(seed + 1, 0x9e3779b1)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) % slots
}

/** @param texts different ones @throws RangeError when two of them have the same hash */
export function perfectHash(texts: readonly string[]): PerfectHash {
  const slots = Math.max(1, Math.ceil(texts.length / LOAD))
  const seeds = new Uint32Array(Math.max(1, Math.ceil(texts.length / BUCKET_TEXTS)))
  const buckets = Array.from(seeds, (_, bucket) => ({ bucket, lows: [] as number[] }))
  for (const text of texts) {
    const { hi, lo } = hash64(text)
    buckets[hi % seeds.length]?.lows.push(lo)
  }
  const isTaken = new Uint8Array(slots)
  for (const { bucket, lows } of buckets.sort((a, b) => b.lows.length - a.lows.length)) {
    const seed = freeSeed(lows, slots, isTaken)
    seeds[bucket] = seed
    for (const low of lows) isTaken[slotWith(low, seed, slots)] = 1
  }
  return { slots, seeds }
}

function freeSeed(lows: readonly number[], slots: number, isTaken: Uint8Array): number {
  for (let seed = 0; seed < MOST_SEEDS; seed++) {
    const wanted = lows.map((low) => slotWith(low, seed, slots))
    if (wanted.every((slot) => isTaken[slot] === 0) && new Set(wanted).size === wanted.length) return seed
  }
  throw new RangeError('two texts of a perfect hash are the same, or have the same hash')
}
