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

it('an object expires after the days of the rule with the longest prefix', () => {
  const rules = ProcessingRules.parse(
    JSON.stringify({
      rules: [
        { prefix: 'up/', expireDays: 30 },
        { prefix: 'up/raw/', expireDays: 1, onExpire: 'delete', process: false },
        { prefix: 'up/kept/' },
      ],
    }),
  )
  const day = 24 * 3_600_000
  expect(rules.expiryOf('media', 'up/a')).toEqual({ ageMs: 30 * day, keepsRecords: true })
  expect(rules.expiryOf('media', 'up/raw/a')).toEqual({ ageMs: day, keepsRecords: false })
  for (const key of ['up/kept/a', 'other', 'derived/up/a']) expect(rules.expiryOf('media', key)).toBeUndefined()
  for (const bad of ['{"expireDays":0}', '{"expireDays":1.5}', '{"onExpire":"drop"}'])
    expect(() => ProcessingRules.parse(`{"rules":[${bad}]}`)).toThrow(expect.objectContaining({ code: 'bad-rules' }))
  expect(ProcessingRules.parse(rules.text).text).toBe(rules.text)
})
