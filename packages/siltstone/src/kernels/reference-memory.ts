/** Kernel memory without WebAssembly: an ArrayBuffer. Growing replaces it and detaches the old one. */
import { type Backing, Heap } from './heap.ts'

const INITIAL_BYTES = 1024 * 1024
export const MAXIMUM_BYTES = 2 ** 32

export function referenceMemory(maximumBytes: number = MAXIMUM_BYTES): Heap {
  let buffer = new ArrayBuffer(Math.min(INITIAL_BYTES, maximumBytes))
  const backing: Backing = {
    get buffer() {
      return buffer
    },
    grow(toBytes) {
      if (toBytes > maximumBytes) return false
      try {
        buffer = buffer.transfer(toBytes)
        return true
      } catch (error) {
        if (error instanceof RangeError) return false
        throw error
      }
    },
  }
  return new Heap(backing, 0)
}
