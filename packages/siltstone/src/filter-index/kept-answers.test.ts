import { expect, it } from 'vitest'
import { KeptAnswers } from './kept-answers.ts'

async function asked(kept: KeptAnswers<string>, names: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const name of names)
    await kept.get(name, async () => {
      found.push(name)
      return name
    })
  return found
}

it('finds an answer once, and the oldest again when there were too many', async () => {
  const kept = new KeptAnswers<string>(1024 * 1024)
  expect(await asked(kept, ['a', 'b', 'a', 'c', 'd', 'b'])).toEqual(['a', 'b', 'c', 'd'])
  expect(await asked(kept, ['e', 'b', 'a'])).toEqual(['e', 'a'])
})

it('keeps a few of any size, and none of a very long name', async () => {
  const kept = new KeptAnswers<string>(1e9)
  expect(await asked(kept, ['a', 'b', 'c', 'd', 'a', 'b'])).toEqual(['a', 'b', 'c', 'd'])
  const long = 'x'.repeat(5_000)
  expect(await asked(kept, [long, long])).toEqual([long, long])
})

it('does not keep a failure', async () => {
  const kept = new KeptAnswers<string>(1)
  await expect(kept.get('a', () => Promise.reject(new Error('not now')))).rejects.toThrow('not now')
  expect(await kept.get('a', async () => 'now')).toBe('now')
})
