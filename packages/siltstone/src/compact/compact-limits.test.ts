import { expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { compactLimitsOf } from './compact-limits.ts'

const MB = 1024 * 1024
const { store } = memoryEnvironment()

it('all that compaction holds follows the memory that it may hold', () => {
  for (const bytes of [32 * MB, 192 * MB, 2048 * MB]) {
    const { foldBytes, heldVectorBytes, sortBytes, indexBytes, cacheBytes } = compactLimitsOf(store, bytes)
    // Lists of words, of trigrams and of values.
    expect(foldBytes + heldVectorBytes + sortBytes + 3 * indexBytes + cacheBytes).toBeLessThanOrEqual(bytes)
    expect(Math.min(foldBytes, sortBytes, indexBytes, cacheBytes)).toBeGreaterThan(0)
  }
  expect(compactLimitsOf(store, 1)).toEqual(compactLimitsOf(store, 32 * MB))
})
