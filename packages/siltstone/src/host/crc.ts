/**
 * CRC-32C and CRC-64/NVME by slicing (Kounavis and Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC
 * Generation", IEEE Transactions on Computers, 2008), and the CRC of two joined texts from the CRCs of both (zlib's
 * `crc32_combine`). All of them are reflected: the lowest bit belongs to the highest power.
 */
import { fromBase64 } from '#codec'
import { CRC64_BASE64 } from './crc64.wasm.ts'

interface Parameters {
  bits: 32 | 64
  /** Reflected. */
  polynomial: bigint
}

export const CRC32: Parameters = { bits: 32, polynomial: 0xedb88320n }
export const CRC32C: Parameters = { bits: 32, polynomial: 0x82f63b78n }
export const CRC64NVME: Parameters = { bits: 64, polynomial: 0x9a6c9329ac4bc9b5n }

/** Entry k·256 + b: the CRC of byte b and k zero bytes, without initial and final inversion. */
function table({ polynomial }: Parameters, slices = 8): BigUint64Array {
  const entries = new BigUint64Array(slices * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = BigInt(byte)
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ polynomial : crc >> 1n
    entries[byte] = crc
  }
  for (let at = 256; at < entries.length; at++) {
    const before = entries[at - 256] as bigint
    entries[at] = (before >> 8n) ^ (entries[Number(before & 255n)] as bigint)
  }
  return entries
}

function halves(of: Parameters): { low: Int32Array; high: Int32Array } {
  const entries = table(of)
  const words = new Int32Array(entries.buffer)
  const low = new Int32Array(entries.length)
  const high = new Int32Array(entries.length)
  for (let at = 0; at < entries.length; at++) {
    low[at] = words[2 * at] as number
    high[at] = words[2 * at + 1] as number
  }
  return { low, high }
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24)

let tables32c: Int32Array | undefined

