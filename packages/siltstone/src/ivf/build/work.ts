/**
 * What building an inverted file computes with: kernels of its own, so that their memory is given back with it, and a
 * stop now and then that lets heartbeats through.
 */
import { referenceKernels } from '../../kernels/reference-kernels.ts'
import type { VectorKernels } from '../../kernels/vector-kernels.ts'
import { wasmKernels } from '../../kernels/wasm-kernels.ts'
import { yieldToEventLoop } from '#codec'

/** Multiplications between two stops: some 50 ms. */
const STOP_AFTER = 1e9

export class Work {
  readonly kernels: VectorKernels
  readonly #slots = new Map<string, { pointer: number; sizeBytes: number }>()
  #since = 0

  constructor(kernels: VectorKernels = wasmKernels() ?? referenceKernels()) {
    this.kernels = kernels
  }

  /** @returns pointer to at least that much, the same for the same name; contents are lost when it grows */
  room(name: string, sizeBytes: number): number {
    const { memory } = this.kernels
    const known = this.#slots.get(name)
    if (known && known.sizeBytes >= sizeBytes) return known.pointer
    if (known) memory.free(known.pointer)
    const pointer = memory.allocate(sizeBytes)
    this.#slots.set(name, { pointer, sizeBytes })
    return pointer
  }

  /** Call between batches with what they took. A promise only when it is time to stop. */
  spent(multiplications: number): Promise<void> | undefined {
    this.#since += multiplications
    if (this.#since < STOP_AFTER) return undefined
    this.#since = 0
    return yieldToEventLoop()
  }
}
