/**
 * The kernels' memory as searches use it: named scratch areas, reused by every search (a search uses them between two
 * awaits only), and copies of directories that are in use, least recently used first out.
 */
import type { VectorKernels } from '../../kernels/vector-kernels.ts'
import { vectorKernels } from '../../kernels/wasm-kernels.ts'

const RESIDENT_BYTES = 64 * 1024 * 1024

type Slot = 'query' | 'words' | 'signs' | 'table' | 'params' | 'packs' | 'dots' | 'entries' | 'lowers' | 'uppers'

export class Workspace {
  readonly kernels: VectorKernels
  readonly #slots = new Map<Slot, { pointer: number; sizeBytes: number }>()
  readonly #residents = new Map<Int8Array, { pointer: number; sizeBytes: number }>()
  #residentBytes = 0

  constructor(kernels: VectorKernels) {
    this.kernels = kernels
  }

  /** @returns pointer to at least that much; what was there before may be gone */
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

  /** @returns pointer to a copy of these bytes, which never change; valid until the next call */
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
