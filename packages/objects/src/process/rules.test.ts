import { expect, it } from 'vitest'
import { ProcessingRules } from './rules.ts'

it('the longest prefix decides, then the bucket; without a rule the bucket names the collection', () => {
  const rules = ProcessingRules.parse(
    JSON.stringify({
      rules: [
        { prefix: 'up/', collection: 'all' },
        { bucket: 'media', prefix: 'up/', collection: 'talks' },
        { bucket: 'media', prefix: 'up/private/', process: false },
        { bucket: 'raw', process: false },
      ],
    }),
  )
  expect(rules.collectionOf('media', 'up/a')).toBe('talks')
  expect(rules.collectionOf('other', 'up/a')).toBe('all')
  expect(rules.collectionOf('media', 'up/private/a')).toBeUndefined()
  expect(rules.collectionOf('raw', 'a')).toBeUndefined()
  expect(rules.collectionOf('raw', 'up/a')).toBe('all')
  expect(rules.collectionOf('media', 'a')).toBe('media')
  expect(rules.collectionOf('media', 'derived/x/y/z')).toBeUndefined()
})

it('a mistake in the rules is named', () => {
  expect(() => ProcessingRules.parse('{')).toThrow(expect.objectContaining({ code: 'bad-rules' }))
  expect(() => ProcessingRules.parse('{"rules":[{"prefx":"a"}]}')).toThrow(/rules.*\[0\].*prefx/)
})
