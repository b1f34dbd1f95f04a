/**
 * The kernels' memory as searches use it: named scratch areas, which all searches share (no search keeps one across an
 * await), and copies of the centroids of directories, of which the least recently used are freed first.
 */
import type { VectorKernels } from '../../kernels/vector-kernels.ts'
import { vectorKernels } from '../../kernels/wasm-kernels.ts'

const RESIDENT_BYTES = 64 * 1024 * 1024

type Slot = 'query' | 'words' | 'signs' | 'table' | 'params' | 'packs' | 'dots' | 'entries' | 'lowers' | 'uppers'

/** The whole memory, as its numbers of each type. Valid until the memory grows. */
export interface MemoryViews {
  bytes: Uint8Array
  words: Uint32Array
  floats: Float32Array
}

export class Workspace {
  readonly kernels: VectorKernels
  #views: MemoryViews | undefined
  readonly #slots = new Map<Slot, { pointer: number; sizeBytes: number }>()
  readonly #residents = new Map<Int8Array, { pointer: number; sizeBytes: number }>()
  #residentBytes = 0

  constructor(kernels: VectorKernels) {
    this.kernels = kernels
  }

  /** Ask again after each call that may allocate. */
  get views(): MemoryViews {
    const { buffer } = this.kernels.memory
    if (this.#views?.bytes.buffer !== buffer)
      this.#views = { bytes: new Uint8Array(buffer), words: new Uint32Array(buffer), floats: new Float32Array(buffer) }
    return this.#views
  }

  /** @returns pointer to at least `sizeBytes` bytes, whose content is undefined */
  scratch(slot: Slot, sizeBytes: number): number {
    const known = this.#slots.get(slot)
    if (known && known.sizeBytes >= sizeBytes) return known.pointer
    const { memory } = this.kernels
    if (known) memory.free(known.pointer)
    this.#slots.delete(slot)
    const size = Math.max(256, 2 ** Math.ceil(Math.log2(sizeBytes)))
    const pointer = memory.allocate(size)
    this.#slots.set(slot, { pointer, sizeBytes: size })
    return pointer
  }

  /** @param bytes must not change @returns pointer to a copy of them, valid until the next call */
  resident(bytes: Int8Array): number {
    const known = this.#residents.get(bytes)
    if (known) {
      this.#residents.delete(bytes)
      this.#residents.set(bytes, known)
      return known.pointer
    }
    const { memory } = this.kernels
    for (const [oldest, { pointer, sizeBytes }] of this.#residents) {
      if (this.#residentBytes + bytes.length <= RESIDENT_BYTES) break
      memory.free(pointer)
      this.#residentBytes -= sizeBytes
      this.#residents.delete(oldest)
    }
    const pointer = memory.allocate(bytes.length)
    new Int8Array(memory.buffer, pointer, bytes.length).set(bytes)
    this.#residents.set(bytes, { pointer, sizeBytes: bytes.length })
    this.#residentBytes += bytes.length
    return pointer
  }
}

let shared: Workspace | undefined

/** The workspace of this thread. */
export function workspace(): Workspace {
  shared ??= new Workspace(vectorKernels())
  return shared
}
