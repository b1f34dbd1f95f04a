/**
 * The allocator of a kernel memory: first fit over a list of free blocks, which is ordered by address and in which
 * adjacent blocks are merged. Its bookkeeping lies outside of the memory, where no stray write of a kernel can damage it.
 * Sizes and addresses of blocks are multiples of 16 bytes.
 */
import { invalid, unavailable } from '../errors.ts'
import type { KernelMemory } from './vector-kernels.ts'

/** Flat memory that can grow, which detaches the old `buffer`. */
export interface Backing {
  readonly buffer: ArrayBuffer
  /** @returns false, without any change, if the machine refuses or the maximum is exceeded */
  grow(toBytes: number): boolean
}

const ALIGNMENT = 16
/** The memory grows by more than was asked for, so that views stay valid longer. Unused pages take no physical memory. */
const LARGEST_STEP_BYTES = 64 * 1024 * 1024

export class Heap implements KernelMemory {
  readonly #backing: Backing
  /** Free blocks by address: starts and sizes in bytes. */
  readonly #starts: number[] = []
  readonly #sizes: number[] = []
  readonly #allocated = new Map<number, number>()
  #allocatedBytes = 0

  /** @param start first byte to allocate: a module keeps the bytes below for itself. No block begins at 0. */
  constructor(backing: Backing, start: number) {
    this.#backing = backing
    const first = align(Math.max(start, ALIGNMENT))
    this.#release(first, Math.max(0, backing.buffer.byteLength - first))
  }

  get buffer(): ArrayBuffer {
    return this.#backing.buffer
  }

  get allocatedBytes(): number {
    return this.#allocatedBytes
  }

  allocate(sizeBytes: number): number {
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
      throw invalid('allocation-size', `a block's size must be a whole number of bytes, not ${sizeBytes}`)
    const size = align(Math.max(sizeBytes, 1))
    let block = this.#firstFit(size)
    if (block < 0) {
      this.#grow(size)
      block = this.#firstFit(size)
    }
    const start = this.#starts[block] as number
    const left = (this.#sizes[block] as number) - size
    if (left === 0) this.#remove(block)
    else {
      this.#starts[block] = start + size
      this.#sizes[block] = left
    }
    this.#allocated.set(start, size)
    this.#allocatedBytes += size
    return start
  }

  free(pointer: number): void {
    const size = this.#allocated.get(pointer)
    if (size === undefined)
      throw invalid('not-allocated', `pointer ${pointer} was not returned by allocate, or it was freed before`)
    this.#allocated.delete(pointer)
    this.#allocatedBytes -= size
    this.#release(pointer, size)
  }

  #firstFit(size: number): number {
    for (let i = 0; i < this.#sizes.length; i++) if ((this.#sizes[i] as number) >= size) return i
    return -1
  }

  #grow(size: number): void {
    const end = this.#backing.buffer.byteLength
    const last = this.#starts.length - 1
    const tail = last >= 0 && this.#endOf(last) === end ? (this.#sizes[last] as number) : 0
    const needed = end + size - tail
    const generous = Math.max(needed, end + Math.min(end, LARGEST_STEP_BYTES))
    if (!this.#backing.grow(generous) && !this.#backing.grow(needed))
      throw unavailable(
        'out-of-memory',
        `no ${size} bytes left for vectors: ${this.#allocatedBytes} bytes are in use and the memory cannot grow beyond ` +
          `${end} bytes; use smaller caches or fewer threads`,
      )
    this.#release(end, this.#backing.buffer.byteLength - end)
  }

  #release(start: number, sizeBytes: number): void {
    const size = sizeBytes - (sizeBytes % ALIGNMENT)
    if (size === 0) return
    let at = this.#firstAfter(start)
    if (at > 0 && this.#endOf(at - 1) === start) {
      at--
      this.#sizes[at] = (this.#sizes[at] as number) + size
    } else {
      this.#starts.splice(at, 0, start)
      this.#sizes.splice(at, 0, size)
    }
    if (at + 1 < this.#starts.length && this.#endOf(at) === this.#starts[at + 1]) {
      this.#sizes[at] = (this.#sizes[at] as number) + (this.#sizes[at + 1] as number)
      this.#remove(at + 1)
    }
  }

  #firstAfter(start: number): number {
    let low = 0
    let high = this.#starts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#starts[middle] as number) < start) low = middle + 1
      else high = middle
    }
    return low
  }

  #endOf(block: number): number {
    return (this.#starts[block] as number) + (this.#sizes[block] as number)
  }

  #remove(block: number): void {
    this.#starts.splice(block, 1)
    this.#sizes.splice(block, 1)
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}
