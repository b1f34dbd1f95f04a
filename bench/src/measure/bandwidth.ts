/** Memory bandwidth of one thread: the lower bound for a search that reads that many bytes. */
import { median } from './statistics.ts'

const BYTES = 512 * 1024 * 1024
const TURNS = 7

/** In GB/s: a search by the C library's vectorised memchr for a missing byte, over more memory than any cache holds. */
export function measureBandwidth(): number {
  const memory = Buffer.alloc(BYTES, 1)
  const rates = Array.from({ length: TURNS }, () => {
    const startedMs = performance.now()
    if (memory.indexOf(2) !== -1) throw new Error('found what is not there')
    return BYTES / 1e6 / (performance.now() - startedMs)
  })
  return median(rates)
}
