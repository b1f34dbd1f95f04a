import { expect, it } from 'vitest'
import { loadRegistry } from './serve-registry.ts'

it('cannot be read-only', async () => {
  await expect(loadRegistry(true)).rejects.toThrow('--read-only')
})
