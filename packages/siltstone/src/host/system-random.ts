import { randomFillSync } from 'node:crypto'
import type { Random } from '../ports/random.ts'

const pool = new Uint32Array(1024)
let used = pool.length

function nextUint32(): number {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  return pool[used++] as number
}

/** Random numbers of the operating system, 53 bits each, drawn from a pool. */
export const systemRandom: Random = {
  next: () => ((nextUint32() >>> 5) * 2 ** 26 + (nextUint32() >>> 6)) / 2 ** 53,
}
