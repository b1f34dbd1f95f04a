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
    const broken = MUTANTS.flatMap(({ changes }) => changes.map(({ step }) => step))
    expect(marked.toSorted()).toEqual([...new Set(broken)].toSorted())
  })

  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s fits the code as it is', (_, mutant) => {
    const steps = mutant.changes.map(({ step }) => step)
    const files = [...sources].filter(([, source]) => stepsIn(source).some((step) => steps.includes(step)))
    const changed = changesOf(mutant)
    expect(changed.map(([file]) => file)).toEqual(files.map(([file]) => file))
    for (const [file, text] of changed) expect(parseSync(file, text).errors).toEqual([])
  })
})
