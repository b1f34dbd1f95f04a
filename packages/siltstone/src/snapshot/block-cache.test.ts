import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { BlockCache } from './block-cache.ts'

it('keeps what was used, and never more than its limit', () => {
  const cache = new BlockCache(100_000)
  const shelf = cache.shelf('a')
  for (let i = 0; i < 10; i++) shelf.set(i, `block ${i}`, 9_744)
  expect(cache.sizeBytes).toBe(100_000)
  expect(shelf.get(0)).toBe('block 0')
  cache.shelf('b').set(0, 'another section', 19_744)
  expect(shelf.get(0)).toBe('block 0')
  expect([shelf.get(1), shelf.get(2)]).toEqual([undefined, undefined])
  expect(shelf.get(3)).toBe('block 3')
  expect(cache.shelf('b').get(0)).toBe('another section')
})

it('what is wanted again and again outlasts any number of blocks that are wanted once', () => {
  const cache = new BlockCache(100_000)
  const lists = cache.shelf('lists')
  const pages = cache.shelf('pages')
  let missed = 0
  for (let i = 0; i < 2_000; i++) {
    const wanted = i % 10
    if (lists.get(wanted) === undefined) {
      missed++
      lists.set(wanted, `list ${wanted}`, 1_000)
    }
    for (let k = 0; k < 5; k++) pages.set(5 * i + k, 'page', 1_000)
  }
  // Each is missed when it is new, when it was pushed out of the short queue, and hardly ever after.
  expect(missed).toBeLessThan(150)
})

it('a block of more than a quarter is not kept', () => {
  const cache = new BlockCache(100_000)
  cache.shelf('a').set(0, 'large', 25_000)
  expect(cache.shelf('a').get(0)).toBeUndefined()
  expect(cache.sizeBytes).toBe(0)
})

it('answers only what was set, after any sequence of operations', () => {
  const step = fc.record({
    shelf: fc.constantFrom('a', 'b'),
    number: fc.nat(30),
    size: fc.integer({ min: 1, max: 30_000 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const cache = new BlockCache(200_000)
      const shelves = { a: cache.shelf('a'), b: cache.shelf('b') }
      for (const { shelf, number, size } of steps) {
        const name = `${shelf}/${number}`
        const known = shelves[shelf as 'a' | 'b'].get(number)
        if (known === undefined) shelves[shelf as 'a' | 'b'].set(number, name, size)
        else expect(known).toBe(name)
        expect(cache.sizeBytes).toBeLessThanOrEqual(200_000)
      }
    }),
  )
})
