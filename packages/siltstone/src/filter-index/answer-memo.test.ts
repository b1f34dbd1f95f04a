import { expect, it } from 'vitest'
import { AnswerMemo } from './answer-memo.ts'

async function asked(memo: AnswerMemo<string>, names: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const name of names)
    await memo.get(name, async () => {
      found.push(name)
      return name
    })
  return found
}

it('finds an answer once, and the least recently asked again when there were too many', async () => {
  const memo = new AnswerMemo<string>(1024 * 1024)
  expect(await asked(memo, ['a', 'b', 'a', 'c', 'd', 'b'])).toEqual(['a', 'b', 'c', 'd'])
  expect(await asked(memo, ['a', 'e', 'b', 'c'])).toEqual(['e', 'c'])
})

it('keeps a few of any size, and none of a very long name', async () => {
  const memo = new AnswerMemo<string>(1e9)
  expect(await asked(memo, ['a', 'b', 'c', 'd', 'a', 'b'])).toEqual(['a', 'b', 'c', 'd'])
  const long = 'x'.repeat(5_000)
  expect(await asked(memo, [long, long])).toEqual([long, long])
})
