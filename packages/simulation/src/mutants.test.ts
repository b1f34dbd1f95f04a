import { readdirSync, readFileSync } from 'node:fs'
import { parseSync } from 'oxc-parser'
import { describe, expect, it } from 'vitest'
import { mutated } from './load-mutant.ts'
import type { Mutant } from './mutant.ts'
import { MUTANTS } from './mutants.ts'
import { stepsIn } from './steps.ts'

const ROOT = new URL('../../siltstone/src/', import.meta.url)
const sources = new Map(
  readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file, readFileSync(new URL(file, ROOT), 'utf8')]),
)
const marked = [...sources.values()].flatMap(stepsIn)

/** What the mutant makes of each source that it changes. */
function changesOf(mutant: Mutant): [file: string, text: string][] {
  return [...sources]
    .map(([file, source]): [string, string] => [file, mutated(source, file, mutant)])
    .filter(([file, text]) => text !== sources.get(file))
}

describe('mutants', () => {
  it('have names of their own', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
  })

  it('break steps of which each is marked once, and leave no marked step whole', () => {
    const broken = MUTANTS.flatMap(({ patches }) => patches.flatMap((patch) => ('step' in patch ? [patch.step] : [])))
    expect(marked.toSorted()).toEqual([...new Set(broken)].toSorted())
  })

  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s fits the code as it is', (_, mutant) => {
    const changes = changesOf(mutant)
    const places = new Set(
      mutant.patches.map((patch) =>
        'step' in patch
          ? ([...sources].find(([, source]) => stepsIn(source).includes(patch.step))?.[0] ?? '')
          : patch.file,
      ),
    )
    expect(changes.map(([file]) => file).toSorted()).toEqual([...places].toSorted())
    for (const [file, text] of changes) expect(parseSync(file, text).errors).toEqual([])
  })

  it('are refused when the code has moved on', () => {
    const mutant = { name: 'old', breaks: '', patches: [{ file: 'a.ts', find: 'gone', replace: '' }] }
    expect(() => mutated('nothing of it', 'a.ts', mutant)).toThrow('stands 0 times in a.ts')
    expect(() => mutated('gone, gone', 'a.ts', mutant)).toThrow('stands 2 times in a.ts')
    expect(mutated('gone', 'b.ts', mutant)).toBe('gone')
  })
})
