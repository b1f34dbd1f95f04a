import { expect, it } from 'vitest'
import { lfsRulesOf } from './git-attributes.ts'

const LFS = 'filter=lfs diff=lfs merge=lfs -text'

it('says which files go by Git LFS', () => {
  const isLfs = lfsRulesOf(
    [
      '# comment',
      `*.parquet ${LFS}`,
      `*tfevents* ${LFS}`,
      `saved_model/**/* ${LFS}`,
      `/top.bin ${LFS}`,
      `data/?.csv ${LFS}`,
      '*.txt text',
      `*.md ${LFS}`,
      'README.md -filter',
      `a+b(1).x ${LFS}`,
    ].join('\n'),
  )
  const yes = [
    'a.parquet',
    'deep/er/a.parquet',
    'x/events.out.tfevents.1',
    'saved_model/a',
    'saved_model/x/y/a',
    'top.bin',
  ]
  expect([...yes, 'data/1.csv', 'other.md', 'a+b(1).x'].filter((path) => !isLfs(path))).toEqual([])
  const no = ['a.parquet.txt', 'parquet', 'x/saved_model/a', 'deep/top.bin', 'data/12.csv', 'x/data/1.csv', 'README.md']
  expect([...no, 'a.txt', 'aab(1).x', ''].filter((path) => isLfs(path))).toEqual([])
})

it('takes text that is no such file, and patterns that are made to be slow', () => {
  expect(lfsRulesOf('\u0000\u0001 filter=lfs\n[[[ filter=lfs\n(? filter=lfs')('x')).toBe(false)
  expect(lfsRulesOf(`${'*a'.repeat(12)}b ${LFS}`)('a'.repeat(40))).toBe(false)
})
