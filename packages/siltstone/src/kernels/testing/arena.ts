/** For the tests of the kernels: seeded numbers, and arrays in a kernel memory with guard bytes around them. */
import type { VectorKernels } from '../vector-kernels.ts'
import { wasmKernels } from '../wasm-kernels.ts'

const GUARD_BYTES = 64
const GUARD = 0xa5

type Data = Float64Array | Float32Array | Int32Array | Uint32Array | Int16Array | Int8Array | Uint8Array

/** The arrays of one case. `close` checks the guard bytes and frees the arrays. */
export class Arena {
  readonly kernels: VectorKernels
  readonly #blocks: { pointer: number; start: number; end: number }[] = []

  constructor(kernels: VectorKernels) {
    this.kernels = kernels
  }

  room(sizeBytes: number): number {
    const { memory } = this.kernels
    const start = memory.allocate(sizeBytes + 2 * GUARD_BYTES)
    const end = start + sizeBytes + 2 * GUARD_BYTES
    new Uint8Array(memory.buffer, start, end - start).fill(GUARD)
    this.#blocks.push({ pointer: start, start: start + GUARD_BYTES, end: end - GUARD_BYTES })
    return start + GUARD_BYTES
  }

  put(data: Data): number {
    const pointer = this.room(data.byteLength)
    new Uint8Array(this.kernels.memory.buffer, pointer, data.byteLength).set(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    )
    return pointer
  }

  f32 = (pointer: number, length: number) => new Float32Array(this.kernels.memory.buffer, pointer, length).slice()
  f64 = (pointer: number, length: number) => new Float64Array(this.kernels.memory.buffer, pointer, length).slice()
  i32 = (pointer: number, length: number) => new Int32Array(this.kernels.memory.buffer, pointer, length).slice()
  u32 = (pointer: number, length: number) => new Uint32Array(this.kernels.memory.buffer, pointer, length).slice()
  i16 = (pointer: number, length: number) => new Int16Array(this.kernels.memory.buffer, pointer, length).slice()
  i8 = (pointer: number, length: number) => new Int8Array(this.kernels.memory.buffer, pointer, length).slice()
  u8 = (pointer: number, length: number) => new Uint8Array(this.kernels.memory.buffer, pointer, length).slice()

  close(): void {
    const { memory } = this.kernels
    for (const { pointer, start, end } of this.#blocks) {
      const before = new Uint8Array(memory.buffer, start - GUARD_BYTES, GUARD_BYTES)
      const after = new Uint8Array(memory.buffer, end, GUARD_BYTES)
      if ([...before, ...after].some((byte) => byte !== GUARD)) throw new Error('a kernel wrote outside its output')
      memory.free(pointer)
    }
    this.#blocks.length = 0
  }
}

/** Runs one case on each of the kernels. @returns the results in order */
export function onEach<T>(kernels: readonly VectorKernels[], run: (arena: Arena) => T): T[] {
  return kernels.map((each) => {
    const arena = new Arena(each)
    const result = run(arena)
    arena.close()
    return result
  })
}

/** @throws Error if this engine cannot run them: its version is pinned, so skipping the test would hide a regression */
export function wasm(kind: 'wasm-simd' | 'wasm-relaxed-simd'): VectorKernels {
  const kernels = wasmKernels({ kind })
  if (!kernels) throw new Error(`no ${kind} here`)
  return kernels
}

/** mulberry32: uniform in [0, 1). */
export function random(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Standard normal numbers (Box–Muller). */
export function normals(next: () => number, length: number, scale = 1): Float32Array {
  return Float32Array.from(
    { length },
    () => scale * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  )
}

export function bytes(next: () => number, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => Math.floor(next() * 256))
}
