import { expect, it } from 'vitest'
import { followable } from './page-search.ts'

it('follows pages, and nothing that runs', () => {
  const base = 'https://a.example/docs/'
  expect(followable('../guide#top', base)).toBe('https://a.example/guide#top')
  expect(followable('https://b.example/', base)).toBe('https://b.example/')
  for (const address of [
    'javascript:alert(1)',
    ' java\nscript:alert(1)',
    'data:text/html,x',
    'file:///etc',
    'http://[',
  ])
    expect(followable(address, base)).toBeUndefined()
})
