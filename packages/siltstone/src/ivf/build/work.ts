/**
 * The resources for building one inverted file: kernels of its own, whose memory is freed with them, and pauses in which
 * heartbeats can run.
 */
import { referenceKernels } from '../../kernels/reference-kernels.ts'
import type { VectorKernels } from '../../kernels/vector-kernels.ts'
import { wasmKernels } from '../../kernels/wasm-kernels.ts'
import { Pacer } from '../../pacer.ts'
import { yieldToEventLoop } from '#codec'

/** Multiplications between two pauses: about 50 ms. */
const PAUSE_AFTER = 1e9

export class Work {
  readonly kernels: VectorKernels
  readonly #slots = new Map<string, { pointer: number; sizeBytes: number }>()
  readonly #signal: AbortSignal | undefined
  readonly #pacer: Pacer

  /** @param signal ends the work at its next pause */
  constructor(signal?: AbortSignal, kernels: VectorKernels = wasmKernels() ?? referenceKernels()) {
    this.kernels = kernels
    this.#signal = signal
    this.#pacer = new Pacer(PAUSE_AFTER, () => this.#pause())
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

  /**
   * Call after each batch.
   * @returns a promise to wait for when a pause is due; it rejects with the signal's reason
   * @throws the signal's reason
   */
  spent(multiplications: number): Promise<void> | undefined {
    this.#signal?.throwIfAborted()
    return this.#pacer.spend(multiplications)
  }

  async #pause(): Promise<void> {
    // Only here can the timer of a deadline fire.
    await yieldToEventLoop()
    this.#signal?.throwIfAborted()
  }
}
