/**
 * The resources for building one inverted file: kernels of its own, whose memory is freed with them, and pauses in which
 * heartbeats can run.
 */
import { referenceKernels } from '../../kernels/reference-kernels.ts'
import type { VectorKernels } from '../../kernels/vector-kernels.ts'
import { wasmKernels } from '../../kernels/wasm-kernels.ts'
import { yieldToEventLoop } from '#codec'

/** Multiplications between two pauses: about 50 ms. */
const PAUSE_AFTER = 1e9

export class Work {
  readonly kernels: VectorKernels
  readonly #slots = new Map<string, { pointer: number; sizeBytes: number }>()
  #since = 0

  constructor(kernels: VectorKernels = wasmKernels() ?? referenceKernels()) {
    this.kernels = kernels
  }

  /** @returns pointer to at least `sizeBytes` bytes, the same for each call with this name; growing loses the content */
  room(name: string, sizeBytes: number): number {
    const { memory } = this.kernels
    const known = this.#slots.get(name)
    if (known && known.sizeBytes >= sizeBytes) return known.pointer
    if (known) memory.free(known.pointer)
    const pointer = memory.allocate(sizeBytes)
    this.#slots.set(name, { pointer, sizeBytes })
    return pointer
  }

  /** Call after each batch. @returns a promise to wait for when a pause is due */
  spent(multiplications: number): Promise<void> | undefined {
    this.#since += multiplications
    if (this.#since < PAUSE_AFTER) return undefined
    this.#since = 0
    return yieldToEventLoop()
  }
}