/** @param continueFrom the CRC of what came before */
export function crc32c(bytes: Uint8Array, continueFrom = 0): number {
  const t = (tables32c ??= halves(CRC32C).low)
  let crc = ~continueFrom
  let at = 0
  for (; at + 8 <= bytes.length; at += 8) {
    const a = crc ^ wordAt(bytes, at)
    const b = wordAt(bytes, at + 4)
    crc =
      (t[1792 + (a & 255)] as number) ^
      (t[1536 + ((a >>> 8) & 255)] as number) ^
      (t[1280 + ((a >>> 16) & 255)] as number) ^
      (t[1024 + (a >>> 24)] as number) ^
      (t[768 + (b & 255)] as number) ^
      (t[512 + ((b >>> 8) & 255)] as number) ^
      (t[256 + ((b >>> 16) & 255)] as number) ^
      (t[b >>> 24] as number)
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ (t[(crc ^ (bytes[at] as number)) & 255] as number)
  return ~crc >>> 0
}

interface Crc64 {
  update(bytes: Uint8Array): void
  /** 8 bytes, the highest first. */
  digest(): Uint8Array
}

let tables64: { low: Int32Array; high: Int32Array } | undefined

/** CRC-64/NVME as two words, so that no step needs a bigint: where there is no WebAssembly (`node --jitless`), and to compare with. */
export class ScriptCrc64Nvme implements Crc64 {
  #low = -1
  #high = -1

  update(bytes: Uint8Array): void {
    const { low: l, high: h } = (tables64 ??= halves(CRC64NVME))
    let low = this.#low
    let high = this.#high
    let at = 0
    for (; at + 8 <= bytes.length; at += 8) {
      const a = low ^ wordAt(bytes, at)
      const b = high ^ wordAt(bytes, at + 4)
      const i7 = 1792 + (a & 255)
      const i6 = 1536 + ((a >>> 8) & 255)
      const i5 = 1280 + ((a >>> 16) & 255)
      const i4 = 1024 + (a >>> 24)
      const i3 = 768 + (b & 255)
      const i2 = 512 + ((b >>> 8) & 255)
      const i1 = 256 + ((b >>> 16) & 255)
      const i0 = b >>> 24
      low =
        (l[i7] as number) ^
        (l[i6] as number) ^
        (l[i5] as number) ^
        (l[i4] as number) ^
        (l[i3] as number) ^
        (l[i2] as number) ^
        (l[i1] as number) ^
        (l[i0] as number)
      high =
        (h[i7] as number) ^
        (h[i6] as number) ^
        (h[i5] as number) ^
        (h[i4] as number) ^
        (h[i3] as number) ^
        (h[i2] as number) ^
        (h[i1] as number) ^
        (h[i0] as number)
    }
    for (; at < bytes.length; at++) {
      const place = (low ^ (bytes[at] as number)) & 255
      low = ((low >>> 8) | (high << 24)) ^ (l[place] as number)
      high = (high >>> 8) ^ (h[place] as number)
    }
    this.#low = low
    this.#high = high
  }

  digest(): Uint8Array {
    const bytes = new Uint8Array(8)
    const view = new DataView(bytes.buffer)
    view.setInt32(0, ~this.#high)
    view.setInt32(4, ~this.#low)
    return bytes
  }
}

/** Where the module has its tables, and behind them the bytes that it reads. */
const SLICES_64 = 16
const BYTES_AT = SLICES_64 * 256 * 8
/** As much is handed over at a time. */
const HANDED_BYTES = 512 * 1024

/** TypeScript's own types of it come only with the whole DOM. It is absent where code generation is forbidden (`node --jitless`). */
interface WasmApi {
  Module: new (bytes: Uint8Array) => object
  Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer }
  Instance: new (module: object, imports: { env: { memory: object } }) => { readonly exports: unknown }
}

const WASM_PAGE_BYTES = 64 * 1024

interface Crc64Module {
  crc64(tables: number, bytes: number, length: number, crc: bigint): bigint
  memory: Uint8Array
}

/** One memory for all checksums of this thread: nothing is kept in it between two calls. */
let loaded64: Crc64Module | undefined

function load64(wasm: WasmApi): Crc64Module {
  const pages = Math.ceil((BYTES_AT + HANDED_BYTES) / WASM_PAGE_BYTES)
  const memory = new wasm.Memory({ initial: pages, maximum: pages })
  const { exports } = new wasm.Instance(new wasm.Module(fromBase64(CRC64_BASE64)), { env: { memory } })
  new BigUint64Array(memory.buffer, 0, SLICES_64 * 256).set(table(CRC64NVME, SLICES_64))
  return { ...(exports as Pick<Crc64Module, 'crc64'>), memory: new Uint8Array(memory.buffer) }
}

/** CRC-64/NVME by WebAssembly, which has integers of 64 bits: three times as fast as two words. */
class WasmCrc64Nvme implements Crc64 {
  readonly #module: Crc64Module
  #crc = -1n

  constructor(module: Crc64Module) {
    this.#module = module
  }

  update(bytes: Uint8Array): void {
    const { crc64, memory } = this.#module
    for (let at = 0; at < bytes.length; at += HANDED_BYTES) {
      const some = bytes.subarray(at, at + HANDED_BYTES)
      memory.set(some, BYTES_AT)
      this.#crc = crc64(0, BYTES_AT, some.length, this.#crc)
    }
  }

  digest(): Uint8Array {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigInt64(0, ~this.#crc)
    return bytes
  }
}

export function crc64Nvme(): Crc64 {
  const { WebAssembly: wasm } = globalThis as unknown as { WebAssembly?: WasmApi }
  if (wasm === undefined) return new ScriptCrc64Nvme()
  return new WasmCrc64Nvme((loaded64 ??= load64(wasm)))
}

/** @returns the CRC of a text and then another, from the CRC of each and the length of the second in bytes */
export function combineCrc(
  { bits, polynomial }: Parameters,
  first: bigint,
  second: bigint,
  secondBytes: number,
): bigint {
  // Row i: what bit i becomes by one more zero bit. Squaring a matrix doubles the number of bits.
  let matrix = Array.from({ length: bits }, (_, i) => (i === 0 ? polynomial : 1n << BigInt(i - 1)))
  const times = (rows: readonly bigint[], vector: bigint): bigint => {
    let sum = 0n
    for (let i = 0; vector !== 0n; i++, vector >>= 1n) if ((vector & 1n) === 1n) sum ^= rows[i] as bigint
    return sum
  }
  let crc = first
  for (let left = BigInt(secondBytes) * 8n; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) crc = times(matrix, crc)
    const rows = matrix
    matrix = rows.map((row) => times(rows, row))
  }
  return crc ^ second
}
