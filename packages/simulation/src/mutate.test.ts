import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { patched } from './mutate.ts'
import { MUTANTS } from './mutants.ts'

const sourceOf = (file: string) => readFileSync(new URL(`../../siltstone/src/${file}`, import.meta.url), 'utf8')

describe('mutants', () => {
  it('have names of their own', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
  })

  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s fits the code as it is', (_, mutant) => {
    for (const { file } of mutant.patches) {
      const source = sourceOf(file)
      expect(patched(source, file, mutant)).not.toBe(source)
    }
  })

  it('are refused when the code has moved on', () => {
    const mutant = { name: 'old', breaks: '', patches: [{ file: 'a.ts', find: 'gone', replace: '' }] }
    expect(() => patched('nothing of it', 'a.ts', mutant)).toThrow('stands 0 times in a.ts')
    expect(() => patched('gone, gone', 'a.ts', mutant)).toThrow('stands 2 times in a.ts')
    expect(patched('gone', 'b.ts', mutant)).toBe('gone')
  })
})
