import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSiltstoneError } from '../errors.ts'
import { Heap } from './heap.ts'
import { referenceMemory } from './reference-memory.ts'
import { wasmKernels } from './wasm-kernels.ts'

function wasmMemory(maximumBytes?: number): Heap {
  const memory = wasmKernels(maximumBytes === undefined ? {} : { maximumBytes })?.memory
  if (!(memory instanceof Heap)) throw new Error('no WebAssembly here')
  return memory
}

describe.each([
  { name: 'an ArrayBuffer', newMemory: referenceMemory, start: 16 },
  { name: 'WebAssembly', newMemory: wasmMemory, start: 1024 },
])('the heap of a kernel memory over $name', ({ newMemory, start }) => {
  it('allocates aligned blocks that never overlap and keep their contents while it grows', () => {
    const step = fc.record({ size: fc.integer({ min: 0, max: 400_000 }), drop: fc.nat({ max: 9 }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const memory = newMemory()
        const live: { pointer: number; size: number; mark: number }[] = []
        steps.forEach(({ size, drop }, i) => {
          const pointer = memory.allocate(size)
          expect(pointer % 16).toBe(0)
          expect(pointer).toBeGreaterThan(0)
          new Uint8Array(memory.buffer, pointer, size).fill(i + 1)
          live.push({ pointer, size, mark: i + 1 })
          if (drop < live.length && drop % 2 === 0) memory.free(live.splice(drop, 1)[0]?.pointer as number)
        })
        for (const { pointer, size, mark } of live)
          expect(new Uint8Array(memory.buffer, pointer, size).every((byte) => byte === mark)).toBe(true)
        for (const { pointer } of live) memory.free(pointer)
        expect(memory.allocatedBytes).toBe(0)
        // All blocks were merged into one.
        const { byteLength } = memory.buffer
        memory.allocate(byteLength - start)
        expect(memory.buffer.byteLength).toBe(byteLength)
      }),
      { numRuns: 30 },
    )
  })

  it('reuses freed space before it grows', () => {
    const memory = newMemory()
    const first = memory.allocate(600_000)
    memory.allocate(16)
    memory.free(first)
    expect(memory.allocate(500_000)).toBe(first)
    expect(memory.buffer.byteLength).toBe(1024 * 1024)
  })

  it('reports that memory has run out, and stays usable', () => {
    const memory = newMemory(2 * 1024 * 1024)
    const pointer = memory.allocate(1_500_000)
    expect(() => memory.allocate(1_000_000)).toThrowError(
      expect.toSatisfy((error) => isSiltstoneError(error, 'unavailable') && error.code === 'out-of-memory'),
    )
    memory.free(pointer)
    expect(memory.allocate(2_000_000)).toBe(pointer)
  })

  it('refuses pointers that it did not return', () => {
    const memory = newMemory()
    const pointer = memory.allocate(10)
    memory.free(pointer)
    for (const wrong of [pointer, pointer + 16, 0])
      expect(() => memory.free(wrong)).toThrowError(/was not returned by allocate/)
    for (const size of [-1, 1.5, Number.NaN]) expect(() => memory.allocate(size)).toThrowError(/whole number/)
  })
})
