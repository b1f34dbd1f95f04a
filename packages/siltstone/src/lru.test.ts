import { describe, expect, it } from 'vitest'
import { LruMap } from './lru.ts'

describe('LruMap', () => {
  it('forgets the least recently used entry', () => {
    const map = new LruMap<string, number>(2)
    map.set('a', 1)
    map.set('b', 2)
    expect(map.get('a')).toBe(1)
    map.set('c', 3)
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3])
    expect([...map.values()]).toEqual([1, 3])
  })

  it('replaces a value without forgetting another', () => {
    const map = new LruMap<string, number>(2)
    map.set('a', 1)
    map.set('b', 2)
    map.set('b', 3)
    expect([map.size, map.get('a'), map.get('b')]).toEqual([2, 1, 3])
    map.delete('a')
    map.clear()
    expect(map.size).toBe(0)
  })

  it('keeps at least one entry', () => {
    const map = new LruMap<string, number>(0)
    map.set('a', 1)
    expect(map.get('a')).toBe(1)
  })
})
