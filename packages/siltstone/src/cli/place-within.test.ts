import { expect, it } from 'vitest'
import { isPlaceWithin } from './place-within.ts'

it.each([
  ['store', 'store', true],
  ['store/copy', 'store', true],
  ['./store/../store/a/b', 'store', true],
  ['store/../copy', 'store', false],
  ['store-2', 'store', false],
  ['.', 'store', false],
  ['/anything', '/', true],
  ['s3://bucket/a/b', 's3://bucket/a', true],
  ['s3://bucket/a/', 's3://bucket/a?region=eu-west-1', true],
  ['s3://bucket/a', 's3://bucket', true],
  ['s3://bucket/ab', 's3://bucket/a', false],
  ['s3://other/a', 's3://bucket/a', false],
  ['s3://bucket/a', 'store', false],
  ['store', 's3://bucket', false],
])('%s in %s: %s', (place, outer, expected) => {
  expect(isPlaceWithin(place, outer)).toBe(expected)
})
