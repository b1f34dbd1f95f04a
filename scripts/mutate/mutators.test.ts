import { describe, expect, it } from 'vitest'
import { mutationsOf } from './mutators.ts'

function mutantsOf(source: string): string[] {
  return mutationsOf(source).map(({ start, end, text }) => source.slice(0, start) + text + source.slice(end))
}

describe('mutations', () => {
  it.each<[string, string[]]>([
    ['a < b', ['a <= b', 'a >= b']],
    ['(a + b) - (c)', ['(a - b) - (c)', '(a + b) + (c)']],
    ['a ?? b', ['a', 'b']],
    ['const x = !y', ['const x = y']],
    ['const x = a ? b : c', ['const x = b', 'const x = c']],
    ['const x = a[1]', ['const x = a[0]', 'const x = a[2]']],
    ['if (a) b()', ['if (false) b()', 'if (true) b()', 'if (a) ;']],
    ['const x = a.slice(n)', ['const x = a', 'const x = a.slice(-(n))']],
    ['const x = Math.min(p, q)', ['const x = Math.max(p, q)', 'const x = Math.min(q, p)']],
    ['for (const a of b) continue', ['for (const a of b) break']],
    ['await f()', [';']],
    ['const x = a.some(f)', ['const x = a.every(f)']],
  ])('of %s', (source, expected) => {
    expect(new Set(mutantsOf(source))).toEqual(new Set(expected))
  })

  it('do not change types, messages and tuning constants', () => {
    expect(mutantsOf("import { a } from './a.ts'\ntype T = 1 | 2\nconst X: 1 = 1_000 as never")).toEqual([])
    expect(mutantsOf('const e = new Error(`${a + 1}`)')).toEqual([])
    expect(mutantsOf('const f = invalid(`${a + 1}`)')).toEqual([])
  })

  it('keep the rest of the text after characters of any width', () => {
    expect(mutantsOf('const s = "é😀"; const t = a === b')).toEqual(['const s = "é😀"; const t = a !== b'])
  })
})
